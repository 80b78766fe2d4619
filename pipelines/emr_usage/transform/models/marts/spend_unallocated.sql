select
  hours.billing_month,
  hours.workspace_id,
  costs.creator,
  cast(sum(hours.cu_hours) as {{ emr_usage.type_amount() }}) as cu_hours,
  cast(sum(hours.estimated_cost) as {{ emr_usage.type_amount() }}) as estimated_cost,
  hours.currency,
  count(distinct hours.job_run_id) as job_runs
from {{ ref('job_run_hours') }} as hours
inner join {{ ref('job_run_costs') }} as costs
  on hours.workspace_id = costs.workspace_id and hours.job_run_id = costs.job_run_id
where costs.owner_rule_number is null
group by hours.billing_month, hours.workspace_id, costs.creator, hours.currency
