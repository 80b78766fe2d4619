SELECT hours.region_id, hours.workspace_id, costs.resource_queue_id, SUM(hours.cu_hours) AS cu_hours,
  COUNT(DISTINCT hours.job_run_id) AS job_runs, COUNT(*) OVER () AS of_all
FROM {marts}.job_run_hours AS hours
JOIN {marts}.job_run_costs AS costs
  ON hours.workspace_id = costs.workspace_id AND hours.job_run_id = costs.job_run_id
WHERE hours.billing_month = DATE '{first}' AND hours.pricing_status = 'unpriced'
GROUP BY hours.region_id, hours.workspace_id, costs.resource_queue_id
ORDER BY cu_hours DESC, workspace_id, resource_queue_id
LIMIT 10
