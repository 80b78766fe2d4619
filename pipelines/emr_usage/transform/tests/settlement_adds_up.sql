with shared as (
  select workspace_id, hour_start, sum(cu_hours) as cu_hours
  from {{ ref('settlement_adjustments') }}
  group by workspace_id, hour_start
),

adjusted as (
  select
    'days' as what,
    (select coalesce(sum(settlement_cu_hours), 0) from {{ ref('chargeback_daily') }}) as cu_hours,
    (select coalesce(sum(settlement_adjustment), 0) from {{ ref('chargeback_daily') }}) as amount
  union all
  select
    'months' as what,
    (select coalesce(sum(settlement_cu_hours), 0) from {{ ref('chargeback_monthly') }}) as cu_hours,
    (select coalesce(sum(settlement_adjustment), 0) from {{ ref('chargeback_monthly') }}) as amount
),

expected as (
  select coalesce(sum(cu_hours), 0) as cu_hours, coalesce(sum(settlement_adjustment), 0) as amount
  from {{ ref('settlement_adjustments') }}
)

select hours.workspace_id as place, hours.cu_hours_difference as expected, coalesce(shared.cu_hours, 0) as found
from {{ ref('workspace_hours') }} as hours
left join shared
  on hours.workspace_id = shared.workspace_id and hours.hour_start = shared.hour_start
where {{ 'hours.cu_hours_difference' if var('settlement_adjustment') else '0' }} <> coalesce(shared.cu_hours, 0)

union all

select adjusted.what as place, expected.amount as expected, adjusted.amount as found
from adjusted
cross join expected
where adjusted.cu_hours <> expected.cu_hours or adjusted.amount <> expected.amount
