{# Usage by owner over a period; what no rate priced is in rows of its own, without a currency. #}
{% macro chargeback(period) %}
select
  hours.{{ period }},
  coalesce(costs.owner, 'unallocated') as owner,
  hours.workspace_id,
  hours.currency,
  cast(sum(hours.cu_hours) as {{ emr_usage.type_exact() }}) as cu_hours,
  cast(sum(case when hours.pricing_status = 'unpriced' then hours.cu_hours else 0 end) as {{ emr_usage.type_exact() }}) as cu_hours_unpriced,
  cast(sum(hours.estimated_cost) as {{ emr_usage.type_exact() }}) as estimated_cost,
  count(distinct hours.job_run_id) as job_runs
from {{ ref('job_run_hours') }} as hours
inner join {{ ref('job_run_costs') }} as costs
  on hours.workspace_id = costs.workspace_id and hours.job_run_id = costs.job_run_id
group by 1, 2, 3, 4
{% endmacro %}
