{{ config(
  materialized='incremental',
  incremental_strategy='append',
  on_schema_change='sync_all_columns',
  indexes=[{'columns': ['workspace_id', 'job_run_id']}] if target.type == 'postgres' else [],
  pre_hook="{{ emr_usage.delete_stale('pricing_version') }}",
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
  from {{ ref('stg_job_runs') }} as runs
  inner join {{ ref('stg_job_run_versions') }} as versions
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
    {{ emr_usage.billing_date(emr_usage.hour_start(emr_usage.hour_number('from_us'))) }}
      = {{ emr_usage.billing_date(emr_usage.hour_start(emr_usage.hour_number('until_us - 1'))) }} as is_in_one_day
  from changed
),

-- Few runs are seen open: only theirs are put in order.
observed as (
  select distinct runs.workspace_id, runs.job_run_id
  from runs
  inner join {{ ref('stg_job_run_observations') }} as observations
    on observations.workspace_id = runs.workspace_id and observations.job_run_id = runs.job_run_id
),

points as (
  select runs.*, {{ emr_usage.epoch_us('observations.observed_at') }} as at_us, observations.cu_hours as used
  from {{ ref('stg_job_run_observations') }} as observations
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
    is_in_one_day,
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
    runs.is_in_one_day,
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
  select workspace_id, job_run_id, run_version, region_id, resource_queue_id, is_in_one_day, hour_number, used_before, used_until
  from curve
  where not is_observed

  union all

  select
    workspace_id,
    job_run_id,
    run_version,
    region_id,
    resource_queue_id,
    is_in_one_day,
    hour_number,
    min(used_before) as used_before,
    max(used_until) as used_until
  from curve
  where is_observed
  group by workspace_id, job_run_id, run_version, region_id, resource_queue_id, is_in_one_day, hour_number
),

slices as (
  select
    *,
    {{ emr_usage.hour_start('hour_number') }} as hour_start,
    {{ emr_usage.billing_date(emr_usage.hour_start('hour_number')) }} as billing_date,
    cast(used_until - used_before as {{ emr_usage.type_exact() }}) as cu_hours
  from parts
),

-- Rates are looked up for a place's day, of which there are few, not for each slice.
places as (
  select distinct region_id, workspace_id, resource_queue_id, billing_date
  from slices
),

candidates as (
  select
    places.region_id,
    places.workspace_id,
    places.resource_queue_id,
    places.billing_date,
    rates.currency,
    rates.price_per_cu_hour,
    rates.rate_kind,
    rates.rate_source,
    rates.rate_row_number,
    row_number() over (
      partition by places.region_id, places.workspace_id, places.resource_queue_id, places.billing_date
      order by rates.specificity desc, rates.rate_row_number
    ) as choice
  from places
  inner join {{ ref('stg_rates') }} as rates
    on rates.region_id = places.region_id
    and (rates.workspace_id is null or rates.workspace_id = places.workspace_id)
    and (rates.resource_queue_id is null or rates.resource_queue_id = places.resource_queue_id)
    and rates.valid_from <= places.billing_date
    and (rates.valid_to is null or places.billing_date < rates.valid_to)
),

priced as (
  select
    slices.*,
    candidates.currency,
    candidates.price_per_cu_hour,
    candidates.rate_kind,
    candidates.rate_source,
    candidates.rate_row_number
  from slices
  left join candidates
    on slices.region_id = candidates.region_id
    and slices.workspace_id = candidates.workspace_id
    and slices.resource_queue_id = candidates.resource_queue_id
    and slices.billing_date = candidates.billing_date
    and candidates.choice = 1
),

-- A price holds for whole days: only the costs of runs over midnight are added up hour by hour.
costed as (
  select
    *,
    {{ emr_usage.priced_at('used_before', 'price_per_cu_hour') }} as cost_before,
    {{ emr_usage.priced_at('used_until', 'price_per_cu_hour') }} as cost_until
  from priced
  where is_in_one_day

  union all

  select
    *,
    coalesce(
      sum({{ emr_usage.priced_at('cu_hours', 'price_per_cu_hour') }}) over (
        partition by workspace_id, job_run_id, currency order by hour_start rows between unbounded preceding and 1 preceding
      ),
      0
    ) as cost_before,
    sum({{ emr_usage.priced_at('cu_hours', 'price_per_cu_hour') }}) over (
      partition by workspace_id, job_run_id, currency order by hour_start rows between unbounded preceding and current row
    ) as cost_until
  from priced
  where not is_in_one_day
)

select
  costed.workspace_id,
  costed.job_run_id,
  costed.region_id,
  costed.hour_start,
  costed.billing_date,
  {{ emr_usage.first_of('month', 'costed.billing_date') }} as billing_month,
  costed.cu_hours,
  costed.currency,
  costed.price_per_cu_hour,
  costed.rate_kind,
  costed.rate_source,
  costed.rate_row_number,
  cast(round(costed.cost_until, 6) - round(costed.cost_before, 6) as {{ emr_usage.type_amount() }}) as estimated_cost,
  case when costed.rate_row_number is null then 'unpriced' else 'priced' end as pricing_status,
  costed.run_version,
  inputs.pricing_version
from costed
cross join {{ ref('stg_input_versions') }} as inputs
