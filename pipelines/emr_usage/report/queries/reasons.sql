SELECT state_change_code, reason, job_runs, first_date, billing_date AS last_date, example_job_run_id, example_message
FROM (
  SELECT state_change_code, reason, billing_date, example_job_run_id, example_message,
    SUM(job_runs) OVER (PARTITION BY state_change_code, reason) AS job_runs,
    MIN(billing_date) OVER (PARTITION BY state_change_code, reason) AS first_date,
    ROW_NUMBER() OVER (PARTITION BY state_change_code, reason ORDER BY billing_date DESC) AS recency
  FROM {marts}.failures_by_reason
  WHERE billing_date >= DATE '{first}' AND billing_date < DATE '{next}'
) AS reasons
WHERE recency = 1
ORDER BY job_runs DESC, last_date DESC, state_change_code, reason
LIMIT 10
