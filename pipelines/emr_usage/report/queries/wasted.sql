SELECT hours.currency, SUM(hours.cu_hours) AS cu_hours, SUM(hours.estimated_cost) AS estimated_cost
FROM {marts}.job_run_costs AS costs
JOIN {marts}.job_run_hours AS hours
  ON hours.workspace_id = costs.workspace_id AND hours.job_run_id = costs.job_run_id
WHERE costs.is_failed AND costs.outcome_date >= DATE '{first}' AND costs.outcome_date < DATE '{next}'
GROUP BY hours.currency
ORDER BY hours.currency
