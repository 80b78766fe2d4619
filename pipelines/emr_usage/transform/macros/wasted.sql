{# The wasted cost of runs, from rows of job_run_costs. No usage costs 0; unpriced usage costs null, and so does usage in
   several currencies, of several runs or of one. #}
{% macro wasted(is_waste) %}
  {%- set currencies = 'max(case when ' ~ is_waste ~ ' then currencies else 0 end)' -%}
  {%- set cost = 'case when ' ~ is_waste ~ ' then estimated_cost end' -%}
  {%- set currency = 'case when ' ~ is_waste ~ ' then currency end' -%}
  cast(sum(case when {{ is_waste }} then coalesce(cu_hours, 0) else 0 end) as {{ emr_usage.type_amount() }}) as cu_hours_wasted,
  cast(sum(case when {{ is_waste }} then cu_hours_unpriced else 0 end) as {{ emr_usage.type_amount() }}) as cu_hours_wasted_unpriced,
  case
    when sum(case when {{ is_waste }} then coalesce(cu_hours, 0) else 0 end) = 0 then 0
    when {{ currencies }} <= 1 then {{ emr_usage.sum_of_one_currency(cost, currency) }}
  end as estimated_cost_wasted,
  case when {{ currencies }} <= 1 then {{ emr_usage.one_currency(currency) }} end as currency
{% endmacro %}
