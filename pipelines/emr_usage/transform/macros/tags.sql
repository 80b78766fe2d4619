{# Keys and values of tags as they are compared: trimmed, composed (NFC), and folded, so that letter case does not count. The Python
   side is emr_usage/inputs/tags.py. #}
{% macro tag_form(value) %}
  {%- set text = emr_usage.composed(emr_usage.trimmed(value)) -%}
  {%- set several = emr_usage.folded_to_several() -%}
  {%- set folded = namespace(value="translate(" ~ text ~ ", '" ~ emr_usage.folded_from() ~ "', '" ~ emr_usage.folded_to() ~ "')") -%}
  {%- for letter, letters in several -%}
    {%- set folded.value = "replace(" ~ folded.value ~ ", '" ~ letter ~ "', '" ~ letters ~ "')" -%}
  {%- endfor -%}
  {#- Folding all letters takes 0.2 ms a text in DuckDB: it is for texts with others than A to Z, which come first. -#}
  {%- set others = emr_usage.folded_from()[26:] ~ several | map('first') | join -%}
  case
    when {{ emr_usage.has_match(text, '[' ~ others ~ ']') }} then {{ emr_usage.composed(folded.value) }}
    else {{ emr_usage.composed("translate(" ~ text ~ ", '" ~ emr_usage.folded_from()[:26] ~ "', '" ~ emr_usage.folded_to()[:26] ~ "')") }}
  end
{% endmacro %}

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
{% macro bigquery__composed(value) %}normalize({{ value }}, NFC){% endmacro %}
