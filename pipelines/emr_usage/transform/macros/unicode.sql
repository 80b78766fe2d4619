{# A text without white space at its ends. #}
{% macro trimmed(value) %}{{ return(adapter.dispatch('trimmed', 'emr_usage')(value)) }}{% endmacro %}
{% macro default__trimmed(value) %}trim(both '{{ emr_usage.white_spaces() }}' from {{ value }}){% endmacro %}
{% macro duckdb__trimmed(value) %}trim({{ value }}, '{{ emr_usage.white_spaces() }}'){% endmacro %}
{% macro snowflake__trimmed(value) %}trim({{ value }}, '{{ emr_usage.white_spaces() }}'){% endmacro %}
{% macro bigquery__trimmed(value) %}trim({{ value }}, '{{ emr_usage.white_spaces() }}'){% endmacro %}

{# A text in Unicode's normal form C, in databases that know it. #}
{% macro composed(value) %}{{ return(adapter.dispatch('composed', 'emr_usage')(value)) }}{% endmacro %}
{% macro default__composed(value) %}{{ value }}{% endmacro %}
{% macro duckdb__composed(value) %}nfc_normalize({{ value }}){% endmacro %}
{% macro postgres__composed(value) %}normalize({{ value }}, NFC){% endmacro %}
{# Spark has no function for it. #}
{% macro spark__composed(value) %}{{ var('nfc_function') ~ '(' ~ value ~ ')' if var('nfc_function') else value }}{% endmacro %}
{% macro bigquery__composed(value) %}normalize({{ value }}, NFC){% endmacro %}
