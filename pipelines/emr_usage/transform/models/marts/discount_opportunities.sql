with runs as (
  select workspace_id, job_run_id
  from {{ ref('int_job_runs') }}
  where discount_fits and discount_factor = 1
),

shared as (
  select
    hours.workspace_id,
    hours.job_run_id,
    hours.hour_start,
    hours.billing_month,
    hours.cu_hours,
    hours.currency,
    hours.price_per_cu_hour,
    cast(
      round(totals.cu_hours_above_discount * {{ emr_usage.fraction_of('hours.cu_hours', 'totals.cu_hours_from_4_gib') }}, 6)
      as {{ emr_usage.type_amount() }}
    ) as cu_hours_avoidable
  from {{ ref('job_run_hours') }} as hours
  inner join {{ ref('workspace_hours') }} as totals
    on hours.workspace_id = totals.workspace_id and hours.hour_start = totals.hour_start
  inner join runs
    on hours.workspace_id = runs.workspace_id and hours.job_run_id = runs.job_run_id
  where totals.cu_hours_above_discount > 0 and hours.cu_hours > 0
)

select
  shared.billing_month,
  shared.workspace_id,
  costs.job_key,
  shared.currency,
  count(distinct shared.hour_start) as hours_at_full_price,
  count(distinct shared.job_run_id) as job_runs,
  cast(sum(shared.cu_hours) as {{ emr_usage.type_amount() }}) as cu_hours,
  cast(sum(shared.cu_hours_avoidable) as {{ emr_usage.type_amount() }}) as cu_hours_avoidable,
  cast(sum(round(shared.cu_hours_avoidable * shared.price_per_cu_hour, 6)) as {{ emr_usage.type_amount() }}) as estimated_saving
from shared
inner join {{ ref('job_run_costs') }} as costs
  on shared.workspace_id = costs.workspace_id and shared.job_run_id = costs.job_run_id
group by 1, 2, 3, 4
