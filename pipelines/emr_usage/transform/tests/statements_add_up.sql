{%- set amounts = ['cu_hours', 'cu_hours_unpriced', 'estimated_cost', 'settlement_cu_hours', 'settlement_adjustment'] -%}

with both_sides as (
  select billing_month, owner, workspace_id, currency
    {%- for amount in amounts %}, {{ amount }}{% endfor %}
  from {{ ref('stg_statement_lines') }}
  where cause is null
  union all
  select adjusted_month as billing_month, owner, workspace_id, currency
    {%- for amount in amounts %}, {{ amount }}{% endfor %}
  from {{ ref('chargeback_adjustments') }}
  union all
  select charged.billing_month, charged.owner, charged.workspace_id, charged.currency
    {%- for amount in amounts %}, -charged.{{ amount }} as {{ amount }}{% endfor %}
  from {{ ref('chargeback_monthly') }} as charged
  inner join {{ ref('stg_statements') }} as statements
    on charged.billing_month = statements.billing_month
),

invoiced as (
  select currency, sum(cu_hours + adjustment_cu_hours) as cu_hours, sum(coalesce(estimated_cost, 0) + coalesce(adjustment_cost, 0)) as cost
  from {{ ref('chargeback_invoiced') }}
  group by currency
),

charged as (
  select currency, sum(cu_hours) as cu_hours, sum(coalesce(estimated_cost, 0)) as cost
  from {{ ref('chargeback_monthly') }}
  group by currency
)

select billing_month, owner, workspace_id, currency
from both_sides
group by billing_month, owner, workspace_id, currency
having {% for amount in amounts %}coalesce(sum({{ amount }}), 0) <> 0{% if not loop.last %} or {% endif %}{% endfor %}

union all

select null as billing_month, null as owner, null as workspace_id, coalesce(invoiced.currency, charged.currency) as currency
from invoiced
full outer join charged
  on coalesce(invoiced.currency, '') = coalesce(charged.currency, '')
where coalesce(invoiced.cu_hours, 0) <> coalesce(charged.cu_hours, 0) or coalesce(invoiced.cost, 0) <> coalesce(charged.cost, 0)
