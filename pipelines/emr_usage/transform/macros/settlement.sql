{# The published discount factor for memory per core: 0.7 below 2 GiB, 0.8 below 3, 0.9 below 4, else 1. Compares products, because
   a quotient is rounded: many runs have exactly 4 GiB per core.

   mb_seconds: MiB-seconds; mb_seconds_of_cores: 1,024 for each core-second. #}
{% macro discount_factor(mb_seconds, mb_seconds_of_cores) %}
  case
    when not {{ mb_seconds_of_cores }} > 0 then null
    when {{ mb_seconds }} < 2 * {{ mb_seconds_of_cores }} then 0.7
    when {{ mb_seconds }} < 3 * {{ mb_seconds_of_cores }} then 0.8
    when {{ mb_seconds }} < 4 * {{ mb_seconds_of_cores }} then 0.9
    when {{ mb_seconds }} >= 4 * {{ mb_seconds_of_cores }} then 1.0
  end
{% endmacro %}

{# part / whole with twelve decimals, 1 when they are equal: the same in every database. Both are CU-hours. #}
{% macro fraction_of(part, whole) %}
  cast(
    cast({{ emr_usage.share_of('1000000', emr_usage.millionths(part), emr_usage.millionths(whole)) }} as decimal(13, 6)) * 0.000001
    as {{ emr_usage.type_fraction() }}
  )
{% endmacro %}

{# A decimal as a whole number of millionths. #}
{% macro millionths(value) %}{{ return(adapter.dispatch('millionths', 'emr_usage')(value)) }}{% endmacro %}
{% macro default__millionths(value) %}cast(({{ value }}) * 1000000 as decimal(38, 0)){% endmacro %}
{% macro duckdb__millionths(value) %}cast(cast({{ value }} as decimal(38, 6)) * 1000000 as hugeint){% endmacro %}

{# Tenths of MiB-seconds as CU-hours, rounded to six decimals; negative ones are rounded as positive ones are. #}
{% macro cu_hours_of(tenths) %}
  case when {{ tenths }} < 0 then -1 else 1 end * {{ emr_usage.share_of('abs(' ~ tenths ~ ')', '1', '147456000') }}
{% endmacro %}
