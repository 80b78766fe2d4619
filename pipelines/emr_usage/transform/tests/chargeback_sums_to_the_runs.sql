with sums as (
  select 'runs' as what, sum(cu_hours) as cu_hours, sum(estimated_cost) as estimated_cost, sum(cu_hours_unpriced) as cu_hours_unpriced
  from {{ ref('job_run_costs') }}
  union all
  select 'days' as what, sum(cu_hours) as cu_hours, sum(estimated_cost) as estimated_cost, sum(cu_hours_unpriced) as cu_hours_unpriced
  from {{ ref('chargeback_daily') }}
  union all
  select 'months' as what, sum(cu_hours) as cu_hours, sum(estimated_cost) as estimated_cost, sum(cu_hours_unpriced) as cu_hours_unpriced
  from {{ ref('chargeback_monthly') }}
  union all
  select
    'rates' as what,
    sum(cu_hours) as cu_hours,
    sum(estimated_cost) as estimated_cost,
    sum(case when rate_row_number is null then cu_hours else 0 end) as cu_hours_unpriced
  from {{ ref('rates_by_month') }}
)

select sums.*
from sums
inner join sums as runs
  on runs.what = 'runs'
where coalesce(sums.cu_hours, 0) <> coalesce(runs.cu_hours, 0)
  or coalesce(sums.estimated_cost, 0) <> coalesce(runs.estimated_cost, 0)
  or coalesce(sums.cu_hours_unpriced, 0) <> coalesce(runs.cu_hours_unpriced, 0)
