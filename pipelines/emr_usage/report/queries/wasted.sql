SELECT amounts.currency, COUNT(*) AS job_runs, SUM(amounts.cu_hours) AS cu_hours, SUM(amounts.estimated_cost) AS estimated_cost
FROM {marts}.job_run_costs AS costs
LEFT JOIN {marts}.job_run_amounts AS amounts
  ON amounts.workspace_id = costs.workspace_id AND amounts.job_run_id = costs.job_run_id
WHERE costs.is_failed AND costs.outcome_date >= DATE '{first}' AND costs.outcome_date < DATE '{next}'
GROUP BY amounts.currency
ORDER BY amounts.currency
