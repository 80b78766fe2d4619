with hours as (
  select
    workspace_id,
    job_run_id,
    sum(estimated_cost) as estimated_cost,
    sum(case when pricing_status = 'unpriced' then cu_hours else 0 end) as cu_hours_unpriced,
    sum(cu_hours * price_per_cu_hour) as exact_cost
  from {{ ref('job_run_hours') }}
  group by workspace_id, job_run_id
)

select costs.workspace_id, costs.job_run_id, costs.estimated_cost, hours.estimated_cost as estimated_cost_of_hours
from {{ ref('job_run_costs') }} as costs
left join hours
  on costs.workspace_id = hours.workspace_id and costs.job_run_id = hours.job_run_id
where (costs.estimated_cost is null) <> (hours.estimated_cost is null)
  or costs.estimated_cost <> hours.estimated_cost
  or costs.cu_hours_unpriced <> coalesce(hours.cu_hours_unpriced, 0)
  -- All roundings of a run come to half of the last decimal.
  or abs(hours.estimated_cost - hours.exact_cost) > 0.0000005
