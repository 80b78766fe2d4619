{# Raise it when a change of the models changes figures: every run is computed again at the next build. #}
{% macro models_version() %}1{% endmacro %}

{# Before an incremental model adds what is missing, delete what is no longer true of it: rows of runs that were read again or are
   gone, and all rows when rates, owners, a variable or the models have changed. Both happen in one transaction. #}
{% macro delete_stale(inputs_column) %}
  {% if is_incremental() %}
    delete from {{ this }}
    where not exists (
      select 1
      from {{ ref('stg_job_run_versions') }} as versions
      cross join {{ ref('stg_input_versions') }} as inputs
      where versions.workspace_id = {{ this }}.workspace_id
        and versions.job_run_id = {{ this }}.job_run_id
        and versions.run_version = {{ this }}.run_version
        and inputs.{{ inputs_column }} = {{ this }}.{{ inputs_column }}
    )
  {% endif %}
{% endmacro %}

{# All values of a row as one text. #}
{% macro line_of(columns) %}
  concat(
    {%- for column in columns %}
    coalesce(cast({{ column }} as {{ dbt.type_string() }}), '-'){% if not loop.last %}, '|',{% endif %}
    {%- endfor %}
  )
{% endmacro %}
