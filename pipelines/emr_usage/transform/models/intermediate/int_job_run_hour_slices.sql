{{ config(
  materialized='table' if target.type == 'spark' else 'incremental',
  incremental_strategy='append',
  on_schema_change='sync_all_columns',
  indexes=[{'columns': ['workspace_id', 'job_run_id']}] if target.type == 'postgres' else [],
  pre_hook="{{ emr_usage.delete_stale('split_version') }}",
) }}

-- Known of a run's use are some points of a rising curve: nothing at its start and while it waited, its figure at each observation,
-- its latest figure at its end. Between two points use is taken to be even. An hour's part is the difference of the curve at its two
-- ends, each rounded alike, so that the parts add up to the latest figure exactly.
with changed as (
  select
    runs.workspace_id,
    runs.job_run_id,
    runs.region_id,
    runs.resource_queue_id,
    runs.cu_hours,
    versions.run_version,
    {{ emr_usage.epoch_us('runs.used_from') }} as from_us,
    -- A run of no length used what it used in its first microsecond.
    case
      when runs.charged_until > runs.used_from then {{ emr_usage.epoch_us('runs.charged_until') }}
      else {{ emr_usage.epoch_us('runs.used_from') }} + 1
    end as until_us
  from {{ ref('int_job_runs') }} as runs
  inner join {{ ref('int_job_run_versions') }} as versions
    on runs.workspace_id = versions.workspace_id and runs.job_run_id = versions.job_run_id
  where runs.cu_hours is not null
  {%- if is_incremental() %}
    and {{ emr_usage.is_missing('versions') }}
  {%- endif %}
),

runs as (
  select
    workspace_id,
    job_run_id,
    run_version,
    region_id,
    coalesce(resource_queue_id, '') as resource_queue_id,
    cu_hours,
    from_us,
    until_us,
    {{ emr_usage.hour_number('from_us') }} as first_hour_number,
    {{ emr_usage.hour_number('until_us - 1') }} as last_hour_number
  from changed
),

-- Few runs are observed while open: only their observations are sorted.
observed as (
  select distinct runs.workspace_id, runs.job_run_id
  from runs
  inner join {{ ref('int_job_run_observations') }} as observations
    on observations.workspace_id = runs.workspace_id and observations.job_run_id = runs.job_run_id
),

points as (
  select runs.*, {{ emr_usage.epoch_us('observations.observed_at') }} as at_us, observations.cu_hours as used
  from {{ ref('int_job_run_observations') }} as observations
  inner join runs
    on observations.workspace_id = runs.workspace_id and observations.job_run_id = runs.job_run_id
  where {{ emr_usage.epoch_us('observations.observed_at') }} > runs.from_us
    and {{ emr_usage.epoch_us('observations.observed_at') }} < runs.until_us

  union all

  select runs.*, runs.until_us as at_us, runs.cu_hours as used
  from runs
  inner join observed
    on observed.workspace_id = runs.workspace_id and observed.job_run_id = runs.job_run_id
),

-- A figure above a later one was too high: the curve never falls.
rising as (
  select
    *,
    min(used) over (
      partition by workspace_id, job_run_id order by at_us desc rows between unbounded preceding and current row
    ) as used_then
  from points
),

segments as (
  select
    workspace_id,
    job_run_id,
    run_version,
    region_id,
    resource_queue_id,
    first_hour_number,
    last_hour_number,
    true as is_observed,
    coalesce(lag(at_us) over (partition by workspace_id, job_run_id order by at_us), from_us) as start_us,
    at_us as end_us,
    coalesce(lag(used_then) over (partition by workspace_id, job_run_id order by at_us), 0) as used_at_start,
    used_then as used_at_end
  from rising

  union all

  select
    runs.workspace_id,
    runs.job_run_id,
    runs.run_version,
    runs.region_id,
    runs.resource_queue_id,
    runs.first_hour_number,
    runs.last_hour_number,
    false as is_observed,
    runs.from_us as start_us,
    runs.until_us as end_us,
    0 as used_at_start,
    runs.cu_hours as used_at_end
  from runs
  where not exists (
    select 1
    from observed
    where observed.workspace_id = runs.workspace_id and observed.job_run_id = runs.job_run_id
  )
),

hours_of_segments as (
  {{ emr_usage.each_hour('segments', emr_usage.hour_number('start_us'), emr_usage.hour_number('end_us - 1')) }}
),

edges as (
  select
    *,
    used_at_end - used_at_start as cu_hours,
    end_us - start_us as length_us,
    greatest(hour_number * {{ emr_usage.microseconds_an_hour() }} - start_us, 0) as after_us,
    least((hour_number + 1) * {{ emr_usage.microseconds_an_hour() }}, end_us) - start_us as before_us
  from hours_of_segments
),

curve as (
  select
    *,
    cast(used_at_start + {{ emr_usage.share_of('cu_hours', 'after_us', 'length_us') }} as {{ emr_usage.type_exact() }}) as used_before,
    cast(used_at_start + {{ emr_usage.share_of('cu_hours', 'before_us', 'length_us') }} as {{ emr_usage.type_exact() }}) as used_until
  from edges
),

-- Only an observation cuts an hour into several segments.
parts as (
  select workspace_id, job_run_id, run_version, region_id, resource_queue_id, first_hour_number, last_hour_number, hour_number, used_before, used_until
  from curve
  where not is_observed

  union all

  select
    workspace_id,
    job_run_id,
    run_version,
    region_id,
    resource_queue_id,
    first_hour_number,
    last_hour_number,
    hour_number,
    min(used_before) as used_before,
    max(used_until) as used_until
  from curve
  where is_observed
  group by workspace_id, job_run_id, run_version, region_id, resource_queue_id, first_hour_number, last_hour_number, hour_number
)

select
  parts.workspace_id,
  parts.job_run_id,
  parts.region_id,
  parts.resource_queue_id,
  parts.hour_number,
  parts.first_hour_number,
  parts.last_hour_number,
  parts.used_before,
  parts.used_until,
  parts.run_version,
  inputs.split_version
from parts
cross join {{ ref('int_input_versions') }} as inputs
