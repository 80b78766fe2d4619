-- Computed once, because every incremental model uses it twice.
{{ config(
  materialized='table',
  indexes=[{'columns': ['workspace_id', 'job_run_id']}] if target.type == 'postgres' else [],
) }}

-- A load that was killed between two tables is finished by the next one, which may not read the run again: hence the counts.
with observations as (
  select workspace_id, job_run_id, count(*) as figures
  from {{ ref('int_job_run_observations') }}
  group by workspace_id, job_run_id
),

tags as (
  select workspace_id, job_run_id, count(*) as tags
  from {{ ref('int_job_run_tags') }}
  group by workspace_id, job_run_id
)

select
  runs.workspace_id,
  runs.job_run_id,
  concat(
    cast({{ emr_usage.epoch_us('runs.observed_at') }} as {{ dbt.type_string() }}), '/',
    coalesce(cast(runs.cu_hours as {{ dbt.type_string() }}), '-'), '/',
    cast(coalesce(observations.figures, 0) as {{ dbt.type_string() }}), '/',
    cast(coalesce(tags.tags, 0) as {{ dbt.type_string() }})
  ) as run_version
from {{ ref('int_job_runs') }} as runs
left join observations
  on runs.workspace_id = observations.workspace_id and runs.job_run_id = observations.job_run_id
left join tags
  on runs.workspace_id = tags.workspace_id and runs.job_run_id = tags.job_run_id
