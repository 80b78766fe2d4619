with runs as (
  select
    *,
    coalesce(arguments_digest, '') as arguments,
    is_final and state = 'Success' as is_success,
    {{ emr_usage.epoch_us('submit_time') }} as submitted_us,
    {{ emr_usage.epoch_us('coalesce(end_time, submit_time)') }} as ended_us
  from {{ ref('job_run_costs') }}
  where submit_time is not null
),

ever_failed as (
  select distinct workspace_id, job_key, arguments
  from runs
  where is_failed
),

linked as (
  select
    runs.*,
    lag(runs.is_success) over (
      partition by runs.workspace_id, runs.job_key, runs.arguments order by runs.submit_time, runs.job_run_id
    ) as after_success,
    runs.submitted_us - lag(runs.ended_us) over (
      partition by runs.workspace_id, runs.job_key, runs.arguments order by runs.submit_time, runs.job_run_id
    ) as waited_us
  from runs
  inner join ever_failed
    on runs.workspace_id = ever_failed.workspace_id
    and runs.job_key = ever_failed.job_key
    and runs.arguments = ever_failed.arguments
),

numbered as (
  select
    *,
    sum(
      case
        when after_success then 1
        when waited_us <= {{ var('retry_within_hours') }} * {{ emr_usage.microseconds_an_hour() }} then 0
        else 1
      end
    ) over (
      partition by workspace_id, job_key, arguments order by submit_time, job_run_id rows between unbounded preceding and current row
    ) as chain
  from linked
),

since_first_failure as (
  select
    *,
    sum(case when is_failed then 1 else 0 end) over (
      partition by workspace_id, job_key, arguments, chain
      order by submit_time, job_run_id rows between unbounded preceding and current row
    ) as failures_so_far
  from numbered
),

attempts as (
  select
    *,
    row_number() over (partition by workspace_id, job_key, arguments, chain order by submit_time, job_run_id) as attempt
  from since_first_failure
  where failures_so_far > 0
),

chains as (
  select
    workspace_id,
    job_key,
    min(arguments_digest) as arguments_digest,
    min(case when attempt = 1 then job_run_id end) as first_failure_job_run_id,
    min(case when attempt = 1 then end_time end) as first_failure_time,
    count(*) as attempts,
    max(case when is_success then end_time end) as last_success,
    {{ emr_usage.wasted('is_final and not is_success') }}
  from attempts
  group by workspace_id, job_key, arguments, chain
),

-- A success that ended before the failure did ran beside it, and is no recovery.
recovered as (
  select
    chains.*,
    case when last_success >= first_failure_time then last_success end as recovered_at
  from chains
)

select
  concat(workspace_id, '/', first_failure_job_run_id) as chain_id,
  workspace_id,
  job_key,
  arguments_digest,
  first_failure_job_run_id,
  first_failure_time,
  attempts,
  recovered_at,
  cast(
    ({{ emr_usage.epoch_us('recovered_at') }} - {{ emr_usage.epoch_us('first_failure_time') }}) / 1000000.0 as decimal(18, 3)
  ) as seconds_to_recovery,
  cu_hours_wasted,
  cu_hours_wasted_unpriced,
  estimated_cost_wasted,
  currency
from recovered
