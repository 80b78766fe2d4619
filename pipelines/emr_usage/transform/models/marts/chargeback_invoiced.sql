{%- set amounts = ['cu_hours', 'cu_hours_unpriced', 'estimated_cost', 'settlement_cu_hours', 'settlement_adjustment'] -%}

with lines as (
  select billing_month, cause, owner, workspace_id, currency, {{ amounts | join(', ') }}
  from {{ ref('stg_statement_lines') }}

  union all

  select charged.billing_month, cast(null as {{ dbt.type_string() }}) as cause, charged.owner, charged.workspace_id, charged.currency,
    charged.{{ amounts | join(', charged.') }}
  from {{ ref('chargeback_monthly') }} as charged
  where not exists (
    select 1 from {{ ref('stg_statements') }} as statements where charged.billing_month = statements.billing_month
  )

  union all

  select booked_month as billing_month, cause, owner, workspace_id, currency, {{ amounts | join(', ') }}
  from {{ ref('chargeback_adjustments') }}
  where not is_frozen
),

summed as (
  select
    billing_month,
    owner,
    workspace_id,
    currency
    {%- for amount in amounts %},
    sum(case when cause is null then {{ amount }} end) as {{ amount }},
    sum(case when cause is not null then {{ amount }} end) as adjustment_{{ amount }}
    {%- endfor %}
  from lines
  group by billing_month, owner, workspace_id, currency
)

select
  summed.billing_month,
  summed.owner,
  summed.workspace_id,
  summed.currency
  {%- for amount in amounts %},
  {%- set value = 'coalesce(summed.' ~ amount ~ ', 0)' if amount.startswith('cu_hours') else 'summed.' ~ amount %}
  cast({{ value }} as {{ emr_usage.type_amount() }}) as {{ amount }}
  {%- endfor %},
  cast(coalesce(summed.adjustment_cu_hours, 0) as {{ emr_usage.type_amount() }}) as adjustment_cu_hours,
  cast(
    case when summed.currency is not null then coalesce(summed.adjustment_estimated_cost, 0) end as {{ emr_usage.type_amount() }}
  ) as adjustment_cost,
  cast(
    case when summed.currency is not null then coalesce(summed.adjustment_settlement_adjustment, 0) end
    as {{ emr_usage.type_amount() }}
  ) as adjustment_settlement,
  statements.billing_month is not null as is_closed
from summed
left join {{ ref('stg_statements') }} as statements
  on summed.billing_month = statements.billing_month
