SELECT COUNT(*) AS job_runs
FROM {marts}.job_run_costs
WHERE pricing_status = 'no_usage' AND outcome_date >= DATE '{first}' AND outcome_date < DATE '{next}'
