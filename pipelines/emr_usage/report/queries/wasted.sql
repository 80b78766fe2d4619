SELECT currency, COUNT(*) AS job_runs, SUM(cu_hours) AS cu_hours, SUM(cu_hours_unpriced) AS cu_hours_unpriced,
  SUM(estimated_cost) AS estimated_cost
FROM {marts}.job_run_costs
WHERE is_failed AND outcome_date >= DATE '{first}' AND outcome_date < DATE '{next}'
GROUP BY currency
ORDER BY currency
