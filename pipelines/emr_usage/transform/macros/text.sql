{# Replace every match of a pattern; patterns use only syntax that all databases support. #}
{% macro replace_all(value, pattern, replacement) %}{{ return(adapter.dispatch('replace_all', 'emr_usage')(value, pattern, replacement)) }}{% endmacro %}
{% macro default__replace_all(value, pattern, replacement) %}regexp_replace({{ value }}, '{{ pattern }}', '{{ replacement }}'){% endmacro %}
{% macro duckdb__replace_all(value, pattern, replacement) %}regexp_replace({{ value }}, '{{ pattern }}', '{{ replacement }}', 'g'){% endmacro %}
{% macro postgres__replace_all(value, pattern, replacement) %}regexp_replace({{ value }}, '{{ pattern }}', '{{ replacement }}', 'g'){% endmacro %}

{# Whether a text has a match of a pattern anywhere. #}
{% macro has_match(value, pattern) %}{{ return(adapter.dispatch('has_match', 'emr_usage')(value, pattern)) }}{% endmacro %}
{% macro default__has_match(value, pattern) %}regexp_like({{ value }}, '{{ pattern }}'){% endmacro %}
{% macro duckdb__has_match(value, pattern) %}regexp_matches({{ value }}, '{{ pattern }}'){% endmacro %}
{% macro postgres__has_match(value, pattern) %}{{ value }} ~ '{{ pattern }}'{% endmacro %}
{% macro bigquery__has_match(value, pattern) %}regexp_contains({{ value }}, '{{ pattern }}'){% endmacro %}

{# A field of the JSON text of unknown fields. #}
{% macro extra_field(value, name) %}{{ return(adapter.dispatch('extra_field', 'emr_usage')(value, name)) }}{% endmacro %}
{% macro default__extra_field(value, name) %}get_json_object({{ value }}, '$.{{ name }}'){% endmacro %}
{% macro duckdb__extra_field(value, name) %}json_extract_string({{ value }}, '$.{{ name }}'){% endmacro %}
{% macro postgres__extra_field(value, name) %}(cast({{ value }} as json) ->> '{{ name }}'){% endmacro %}
{% macro snowflake__extra_field(value, name) %}json_extract_path_text({{ value }}, '{{ name }}'){% endmacro %}
{% macro bigquery__extra_field(value, name) %}json_value({{ value }}, '$.{{ name }}'){% endmacro %}

{# The pattern of LIKE for a glob of * and ?. An exclamation mark escapes, because a backslash means different things in the texts
   of different databases. #}
{% macro pattern_of(glob) %}{{ return(adapter.dispatch('pattern_of', 'emr_usage')(glob)) }}{% endmacro %}
{% macro default__pattern_of(glob) %}
  replace(replace(replace(replace(replace({{ glob }}, '!', '!!'), '%', '!%'), '_', '!_'), '*', '%'), '?', '_')
{% endmacro %}
{# BigQuery's LIKE knows the backslash only. #}
{% macro bigquery__pattern_of(glob) %}
  replace(replace(replace(replace(replace({{ glob }}, '\\', '\\\\'), '%', '\\%'), '_', '\\_'), '*', '%'), '?', '_')
{% endmacro %}

{% macro matches_pattern(value, pattern) %}{{ return(adapter.dispatch('matches_pattern', 'emr_usage')(value, pattern)) }}{% endmacro %}
{% macro default__matches_pattern(value, pattern) %}{{ value }} like {{ pattern }} escape '!'{% endmacro %}
{% macro bigquery__matches_pattern(value, pattern) %}{{ value }} like {{ pattern }}{% endmacro %}

{# White space in a pattern: in most databases' texts a backslash escapes the next character. #}
{% macro white_space() %}{{ return(adapter.dispatch('white_space', 'emr_usage')()) }}{% endmacro %}
{% macro default__white_space() %}{{ return('\\\\s') }}{% endmacro %}
{% macro duckdb__white_space() %}{{ return('\\s') }}{% endmacro %}
{% macro postgres__white_space() %}{{ return('\\s') }}{% endmacro %}
