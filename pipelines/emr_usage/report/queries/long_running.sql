SELECT costs.workspace_id, costs.job_run_id, costs.job_key, costs.state, costs.is_final, costs.submit_time, costs.duration_seconds,
  hours.currency, SUM(hours.cu_hours) AS cu_hours, SUM(hours.estimated_cost) AS estimated_cost,
  COUNT(*) OVER () AS of_all
FROM {marts}.job_run_costs AS costs
JOIN {marts}.job_run_hours AS hours
  ON hours.workspace_id = costs.workspace_id AND hours.job_run_id = costs.job_run_id
WHERE hours.billing_month = DATE '{first}' AND costs.duration_seconds >= {long_seconds}
GROUP BY costs.workspace_id, costs.job_run_id, costs.job_key, costs.state, costs.is_final, costs.submit_time,
  costs.duration_seconds, hours.currency
ORDER BY costs.duration_seconds DESC, workspace_id, job_run_id
LIMIT 10
