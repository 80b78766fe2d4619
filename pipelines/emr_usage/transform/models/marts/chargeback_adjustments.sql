-- A change is split in a fixed order, so that the parts add up exactly: first the use at the rate and owner of the statement, then the
-- rate, then the owner.
with compared as (
  select
    *,
    coalesce(currency_before, '') = coalesce(currency, '')
      and coalesce(price_before, -1) = coalesce(price_per_cu_hour, -1) as is_same_rate
  from {{ ref('adjusted_job_runs') }}
),

costed as (
  select
    *,
    {{ emr_usage.at_price_before('estimated_cost', 'cu_hours') }} as cost_of_use,
    {{ emr_usage.at_price_before('settlement_adjustment', 'settlement_cu_hours') }} as settlement_of_use
  from compared
),

ranked as (
  select *, row_number() over (order by billing_month desc) as recency
  from {{ ref('stg_statements') }}
),

-- The figures of all closed months were last frozen with the newest statement.
newest as (
  select
    ranked.billing_month,
    ranked.billing_time_zone <> inputs.billing_time_zone or ranked.models_version <> inputs.split_version as is_split_otherwise,
    ranked.billing_time_zone <> inputs.billing_time_zone or ranked.models_version <> inputs.split_version
      or ranked.settlement_adjustment <> {{ 'true' if var('settlement_adjustment') else 'false' }} as is_settled_otherwise
  from ranked
  cross join {{ ref('int_input_versions') }} as inputs
  where ranked.recency = 1
),

open_month as (
  select
    coalesce(
      min(months.billing_month),
      min(cast({{ dbt.dateadd('month', 1, 'newest.billing_month') }} as date))
    ) as billing_month
  from newest
  left join {{ ref('billing_months') }} as months
    on months.billing_month > newest.billing_month
),

effects as (
  select
    costed.billing_month as adjusted_month,
    case when newest.is_split_otherwise then 'settings' else 'late_figures' end as cause,
    costed.owner_before as owner,
    costed.workspace_id,
    costed.currency_before as currency,
    costed.cu_hours - costed.cu_hours_before as cu_hours,
    costed.cost_of_use as estimated_cost,
    0 as settlement_cu_hours,
    0 as settlement_adjustment
  from costed
  cross join newest
  union all
  select
    costed.billing_month as adjusted_month,
    case when newest.is_settled_otherwise then 'settings' else 'late_figures' end as cause,
    costed.owner_before as owner,
    costed.workspace_id,
    costed.currency_before as currency,
    0 as cu_hours,
    0 as estimated_cost,
    costed.settlement_cu_hours - costed.settlement_cu_hours_before as settlement_cu_hours,
    costed.settlement_of_use as settlement_adjustment
  from costed
  cross join newest
  union all
  {%- set at_rate_before = ['estimated_cost_before + cost_of_use', 'settlement_adjustment_before + settlement_of_use'] %}
  {%- set now = ['estimated_cost', 'settlement_adjustment'] %}
  {{- emr_usage.moved_amount('rate', 'owner_before', 'currency_before', '-', at_rate_before, 'not is_same_rate') }}
  union all
  {{- emr_usage.moved_amount('rate', 'owner_before', 'currency', '', now, 'not is_same_rate') }}
  union all
  {{- emr_usage.moved_amount('owner', 'owner_before', 'currency', '-', now, 'owner_before <> owner') }}
  union all
  {{- emr_usage.moved_amount('owner', 'owner', 'currency', '', now, 'owner_before <> owner') }}
),

summed as (
  select
    adjusted_month,
    cause,
    owner,
    workspace_id,
    currency,
    cast(sum(cu_hours) as {{ emr_usage.type_amount() }}) as cu_hours,
    cast(sum(estimated_cost) as {{ emr_usage.type_amount() }}) as estimated_cost,
    cast(sum(settlement_cu_hours) as {{ emr_usage.type_amount() }}) as settlement_cu_hours,
    cast(sum(settlement_adjustment) as {{ emr_usage.type_amount() }}) as settlement_adjustment
  from effects
  group by adjusted_month, cause, owner, workspace_id, currency
)

select
  billing_month as booked_month,
  adjusted_month,
  cause,
  owner,
  workspace_id,
  currency,
  cu_hours,
  cu_hours_unpriced,
  estimated_cost,
  settlement_cu_hours,
  settlement_adjustment,
  true as is_frozen
from {{ ref('stg_statement_lines') }}
where cause is not null

union all

select
  open_month.billing_month as booked_month,
  summed.adjusted_month,
  summed.cause,
  summed.owner,
  summed.workspace_id,
  summed.currency,
  summed.cu_hours,
  case when summed.currency is null then summed.cu_hours else 0 end as cu_hours_unpriced,
  case when summed.currency is not null then summed.estimated_cost end as estimated_cost,
  summed.settlement_cu_hours,
  case when summed.currency is not null then summed.settlement_adjustment end as settlement_adjustment,
  false as is_frozen
from summed
cross join open_month
where summed.cu_hours <> 0
  or summed.estimated_cost <> 0
  or summed.settlement_cu_hours <> 0
  or summed.settlement_adjustment <> 0
