with runs as (
  select
    workspace_id,
    job_run_id,
    is_final,
    used_from,
    charged_until,
    {{ emr_usage.epoch_us('used_from') }} as from_us,
    case
      when charged_until > used_from then {{ emr_usage.epoch_us('charged_until') }}
      else {{ emr_usage.epoch_us('used_from') }} + 1
    end as until_us
  from {{ ref('int_job_runs') }}
  where cu_hours is null
    -- These have used nothing yet.
    and coalesce(state, '') not in ('Submitted', 'Pending')
),

hours as (
  {{ emr_usage.each_hour('runs', emr_usage.hour_number('from_us'), emr_usage.hour_number('until_us - 1')) }}
),

dates as (
  select distinct workspace_id, job_run_id, {{ emr_usage.billing_date(emr_usage.hour_start('hour_number')) }} as billing_date
  from hours
),

months as (
  select distinct workspace_id, job_run_id, {{ emr_usage.first_of('month', 'billing_date') }} as billing_month
  from dates
),

moments as (
  select observed_at as moment from {{ ref('int_job_runs') }}
  union all
  select finished_at as moment from {{ ref('stg_extraction_windows') }}
),

newest as (
  select {{ emr_usage.epoch_us('max(moment)') }} as loaded_us
  from moments
)

select
  months.billing_month,
  months.workspace_id,
  months.job_run_id,
  costs.job_run_name,
  costs.job_key,
  coalesce(costs.owner, 'unallocated') as owner,
  costs.state,
  costs.is_final,
  runs.used_from as ran_from,
  runs.charged_until as ran_until,
  not costs.is_final
    or runs.until_us + {{ var('settle_days') }} * 24 * {{ emr_usage.microseconds_an_hour() }} > newest.loaded_us as is_awaited
from months
inner join runs
  on months.workspace_id = runs.workspace_id and months.job_run_id = runs.job_run_id
inner join {{ ref('job_run_costs') }} as costs
  on months.workspace_id = costs.workspace_id and months.job_run_id = costs.job_run_id
cross join newest
