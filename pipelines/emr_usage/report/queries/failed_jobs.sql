SELECT costs.workspace_id, costs.job_key, COUNT(DISTINCT costs.job_run_id) AS failed,
  COUNT(DISTINCT CASE WHEN costs.is_timed_out THEN costs.job_run_id END) AS timed_out, SUM(hours.cu_hours) AS cu_hours,
  SUM(CASE WHEN hours.pricing_status = 'unpriced' THEN hours.cu_hours ELSE 0 END) AS cu_hours_unpriced,
  COUNT(DISTINCT hours.currency) AS currencies, MIN(hours.currency) AS currency,
  CASE WHEN COUNT(DISTINCT hours.currency) = 1 THEN SUM(hours.estimated_cost) END AS estimated_cost,
  COUNT(*) OVER () AS of_all
FROM {marts}.job_run_costs AS costs
LEFT JOIN {marts}.job_run_hours AS hours
  ON hours.workspace_id = costs.workspace_id AND hours.job_run_id = costs.job_run_id
WHERE costs.is_failed AND costs.outcome_date >= DATE '{first}' AND costs.outcome_date < DATE '{next}'
GROUP BY costs.workspace_id, costs.job_key
ORDER BY COALESCE(SUM(hours.estimated_cost), 0) DESC, COALESCE(SUM(hours.cu_hours), 0) DESC, failed DESC, workspace_id, job_key
LIMIT 10
