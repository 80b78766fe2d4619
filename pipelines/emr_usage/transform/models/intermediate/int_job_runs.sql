-- The staging model is named twice: PostgreSQL would copy a CTE that is used twice, with all columns, in every model that reads this.
-- A run that is observed as Submitted or Pending has used nothing until then.
with waited as (
  select runs.workspace_id, runs.job_run_id, max(observations.observed_at) as waited_until
  from {{ ref('int_job_run_observations') }} as observations
  inner join {{ ref('stg_job_runs') }} as runs
    on observations.workspace_id = runs.workspace_id and observations.job_run_id = runs.job_run_id
  where observations.is_waiting
    -- The local clock may be ahead of the API's.
    and observations.observed_at < coalesce(runs.end_time, runs.observed_at)
  group by runs.workspace_id, runs.job_run_id
),

weighed as (
  select
    observed.*,
    waited.waited_until,
    coalesce(submit_time, end_time, observed_at) as charged_from,
    coalesce(end_time, observed_at) as known_until,
    -- Core-hours, or GiB-hours / 4.
    cast(
      case
        when cast(vcore_seconds as decimal(38, 0)) * 4096 > mb_seconds then {{ emr_usage.share_of('vcore_seconds', '1', '3600') }}
        else {{ emr_usage.share_of('mb_seconds', '1', '14745600') }}
      end
      as {{ emr_usage.type_amount() }}
    ) as cu_hours_undiscounted
  from {{ ref('stg_job_runs') }} as observed
  left join waited
    on observed.workspace_id = waited.workspace_id and observed.job_run_id = waited.job_run_id
),

discounted as (
  select
    *,
    {{ emr_usage.discount_factor('mb_seconds', '(cast(vcore_seconds as decimal(30, 0)) * 1024)') }} as discount_factor
  from weighed
)

select
  workspace_id,
  job_run_id,
  region_id,
  name,
  state,
  state_change_code,
  state_change_message,
  -- A run without an end is open too, whatever its state.
  coalesce(state, '') not in ('Submitted', 'Pending', 'Running', 'Cancelling') and end_time is not null as is_final,
  submit_time,
  end_time,
  charged_from,
  case when waited_until > charged_from then waited_until else charged_from end as used_from,
  case when known_until > charged_from then known_until else charged_from end as charged_until,
  cast(
    ({{ emr_usage.epoch_us('known_until') }} - {{ emr_usage.epoch_us('submit_time') }}) / 1000000.0 as decimal(18, 3)
  ) as duration_seconds,
  execution_timeout_seconds,
  code_type,
  creator,
  resource_queue_id,
  display_release_version,
  fusion,
  vcore_seconds,
  mb_seconds,
  case when {{ emr_usage.is_usable_figure('cu_hours', 'charged_from') }} then cu_hours end as cu_hours,
  cu_hours_undiscounted,
  cast(discount_factor as decimal(2, 1)) as discount_factor,
  -- The API rounds: a difference of a thousandth, or one per cent, is accepted.
  abs(cu_hours - cu_hours_undiscounted * discount_factor) <= 0.001 + 0.01 * cu_hours_undiscounted as discount_fits,
  arguments_digest,
  extra,
  observed_at
from discounted
