SELECT state_change_code, reason, job_runs, cu_hours, cu_hours_unpriced, has_several_currencies,
  CASE WHEN has_several_currencies = 0 THEN currency END AS currency,
  CASE WHEN has_several_currencies = 0 THEN estimated_cost END AS estimated_cost, first_date, last_date,
  example_job_run_id, example_message, COUNT(*) OVER () AS of_all
FROM (
  SELECT state_change_code, reason, example_job_run_id, example_message,
    SUM(job_runs) OVER (PARTITION BY state_change_code, reason) AS job_runs,
    SUM(cu_hours_wasted) OVER (PARTITION BY state_change_code, reason) AS cu_hours,
    SUM(cu_hours_wasted_unpriced) OVER (PARTITION BY state_change_code, reason) AS cu_hours_unpriced,
    MIN(currency) OVER (PARTITION BY state_change_code, reason) AS currency,
    MAX(CASE WHEN currency IS NULL AND cu_hours_wasted > cu_hours_wasted_unpriced OR currency <> first_currency THEN 1 ELSE 0 END)
      OVER (PARTITION BY state_change_code, reason) AS has_several_currencies,
    SUM(estimated_cost_wasted) OVER (PARTITION BY state_change_code, reason) AS estimated_cost,
    MIN(billing_date) OVER (PARTITION BY state_change_code, reason) AS first_date,
    MAX(billing_date) OVER (PARTITION BY state_change_code, reason) AS last_date,
    ROW_NUMBER() OVER (PARTITION BY state_change_code, reason ORDER BY billing_date DESC, example_job_run_id) AS recency
  FROM (
    SELECT *, MIN(currency) OVER (PARTITION BY state_change_code, reason) AS first_currency
    FROM {marts}.failures_by_reason
    WHERE billing_date >= DATE '{first}' AND billing_date < DATE '{next}'
  ) AS of_month
) AS reasons
WHERE recency = 1
ORDER BY job_runs DESC, last_date DESC, state_change_code, reason
LIMIT 10
