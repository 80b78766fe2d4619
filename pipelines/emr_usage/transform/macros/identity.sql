{# The name of a job behind the names of its runs: uuids, dates and times, long numbers and what is called a run or an attempt
   taken out. A short number stays: table_012 and table_013 are two jobs.

   report_20261101_3 and report_20261102_1 become report; load-2026-11-01T02:00 becomes load; sync retry 2 becomes sync. #}
{% macro normalised_name(name) %}
  {%- set separator = '[-_. #:/]' -%}
  {%- set hexadecimal = '[0-9a-fA-F]' -%}
  {%- set uuid = separator ~ '*' ~ hexadecimal ~ '{8}-?' ~ (hexadecimal ~ '{4}-?') * 3 ~ hexadecimal ~ '{12}' -%}
  {%- set date = '(19|20)[0-9]{2}[-_./]?[01][0-9]([-_./]?[0-3][0-9])?' -%}
  {%- set time = '([T _-]?[0-2][0-9](:?[0-5][0-9])?(:?[0-5][0-9])?Z?)?' -%}
  {%- set dated = separator ~ '*' ~ date ~ time ~ '([-_.#][0-9]{1,4}$)?' -%}
  {%- set counted = separator ~ '+(run|attempt|retry|try)' ~ separator ~ '*[0-9]+$' -%}
  {%- set long_number = '(' ~ separator ~ '+|#)[0-9]{8,}' -%}
  {%- set stripped = namespace(name=name) -%}
  {%- for pattern in [uuid, dated, counted, long_number, '^' ~ separator ~ '+'] -%}
    {%- set stripped.name = emr_usage.replace_all(stripped.name, pattern, '') -%}
  {%- endfor -%}
  coalesce(nullif(trim({{ stripped.name }}), ''), nullif(trim({{ name }}), ''))
{% endmacro %}

{# The reason of a failure: its message with ids, numbers, paths and addresses masked. #}
{% macro normalised_message(message) %}
  {%- set addresses = emr_usage.replace_all(message, '[a-zA-Z0-9]+://[^ ,;)]+', '<address>') -%}
  {%- set paths = emr_usage.replace_all(addresses, '(/[^ /,;:)]+)+/?', '<path>') -%}
  {%- set ids = emr_usage.replace_all(paths, '[0-9a-fA-F-]*[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F-]*', '<id>') -%}
  {%- set names = emr_usage.replace_all(ids, '[a-zA-Z]*[0-9]+[a-zA-Z][a-zA-Z0-9]*[0-9][a-zA-Z0-9]*', '<id>') -%}
  {%- set numbers = emr_usage.replace_all(names, '[0-9]+([.,][0-9]+)*', '<n>') -%}
  trim({{ emr_usage.replace_all(numbers, emr_usage.white_space() ~ '+', ' ') }})
{% endmacro %}
