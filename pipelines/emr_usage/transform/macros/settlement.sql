{# The published discount factor for memory per core: 0.7 below 2 GiB, 0.8 below 3, 0.9 below 4, else 1. Compares products, because
   a quotient is rounded: many runs have exactly 4 GiB per core. Both times in MiB-seconds and core-seconds times 1024. #}
{% macro discount_factor(mb_seconds, core_seconds_1024) %}
  case
    when not {{ core_seconds_1024 }} > 0 then null
    when {{ mb_seconds }} < 2 * {{ core_seconds_1024 }} then 0.7
    when {{ mb_seconds }} < 3 * {{ core_seconds_1024 }} then 0.8
    when {{ mb_seconds }} < 4 * {{ core_seconds_1024 }} then 0.9
    when {{ mb_seconds }} >= 4 * {{ core_seconds_1024 }} then 1.0
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

{# MiB-seconds as CU-hours, rounded to six decimals; negative ones are rounded as positive ones are. #}
{% macro cu_hours_of(mb_seconds) %}
  case when {{ mb_seconds }} < 0 then -1 else 1 end * {{ emr_usage.share_of('abs(' ~ mb_seconds ~ ')', '1', '14745600') }}
{% endmacro %}
