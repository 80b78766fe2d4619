{# The change of an amount that is due to its CU-hours: all of it at the same rate, else theirs at the rate of the statement. #}
{% macro at_price_before(amount, cu_hours) %}
  case
    when is_same_rate then {{ amount }} - {{ amount }}_before
    else coalesce(round({{ emr_usage.priced_at('(' ~ cu_hours ~ ' - ' ~ cu_hours ~ '_before)', 'price_before') }}, 6), 0)
  end
{% endmacro %}

{# Rows that add the present use to an owner and currency, or take it off.

   sign: nothing or a minus. amounts: the cost and the settlement adjustment of that use. #}
{% macro moved_amount(cause, owner, currency, sign, amounts, where) %}
  select
    billing_month as adjusted_month,
    '{{ cause }}' as cause,
    {{ owner }} as owner,
    workspace_id,
    {{ currency }} as currency,
    {{ sign }} cu_hours as cu_hours,
    {{ sign }} ({{ amounts[0] }}) as estimated_cost,
    {{ sign }} settlement_cu_hours as settlement_cu_hours,
    {{ sign }} ({{ amounts[1] }}) as settlement_adjustment
  from costed
  where {{ where }}
{% endmacro %}
