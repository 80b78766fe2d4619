{# CU-hours times a price, with all sixteen decimals. #}
{% macro priced_at(cu_hours, price) %}{{ return(adapter.dispatch('priced_at', 'emr_usage')(cu_hours, price)) }}{% endmacro %}
{% macro default__priced_at(cu_hours, price) %}{{ cu_hours }} * {{ price }}{% endmacro %}
{# DuckDB keeps a product of two decimals of 18 digits within 18 digits. #}
{% macro duckdb__priced_at(cu_hours, price) %}cast({{ cu_hours }} as decimal(38, 6)) * {{ price }}{% endmacro %}

{# amount * part / whole, rounded to six decimals: the same in every database, the amount itself when part = whole. #}
{% macro share_of(amount, part, whole) %}{{ return(adapter.dispatch('share_of', 'emr_usage')(amount, part, whole)) }}{% endmacro %}
{% macro default__share_of(amount, part, whole) %}
  case
    when {{ part }} = {{ whole }} then {{ amount }}
    else cast(round({{ amount }} * {{ part }} / {{ whole }}, 6) as {{ emr_usage.type_amount() }})
  end
{% endmacro %}
{# DuckDB divides decimals as floating point; whole millionths in 128-bit integers are exact, but slow. #}
{% macro duckdb__share_of(amount, part, whole) %}
  case
    when {{ part }} = 0 then 0
    when {{ part }} = {{ whole }} then {{ amount }}
    else cast(
      cast(
        (2 * cast(cast({{ amount }} as decimal(38, 6)) * 1000000 as hugeint) * ({{ part }}) + ({{ whole }})) // (2 * ({{ whole }}))
        as decimal(32, 0)
      ) * 0.000001 as decimal(38, 6)
    )
  end
{% endmacro %}

{# A quotient of two numeric values has sixteen digits in PostgreSQL, and would be rounded twice. #}
{% macro postgres__share_of(amount, part, whole) %}
  case
    when {{ part }} = {{ whole }} then {{ amount }}
    else cast(div(2 * cast({{ amount }} as numeric) * 1000000 * ({{ part }}) + ({{ whole }}), 2 * ({{ whole }})) * 0.000001 as decimal(38, 6))
  end
{% endmacro %}

{# Spark divides integers as floating point. #}
{% macro spark__share_of(amount, part, whole) %}
  case
    when {{ part }} = {{ whole }} then {{ amount }}
    else cast(round(cast({{ amount }} as decimal(38, 6)) * {{ part }} / {{ whole }}, 6) as {{ emr_usage.type_amount() }})
  end
{% endmacro %}

{# The mean of decimals, rounded to six; without any there is none. #}
{% macro mean(value) %}{{ emr_usage.share_of('sum(' ~ value ~ ')', '1', 'nullif(count(' ~ value ~ '), 0)') }}{% endmacro %}

{# A sum of money, if all of it is in one currency, else null. #}
{% macro sum_of_one_currency(amount, currency) %}
  case when min({{ currency }}) = max({{ currency }}) then cast(sum({{ amount }}) as {{ emr_usage.type_amount() }}) end
{% endmacro %}
{% macro one_currency(currency) %}case when min({{ currency }}) = max({{ currency }}) then min({{ currency }}) end{% endmacro %}

{% macro percentile(value, fraction) %}{{ return(adapter.dispatch('percentile', 'emr_usage')(value, fraction)) }}{% endmacro %}
{% macro default__percentile(value, fraction) %}cast(percentile_cont({{ fraction }}) within group (order by {{ value }}) as decimal(18, 3)){% endmacro %}
{# DuckDB cuts decimals off between two values instead of rounding. #}
{% macro duckdb__percentile(value, fraction) %}cast(quantile_cont(cast({{ value }} as double), {{ fraction }}) as decimal(18, 3)){% endmacro %}
{# BigQuery has exact percentiles as window functions only. #}
{% macro bigquery__percentile(value, fraction) %}cast(approx_quantiles({{ value }}, 100)[offset(cast({{ fraction }} * 100 as int64))] as numeric){% endmacro %}
