with ended as (
  select
    workspace_id,
    job_key,
    {{ emr_usage.first_of('week', 'outcome_date') }} as week_start,
    case when state = 'Success' then duration_seconds end as duration_seconds,
    case when state = 'Success' then cu_hours end as cu_hours,
    case when execution_timeout_seconds > 0 and duration_seconds >= execution_timeout_seconds * {{ var('near_timeout_share') }} then 1 end as near_timeout
  from {{ ref('job_run_costs') }}
  where is_final
),

weeks as (
  select
    workspace_id,
    job_key,
    week_start,
    count(*) as job_runs,
    {{ emr_usage.percentile('duration_seconds', 0.95) }} as p95_duration_seconds,
    cast({{ emr_usage.mean('cu_hours') }} as {{ emr_usage.type_amount() }}) as cu_hours_per_run,
    count(near_timeout) as near_timeouts
  from ended
  group by workspace_id, job_key, week_start
),

later as (
  select 7 as days
  union all select 14
  union all select 21
  union all select 28
),

-- Each run counts in the comparison of the four weeks after it.
compared as (
  select
    ended.workspace_id,
    ended.job_key,
    cast({{ dbt.dateadd('day', 'later.days', 'ended.week_start') }} as date) as week_start,
    ended.duration_seconds,
    ended.cu_hours
  from ended
  cross join later
),

before as (
  select
    workspace_id,
    job_key,
    week_start,
    {{ emr_usage.percentile('duration_seconds', 0.95) }} as p95_before,
    cast({{ emr_usage.mean('cu_hours') }} as {{ emr_usage.type_amount() }}) as cu_hours_per_run_before
  from compared
  group by workspace_id, job_key, week_start
)

select
  weeks.workspace_id,
  weeks.job_key,
  weeks.week_start,
  weeks.job_runs,
  weeks.p95_duration_seconds,
  before.p95_before,
  cast(weeks.p95_duration_seconds / nullif(before.p95_before, 0) as {{ emr_usage.type_amount() }}) as p95_ratio,
  weeks.cu_hours_per_run,
  before.cu_hours_per_run_before,
  weeks.near_timeouts
from weeks
left join before
  on weeks.workspace_id = before.workspace_id
  and weeks.job_key = before.job_key
  and weeks.week_start = before.week_start
