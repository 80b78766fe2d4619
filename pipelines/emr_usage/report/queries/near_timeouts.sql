SELECT workspace_id, job_key, SUM(near_timeouts) AS near_timeouts, SUM(job_runs) AS job_runs,
  MAX(p95_duration_seconds) AS p95_duration_seconds, COUNT(*) OVER () AS of_all
FROM {marts}.job_performance_weekly
WHERE week_start > DATE '{week_before}' AND week_start < DATE '{next}'
GROUP BY workspace_id, job_key
HAVING SUM(near_timeouts) > 0
ORDER BY near_timeouts DESC, workspace_id, job_key
LIMIT 10
