{# Usage by owner over a period, with the settlement adjustment beside it; unpriced usage is in separate rows, without a currency. #}
{% macro chargeback(period) %}
-- Runs are summed first, so that they can be counted without DISTINCT.
with used as (
  select
    workspace_id,
    job_run_id,
    {{ period }},
    currency,
    sum(cu_hours) as cu_hours,
    sum(case when pricing_status = 'unpriced' then cu_hours else 0 end) as cu_hours_unpriced,
    sum(estimated_cost) as estimated_cost
  from {{ ref('job_run_hours') }}
  group by workspace_id, job_run_id, {{ period }}, currency
),

charged_use as (
  select
    used.{{ period }},
    coalesce(costs.owner, 'unallocated') as owner,
    used.workspace_id,
    used.currency,
    cast(sum(used.cu_hours) as {{ emr_usage.type_amount() }}) as cu_hours,
    cast(sum(used.cu_hours_unpriced) as {{ emr_usage.type_amount() }}) as cu_hours_unpriced,
    cast(sum(used.estimated_cost) as {{ emr_usage.type_amount() }}) as estimated_cost,
    count(*) as job_runs
  from used
  inner join {{ ref('job_run_costs') }} as costs
    on used.workspace_id = costs.workspace_id and used.job_run_id = costs.job_run_id
  group by 1, 2, 3, 4
),

settled as (
  select
    {{ period }},
    owner,
    workspace_id,
    coalesce(currency, '') as currency,
    sum(cu_hours) as cu_hours,
    sum(settlement_adjustment) as settlement_adjustment
  from {{ ref('settlement_adjustments') }}
  group by 1, 2, 3, 4
)

select
  charged_use.*,
  {%- set nothing = '0' if var('settlement_adjustment') else 'null' %}
  cast(coalesce(settled.cu_hours, {{ nothing }}) as {{ emr_usage.type_amount() }}) as settlement_cu_hours,
  cast(
    case when charged_use.currency is not null then coalesce(settled.settlement_adjustment, {{ nothing }}) end
    as {{ emr_usage.type_amount() }}
  ) as settlement_adjustment
from charged_use
left join settled
  on charged_use.{{ period }} = settled.{{ period }}
  and charged_use.owner = settled.owner
  and charged_use.workspace_id = settled.workspace_id
  and coalesce(charged_use.currency, '') = settled.currency
{% endmacro %}
