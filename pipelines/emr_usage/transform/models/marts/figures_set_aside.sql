select
  workspace_id,
  job_run_id,
  'job_run' as seen_as,
  case when cu_hours < 0 then 'negative' else 'before_1970' end as reason,
  coalesce(submit_time, end_time, observed_at) as began_at,
  cu_hours,
  observed_at
from {{ ref('stg_job_runs') }}
where not {{ emr_usage.is_usable_figure('cu_hours', 'coalesce(submit_time, end_time, observed_at)') }}

union all

select distinct
  workspace_id,
  job_run_id,
  'observation' as seen_as,
  'negative' as reason,
  cast(null as {{ emr_usage.type_moment() }}) as began_at,
  cu_hours,
  observed_at
from {{ ref('stg_job_run_observations') }}
where cu_hours < 0
