SELECT costs.workspace_id, costs.job_key, amounts.currency, COUNT(*) AS failed, COUNT(CASE WHEN costs.is_timed_out THEN 1 END) AS timed_out,
  SUM(amounts.cu_hours) AS cu_hours, SUM(amounts.estimated_cost) AS estimated_cost, COUNT(*) OVER () AS of_all
FROM {marts}.job_run_costs AS costs
LEFT JOIN {marts}.job_run_amounts AS amounts
  ON amounts.workspace_id = costs.workspace_id AND amounts.job_run_id = costs.job_run_id
WHERE costs.is_failed AND costs.outcome_date >= DATE '{first}' AND costs.outcome_date < DATE '{next}'
GROUP BY costs.workspace_id, costs.job_key, amounts.currency
ORDER BY COALESCE(SUM(amounts.estimated_cost), 0) DESC, COALESCE(SUM(amounts.cu_hours), 0) DESC, failed DESC, workspace_id, job_key
LIMIT 10
