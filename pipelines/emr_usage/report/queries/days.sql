SELECT billing_month, COUNT(DISTINCT billing_date) AS days, COUNT(DISTINCT CONCAT(workspace_id, '/', job_run_id)) AS job_runs
FROM {marts}.job_run_hours
WHERE billing_month IN (DATE '{previous}', DATE '{first}')
GROUP BY billing_month
ORDER BY billing_month
