{# CU-hours of one run, as the raw tables have them: money and CU-hours are never floating point. #}
{% macro type_exact() %}{{ return(adapter.dispatch('type_exact', 'emr_usage')()) }}{% endmacro %}
{% macro default__type_exact() %}decimal(18, 6){% endmacro %}
{% macro bigquery__type_exact() %}numeric(18, 6){% endmacro %}

{# A price of a CU-hour: ten decimals, and below 10^8, so that a product with any CU-hours has less than 38 digits. #}
{% macro type_price() %}{{ return(adapter.dispatch('type_price', 'emr_usage')()) }}{% endmacro %}
{% macro default__type_price() %}decimal(18, 10){% endmacro %}
{% macro bigquery__type_price() %}bignumeric(18, 10){% endmacro %}

{# Money, and sums of CU-hours: as wide as DuckDB's decimals are. #}
{% macro type_amount() %}{{ return(adapter.dispatch('type_amount', 'emr_usage')()) }}{% endmacro %}
{% macro default__type_amount() %}decimal(38, 6){% endmacro %}
{% macro bigquery__type_amount() %}bignumeric(38, 6){% endmacro %}

{# A fraction of 1. #}
{% macro type_fraction() %}{{ return(adapter.dispatch('type_fraction', 'emr_usage')()) }}{% endmacro %}
{% macro default__type_fraction() %}decimal(13, 12){% endmacro %}
{% macro bigquery__type_fraction() %}bignumeric(13, 12){% endmacro %}

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
  {%- elif word == 'amount' -%}{{ emr_usage.type_amount() }}
  {%- elif word == 'price' -%}{{ emr_usage.type_price() }}
  {%- elif word == 'moment' -%}{{ emr_usage.type_moment() }}
  {%- endif -%}
{% endmacro %}
