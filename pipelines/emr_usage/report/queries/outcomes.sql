SELECT SUM(job_runs) AS job_runs, SUM(failed) AS failed, SUM(cancelled) AS cancelled, SUM(timed_out) AS timed_out
FROM {marts}.job_reliability_daily
WHERE billing_date >= DATE '{first}' AND billing_date < DATE '{next}'
