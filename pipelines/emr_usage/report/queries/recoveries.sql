SELECT workspace_id, job_key, first_failure_job_run_id, first_failure_time, attempts, recovered_at, job_succeeded_at, seconds_to_recovery,
  cu_hours_wasted, cu_hours_wasted_unpriced, estimated_cost_wasted, currency
FROM {marts}.job_failure_chains
WHERE first_failure_time >= TIMESTAMPTZ '{from_utc}' AND first_failure_time < TIMESTAMPTZ '{until_utc}'
ORDER BY COALESCE(estimated_cost_wasted, 0) DESC, cu_hours_wasted DESC, first_failure_time, chain_id
