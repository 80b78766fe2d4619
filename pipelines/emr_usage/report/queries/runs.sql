SELECT COUNT(DISTINCT CONCAT(workspace_id, '/', job_run_id)) AS job_runs
FROM {marts}.job_run_hours
WHERE billing_month = DATE '{first}'
