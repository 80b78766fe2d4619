SELECT workspace_id, job_key, currency, COUNT(*) AS failed, COUNT(CASE WHEN is_timed_out THEN 1 END) AS timed_out,
  SUM(cu_hours) AS cu_hours, SUM(estimated_cost) AS estimated_cost, COUNT(*) OVER () AS of_all
FROM {marts}.job_run_costs
WHERE is_failed AND outcome_date >= DATE '{first}' AND outcome_date < DATE '{next}'
GROUP BY workspace_id, job_key, currency
ORDER BY COALESCE(SUM(estimated_cost), 0) DESC, COALESCE(SUM(cu_hours), 0) DESC, failed DESC, workspace_id, job_key
LIMIT 10
