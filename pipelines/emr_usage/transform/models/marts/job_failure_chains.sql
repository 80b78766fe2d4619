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

-- The runs of a job after a run ended, with any arguments: daily jobs have different arguments every day. Latest first, because
-- PostgreSQL computes a frame that loses rows anew for each row.
followed as (
  select
    runs.workspace_id,
    runs.job_run_id,
    min(case when runs.is_success then runs.end_time end) over (
      partition by runs.workspace_id, runs.job_key order by runs.ended_us desc range between unbounded preceding and current row
    ) as next_success
  from runs
  inner join (select distinct workspace_id, job_key from ever_failed) as failing_jobs
    on runs.workspace_id = failing_jobs.workspace_id and runs.job_key = failing_jobs.job_key
),

-- A success that ended before an earlier attempt failed ran in parallel: it does not end the chain.
linked as (
  select
    runs.*,
    runs.is_success and runs.ended_us >= coalesce(
      max(case when runs.is_failed then runs.ended_us end) over (
        partition by runs.workspace_id, runs.job_key, runs.arguments
        order by runs.submit_time, runs.job_run_id rows between unbounded preceding and 1 preceding
      ),
      runs.ended_us
    ) as is_closing,
    runs.submitted_us - max(runs.ended_us) over (
      partition by runs.workspace_id, runs.job_key, runs.arguments
      order by runs.submit_time, runs.job_run_id rows between unbounded preceding and 1 preceding
    ) as waited_us
  from runs
  inner join ever_failed
    on runs.workspace_id = ever_failed.workspace_id
    and runs.job_key = ever_failed.job_key
    and runs.arguments = ever_failed.arguments
),

closed as (
  select
    *,
    lag(is_closing) over (partition by workspace_id, job_key, arguments order by submit_time, job_run_id) as after_closing
  from linked
),

numbered as (
  select
    *,
    sum(
      case
        when after_closing then 1
        when waited_us <= {{ var('retry_within_hours') }} * {{ emr_usage.microseconds_an_hour() }} then 0
        else 1
      end
    ) over (
      partition by workspace_id, job_key, arguments order by submit_time, job_run_id rows between unbounded preceding and current row
    ) as chain
  from closed
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

first_failures as (
  select workspace_id, job_key, arguments, chain, job_run_id, end_time
  from attempts
  where attempt = 1
),

chains as (
  select
    attempts.workspace_id,
    attempts.job_key,
    min(attempts.arguments_digest) as arguments_digest,
    min(first_failures.job_run_id) as first_failure_job_run_id,
    min(first_failures.end_time) as first_failure_time,
    count(*) as attempts,
    -- A success that ended before the failure ran in parallel, and is not a recovery.
    min(case when is_success and attempts.end_time >= first_failures.end_time then attempts.end_time end) as recovered_at,
    {{ emr_usage.wasted('is_final and not is_success') }}
  from attempts
  inner join first_failures
    on attempts.workspace_id = first_failures.workspace_id
    and attempts.job_key = first_failures.job_key
    and attempts.arguments = first_failures.arguments
    and attempts.chain = first_failures.chain
  group by attempts.workspace_id, attempts.job_key, attempts.arguments, attempts.chain
)

select
  concat(chains.workspace_id, '/', first_failure_job_run_id) as chain_id,
  chains.workspace_id,
  job_key,
  arguments_digest,
  first_failure_job_run_id,
  first_failure_time,
  attempts,
  recovered_at,
  followed.next_success as job_succeeded_at,
  cast(
    ({{ emr_usage.epoch_us('recovered_at') }} - {{ emr_usage.epoch_us('first_failure_time') }}) / 1000000.0 as decimal(18, 3)
  ) as seconds_to_recovery,
  cu_hours_wasted,
  cu_hours_wasted_unpriced,
  estimated_cost_wasted,
  currency
from chains
left join followed
  on chains.workspace_id = followed.workspace_id and chains.first_failure_job_run_id = followed.job_run_id
