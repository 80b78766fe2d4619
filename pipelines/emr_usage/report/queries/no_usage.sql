SELECT billing_month, workspace_id, job_run_id, job_key, owner, state, is_final, is_awaited, ran_from, ran_until, COUNT(*) OVER () AS of_all
FROM {marts}.job_runs_without_usage
WHERE billing_month = DATE '{first}'
ORDER BY is_final, ran_from, workspace_id, job_run_id
LIMIT 10
