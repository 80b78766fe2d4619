with per_creator as (
  select billing_month, workspace_id, coalesce(currency, '') as currency, sum(cu_hours) as cu_hours, sum(estimated_cost) as estimated_cost
  from {{ ref('spend_unallocated') }}
  group by 1, 2, 3
),

unallocated as (
  select billing_month, workspace_id, coalesce(currency, '') as currency, cu_hours, estimated_cost
  from {{ ref('chargeback_monthly') }}
  where owner = 'unallocated'
)

select unallocated.billing_month, unallocated.workspace_id, unallocated.cu_hours, per_creator.cu_hours as cu_hours_per_creator
from unallocated
full outer join per_creator
  on unallocated.billing_month = per_creator.billing_month
  and unallocated.workspace_id = per_creator.workspace_id
  and unallocated.currency = per_creator.currency
where unallocated.workspace_id is null
  or per_creator.workspace_id is null
  or unallocated.cu_hours <> per_creator.cu_hours
  or coalesce(unallocated.estimated_cost, 0) <> coalesce(per_creator.estimated_cost, 0)
