{# Decimals of six places, as the raw tables have them: money and CU-hours are never floating point. #}
{% macro type_exact() %}{{ return(adapter.dispatch('type_exact', 'emr_usage')()) }}{% endmacro %}
{% macro default__type_exact() %}decimal(18, 6){% endmacro %}
{% macro bigquery__type_exact() %}numeric(18, 6){% endmacro %}

{% macro type_moment() %}{{ return(adapter.dispatch('type_moment', 'emr_usage')()) }}{% endmacro %}
{% macro default__type_moment() %}timestamp{% endmacro %}
{% macro duckdb__type_moment() %}timestamptz{% endmacro %}
{% macro postgres__type_moment() %}timestamptz{% endmacro %}
{% macro snowflake__type_moment() %}timestamp_tz{% endmacro %}

{# Types by the words the staging models use. #}
{% macro type_named(word) %}
  {%- if word == 'text' -%}{{ dbt.type_string() }}
  {%- elif word == 'integer' -%}{{ dbt.type_bigint() }}
  {%- elif word == 'flag' -%}{{ dbt.type_boolean() }}
  {%- elif word == 'date' -%}date
  {%- elif word == 'exact' -%}{{ emr_usage.type_exact() }}
  {%- elif word == 'moment' -%}{{ emr_usage.type_moment() }}
  {%- endif -%}
{% endmacro %}
