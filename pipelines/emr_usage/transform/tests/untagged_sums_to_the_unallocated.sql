with untagged as (
  select billing_month, workspace_id, coalesce(currency, '') as currency, sum(cu_hours) as cu_hours, sum(estimated_cost) as estimated_cost
  from {{ ref('spend_untagged') }}
  group by 1, 2, 3
),

unallocated as (
  select billing_month, workspace_id, coalesce(currency, '') as currency, cu_hours, estimated_cost
  from {{ ref('chargeback_monthly') }}
  where owner = 'unallocated'
)

select unallocated.billing_month, unallocated.workspace_id, unallocated.cu_hours, untagged.cu_hours as cu_hours_untagged
from unallocated
full outer join untagged
  on unallocated.billing_month = untagged.billing_month
  and unallocated.workspace_id = untagged.workspace_id
  and unallocated.currency = untagged.currency
where unallocated.workspace_id is null
  or untagged.workspace_id is null
  or unallocated.cu_hours <> untagged.cu_hours
  or coalesce(unallocated.estimated_cost, 0) <> coalesce(untagged.estimated_cost, 0)
