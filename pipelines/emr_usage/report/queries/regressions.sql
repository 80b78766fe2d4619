SELECT workspace_id, job_key, week_start, job_runs, p95_duration_seconds, p95_before, p95_ratio, cu_hours_per_run,
  cu_hours_per_run_before, COUNT(*) OVER () AS of_all
FROM {marts}.job_performance_weekly
WHERE week_start > DATE '{week_before}' AND week_start < DATE '{next}'
  AND p95_ratio >= {slower} AND p95_duration_seconds >= {slow_seconds} AND job_runs >= {enough_runs}
ORDER BY p95_ratio DESC, week_start, workspace_id, job_key
LIMIT 10
