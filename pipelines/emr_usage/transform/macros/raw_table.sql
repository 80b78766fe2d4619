{# Select columns of a raw table, as null where the table or the column is not there (yet): inputs are optional, and dlt makes a
   table when its first row comes.

   columns: names and the words of `type_named`. #}
{% macro raw_table(name, columns) %}
  {%- set table = source('emr_raw', name) -%}
  {%- set found = load_relation(table) if execute else none -%}
  {%- set there = adapter.get_columns_in_relation(found) | map(attribute='name') | map('lower') | list if found else [] -%}
  select
    {%- for column, word in columns.items() %}
    cast({{ column if column in there else 'null' }} as {{ emr_usage.type_named(word) }}) as {{ column }}
    {%- if not loop.last %},{% endif %}
    {%- endfor %}
  {%- if found %}
  from {{ table }}
  {%- else %}
  from (select 1 as nothing) as absent
  where 1 = 0
  {%- endif %}
{% endmacro %}
