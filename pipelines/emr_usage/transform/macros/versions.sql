{# Raise it when a change of the models changes figures: the next build recomputes every run. #}
{% macro models_version() %}3{% endmacro %}

{# Before an incremental model adds missing rows, delete the outdated ones: rows of runs that were read again or are
   gone, and all rows when rates, owners, a variable or the models have changed. Both happen in one transaction. #}
{% macro delete_stale(inputs_column) %}
  {% if is_incremental() %}
    delete from {{ this }}
    where {{ 'true or' if var('compute_all') }} not exists (
      select 1
      from {{ ref('int_job_run_versions') }} as versions
      cross join {{ ref('int_input_versions') }} as inputs
      where versions.workspace_id = {{ this }}.workspace_id
        and versions.job_run_id = {{ this }}.job_run_id
        and versions.run_version = {{ this }}.run_version
        and inputs.{{ inputs_column }} = {{ this }}.{{ inputs_column }}
    )
  {% endif %}
{% endmacro %}

{# The condition that a run has no row in an incremental model yet. #}
{% macro is_missing(runs) %}
  not exists (
    select 1
    from {{ this }} as made
    where made.workspace_id = {{ runs }}.workspace_id and made.job_run_id = {{ runs }}.job_run_id
  )
{% endmacro %}

{# All rows of numbered inputs, all their values, as one text. #}
{% macro listed(inputs, number, columns) %}
  select {{ emr_usage.joined_in_order('line', number) }} as listed
  from (
    select
      {{ number }},
      concat(
        {%- for column in [number] + columns %}
        coalesce(cast({{ column }} as {{ dbt.type_string() }}), '-'){% if not loop.last %}, '|',{% endif %}
        {%- endfor %}
      ) as line
    from {{ inputs }}
  ) as lines
{% endmacro %}

{# All lines as one text, by their numbers. #}
{% macro joined_in_order(line, number) %}{{ return(adapter.dispatch('joined_in_order', 'emr_usage')(line, number)) }}{% endmacro %}
{% macro default__joined_in_order(line, number) %}{{ dbt.listagg(line, "';'", 'order by ' ~ number ~ ', ' ~ line) }}{% endmacro %}
{# dbt's listagg ignores the order in Spark. #}
{% macro spark__joined_in_order(line, number) %}
  array_join(transform(array_sort(collect_list(struct({{ number }}, {{ line }} as line))), numbered -> numbered.line), ';')
{% endmacro %}
