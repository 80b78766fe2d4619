SELECT workspace_id, creator, currency, cu_hours, estimated_cost, job_runs, COUNT(*) OVER () AS of_all
FROM {marts}.spend_unallocated
WHERE billing_month = DATE '{first}'
ORDER BY COALESCE(estimated_cost, 0) DESC, cu_hours DESC, workspace_id, creator
LIMIT 10
