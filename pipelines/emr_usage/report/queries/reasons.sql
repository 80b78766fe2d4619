SELECT state_change_code, reason, currency, job_runs, first_date, billing_date AS last_date, cu_hours, estimated_cost,
  example_job_run_id, example_message
FROM (
  SELECT state_change_code, reason, currency, billing_date, example_job_run_id, example_message,
    SUM(job_runs) OVER (PARTITION BY state_change_code, reason, currency) AS job_runs,
    SUM(cu_hours_wasted) OVER (PARTITION BY state_change_code, reason, currency) AS cu_hours,
    SUM(estimated_cost_wasted) OVER (PARTITION BY state_change_code, reason, currency) AS estimated_cost,
    MIN(billing_date) OVER (PARTITION BY state_change_code, reason, currency) AS first_date,
    ROW_NUMBER() OVER (PARTITION BY state_change_code, reason, currency ORDER BY billing_date DESC) AS recency
  FROM {marts}.failures_by_reason
  WHERE billing_date >= DATE '{first}' AND billing_date < DATE '{next}'
) AS reasons
WHERE recency = 1
ORDER BY job_runs DESC, last_date DESC, state_change_code, reason, currency
LIMIT 12
