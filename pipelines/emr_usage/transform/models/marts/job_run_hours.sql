{{ config(
  materialized='table' if target.type == 'spark' else 'incremental',
  incremental_strategy='append',
  on_schema_change='sync_all_columns',
  indexes=[{'columns': ['workspace_id', 'job_run_id']}] if target.type == 'postgres' else [],
  pre_hook="{{ emr_usage.delete_stale('pricing_version') }}",
) }}

-- depends_on: {{ ref('int_job_run_versions') }}
with slices as (
  select
    *,
    {{ emr_usage.hour_start('hour_number') }} as hour_start,
    -- A price holds for whole days: the hours of a run within one day have the same.
    first_hour_number = last_hour_number
      or {{ emr_usage.billing_date(emr_usage.hour_start('first_hour_number')) }}
        = {{ emr_usage.billing_date(emr_usage.hour_start('last_hour_number')) }} as is_in_one_day,
    {{ emr_usage.billing_date(emr_usage.hour_start('hour_number')) }} as billing_date,
    cast(used_until - used_before as {{ emr_usage.type_exact() }}) as cu_hours
  from {{ ref('int_job_run_hour_slices') }} as parts
  {%- if is_incremental() %}
  where {{ emr_usage.is_missing('parts') }}
  {%- endif %}
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
      order by
        -- Queue of a workspace, workspace, queue of any workspace, region.
        case when rates.workspace_id is null then 0 else 2 end + case when rates.resource_queue_id is null then 0 else 1 end desc,
        rates.rate_row_number
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

-- Only the costs of runs over midnight are added up hour by hour.
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
cross join {{ ref('int_input_versions') }} as inputs
