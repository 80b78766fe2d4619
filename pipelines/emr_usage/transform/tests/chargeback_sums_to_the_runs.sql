with sums as (
  select 'runs' as what, currency, sum(cu_hours) as cu_hours, sum(estimated_cost) as estimated_cost
  from {{ ref('job_run_amounts') }}
  group by currency
  union all
  select 'days' as what, currency, sum(cu_hours) as cu_hours, sum(estimated_cost) as estimated_cost
  from {{ ref('chargeback_daily') }}
  group by currency
  union all
  select 'months' as what, currency, sum(cu_hours) as cu_hours, sum(estimated_cost) as estimated_cost
  from {{ ref('chargeback_monthly') }}
  group by currency
  union all
  select 'rates' as what, currency, sum(cu_hours) as cu_hours, sum(estimated_cost) as estimated_cost
  from {{ ref('rates_by_month') }}
  group by currency
),

compared as (
  select
    currency,
    count(*) as sums,
    min(cu_hours) as least_cu_hours,
    max(cu_hours) as most_cu_hours,
    min(coalesce(estimated_cost, 0)) as least_cost,
    max(coalesce(estimated_cost, 0)) as most_cost
  from sums
  group by currency
),

used as (
  select sum(cu_hours) as cu_hours, sum(cu_hours_unpriced) as cu_hours_unpriced
  from {{ ref('job_run_costs') }}
),

charged as (
  select sum(cu_hours) as cu_hours, sum(cu_hours_unpriced) as cu_hours_unpriced
  from {{ ref('chargeback_monthly') }}
)

select currency, least_cu_hours, most_cu_hours, least_cost, most_cost
from compared
where sums <> 4 or least_cu_hours <> most_cu_hours or least_cost <> most_cost

union all

select null as currency, used.cu_hours, charged.cu_hours, used.cu_hours_unpriced, charged.cu_hours_unpriced
from used
cross join charged
where coalesce(used.cu_hours, 0) <> coalesce(charged.cu_hours, 0)
  or coalesce(used.cu_hours_unpriced, 0) <> coalesce(charged.cu_hours_unpriced, 0)
