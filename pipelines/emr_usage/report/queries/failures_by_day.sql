SELECT billing_date, SUM(job_runs) AS job_runs, SUM(failed) AS failed
FROM {marts}.job_reliability_daily
WHERE billing_date >= DATE '{first}' AND billing_date < DATE '{next}'
GROUP BY billing_date
ORDER BY billing_date
