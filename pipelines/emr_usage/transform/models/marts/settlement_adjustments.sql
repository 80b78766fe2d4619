-- Of an hour's difference each run has the part of its use, as the difference of two rounded running sums: the parts add up exactly.
with running as (
  select
    hours.workspace_id,
    hours.job_run_id,
    hours.hour_start,
    hours.billing_date,
    hours.billing_month,
    hours.currency,
    hours.price_per_cu_hour,
    totals.cu_hours_difference,
    totals.cu_hours as used_in_all,
    hours.cu_hours as used,
    sum(hours.cu_hours) over (
      partition by hours.workspace_id, hours.hour_start order by hours.job_run_id rows between unbounded preceding and current row
    ) as used_until
  from {{ ref('job_run_hours') }} as hours
  inner join {{ ref('workspace_hours') }} as totals
    on hours.workspace_id = totals.workspace_id and hours.hour_start = totals.hour_start
  where {{ 'totals.cu_hours_difference <> 0' if var('settlement_adjustment') else '1 = 0' }}
    and hours.cu_hours > 0
),

shared as (
  select
    *,
    cast(
      round(cu_hours_difference * {{ emr_usage.fraction_of('used_until', 'used_in_all') }}, 6)
      - round(cu_hours_difference * {{ emr_usage.fraction_of('used_until - used', 'used_in_all') }}, 6)
      as {{ emr_usage.type_amount() }}
    ) as cu_hours
  from running
)

select
  shared.workspace_id,
  shared.job_run_id,
  shared.hour_start,
  shared.billing_date,
  shared.billing_month,
  coalesce(costs.owner, 'unallocated') as owner,
  shared.cu_hours,
  shared.currency,
  cast(round(shared.cu_hours * shared.price_per_cu_hour, 6) as {{ emr_usage.type_amount() }}) as settlement_adjustment
from shared
inner join {{ ref('job_run_costs') }} as costs
  on shared.workspace_id = costs.workspace_id and shared.job_run_id = costs.job_run_id
where shared.cu_hours <> 0
