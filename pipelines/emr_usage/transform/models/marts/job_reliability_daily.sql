select
  outcome_date as billing_date,
  workspace_id,
  job_key,
  count(*) as job_runs,
  count(case when is_failed then 1 end) as failed,
  count(case when state = 'Cancelled' then 1 end) as cancelled,
  count(case when is_timed_out then 1 end) as timed_out,
  cast(sum(case when is_failed then 1.0 else 0.0 end) / count(*) as decimal(7, 6)) as failure_rate,
  {{ emr_usage.percentile('duration_seconds', 0.5) }} as p50_duration_seconds,
  {{ emr_usage.percentile('duration_seconds', 0.95) }} as p95_duration_seconds,
  {{ emr_usage.wasted('is_failed') }}
from {{ ref('job_run_costs') }}
where is_final
group by outcome_date, workspace_id, job_key
