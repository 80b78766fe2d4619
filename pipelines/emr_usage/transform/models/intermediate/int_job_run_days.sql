-- A rate applies to whole billing dates: on each, a run has one price.
with used as (
  select
    workspace_id,
    job_run_id,
    billing_date,
    billing_month,
    min(currency) as currency,
    min(price_per_cu_hour) as price_per_cu_hour,
    sum(cu_hours) as cu_hours,
    sum(estimated_cost) as estimated_cost
  from {{ ref('job_run_hours') }}
  group by workspace_id, job_run_id, billing_date, billing_month
),

settled as (
  select
    workspace_id,
    job_run_id,
    billing_date,
    sum(cu_hours) as cu_hours,
    sum(settlement_adjustment) as settlement_adjustment
  from {{ ref('settlement_adjustments') }}
  group by workspace_id, job_run_id, billing_date
)

select
  used.workspace_id,
  used.job_run_id,
  used.billing_date,
  used.billing_month,
  coalesce(costs.owner, 'unallocated') as owner,
  used.currency,
  used.price_per_cu_hour,
  cast(used.cu_hours as {{ emr_usage.type_amount() }}) as cu_hours,
  cast(coalesce(used.estimated_cost, 0) as {{ emr_usage.type_amount() }}) as estimated_cost,
  cast(coalesce(settled.cu_hours, 0) as {{ emr_usage.type_amount() }}) as settlement_cu_hours,
  cast(coalesce(settled.settlement_adjustment, 0) as {{ emr_usage.type_amount() }}) as settlement_adjustment
from used
inner join {{ ref('job_run_costs') }} as costs
  on used.workspace_id = costs.workspace_id and used.job_run_id = costs.job_run_id
left join settled
  on used.workspace_id = settled.workspace_id
  and used.job_run_id = settled.job_run_id
  and used.billing_date = settled.billing_date
