{# A table whose rows are replaced, not the table itself: readers are not blocked, and dependent objects remain, such as users'
   views and the right to read it. Only if its columns change is it created again; a dependent view then fails the build. #}
{% materialization in_place, default %}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type='table') -%}
  {{ run_hooks(pre_hooks) }}
  {%- set new = make_temp_relation(target_relation) -%}
  {%- set is_same = namespace(value=false) -%}
  {%- if existing is not none -%}
    {%- call statement('new') -%}{{ get_create_table_as_sql(true, new, sql) }}{%- endcall -%}
    {%- set is_same.value = existing.is_table and emr_usage.columns_of(existing) == emr_usage.columns_of(new) -%}
  {%- endif -%}
  {%- if is_same.value -%}
    {%- call statement('main') -%}delete from {{ existing }}; insert into {{ existing }} select * from {{ new }}{%- endcall -%}
  {%- else -%}
    {%- if existing is not none -%}
      {%- call statement('drop') -%}drop {{ existing.type }} {{ existing }}{%- endcall -%}
    {%- endif -%}
    {%- call statement('main') -%}{{ get_create_table_as_sql(false, target_relation, sql) }}{%- endcall -%}
    {%- do create_indexes(target_relation) -%}
  {%- endif -%}
  {{ run_hooks(post_hooks) }}
  {%- do adapter.commit() -%}
  {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% macro columns_of(relation) %}
  {%- set columns = [] -%}
  {%- for column in adapter.get_columns_in_relation(relation) -%}
    {%- do columns.append([column.name, column.data_type]) -%}
  {%- endfor -%}
  {{ return(columns) }}
{% endmacro %}

{# dbt's default drops users' views that use the column. #}
{% macro postgres__alter_column_type(relation, column_name, new_column_type) %}
  {%- call statement('alter_column_type') -%}
    alter table {{ relation }} alter column {{ adapter.quote(column_name) }} type {{ new_column_type }}
  {%- endcall -%}
{% endmacro %}
