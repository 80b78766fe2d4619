{# Select columns of a raw table, as null where the table or the column is not there (yet): inputs are optional, and dlt makes a
   table when its first row comes.

   columns: names and the words of `type_named`.
   key, child_of: see `latest_rows`; without a key the table is always replaced as a whole.
   dataset: the dbt source. #}
{% macro raw_table(name, columns, key=none, child_of=none, dataset='emr_raw') %}
  {%- set table = source(dataset, name) -%}
  {%- set found = load_relation(table) if execute else none -%}
  {%- set there = adapter.get_columns_in_relation(found) | map(attribute='name') | map('lower') | list if found else [] -%}
  select
    {%- for column, word in columns.items() %}
    cast({{ column if column in there else 'null' }} as {{ emr_usage.type_named(word) }}) as {{ column }}
    {%- if not loop.last %},{% endif %}
    {%- endfor %}
  {%- if found and key and var('raw_is_append_only') %}
  from {{ emr_usage.latest_rows(table, key, child_of) }}
  {%- elif found %}
  from {{ table }}
  {%- else %}
  from (select 1 as nothing) as absent
  where 1 = 0
  {%- endif %}
{% endmacro %}

{# The current rows of a table to which every load appends: of each key the one that was observed last. Children belong to the
   latest row of their parent: those that were observed with it, without tombstones. A load that was killed and repeated may have
   written a row twice.

   key: columns that identify a row. child_of: the key of the parent, in job_runs. #}
{% macro latest_rows(table, key, child_of=none) %}
  {%- set version = key + ['observed_at'] if child_of else key -%}
  (
    select ranked.*
    from (
      select
        every_version.*,
        row_number() over (partition by {{ version | join(', ') }} order by observed_at desc, _dlt_load_id desc) as version_rank
      from {{ table }} as every_version
    ) as ranked
    {%- if child_of %}
    inner join (
      select {{ child_of | join(', ') }}, max(observed_at) as observed_at
      from {{ source('emr_raw', 'job_runs') }}
      group by {{ child_of | join(', ') }}
    ) as parents
      on ranked.observed_at = parents.observed_at
      {%- for column in child_of %}
      and ranked.{{ column }} = parents.{{ column }}
      {%- endfor %}
    {%- endif %}
    where ranked.version_rank = 1{% if child_of %} and not ranked._deleted{% endif %}
  ) as latest
{% endmacro %}
