SELECT costs.workspace_id, costs.job_key, hours.currency,
  CASE
    WHEN MIN(COALESCE(costs.owner, 'unallocated')) = MAX(COALESCE(costs.owner, 'unallocated'))
    THEN MIN(COALESCE(costs.owner, 'unallocated'))
    ELSE 'several'
  END AS owner,
  COUNT(DISTINCT costs.job_run_id) AS job_runs, SUM(hours.cu_hours) AS cu_hours, SUM(hours.estimated_cost) AS estimated_cost,
  COUNT(*) OVER () AS of_all
FROM {marts}.job_run_hours AS hours
JOIN {marts}.job_run_costs AS costs
  ON hours.workspace_id = costs.workspace_id AND hours.job_run_id = costs.job_run_id
WHERE hours.billing_month = DATE '{first}'
GROUP BY costs.workspace_id, costs.job_key, hours.currency
ORDER BY COALESCE(SUM(hours.estimated_cost), 0) DESC, cu_hours DESC, workspace_id, job_key
LIMIT 12
