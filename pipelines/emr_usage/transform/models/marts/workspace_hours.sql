-- The bill applies the discount to all memory and CPU of a workspace in an hour, the API to each run. Runs that have no figures of CPU
-- and memory, or do not fit the formula, count as they are.
with runs as (
  select
    workspace_id,
    job_run_id,
    cu_hours,
    cast(mb_seconds as decimal(22, 0)) as mb_seconds,
    cast(cast(vcore_seconds as decimal(19, 0)) * 1024 as decimal(22, 0)) as mb_seconds_of_cores,
    -- 4 GiB for each core, or the memory if it is more; in tenths, so that the discounted figure is whole.
    cast(
      greatest(cast(vcore_seconds as decimal(19, 0)) * 4096, cast(mb_seconds as decimal(23, 0))) * discount_factor * 10
      as decimal(24, 0)
    ) as discounted_tenths,
    discount_factor
  from {{ ref('int_job_runs') }}
  where discount_fits and cu_hours > 0
),

parts as (
  select
    hours.workspace_id,
    hours.hour_start,
    hours.billing_date,
    hours.billing_month,
    hours.cu_hours,
    runs.mb_seconds,
    runs.mb_seconds_of_cores,
    runs.discounted_tenths,
    runs.discount_factor,
    -- CPU and memory of a run are spread over its hours as its CU-hours are. Both have the same factor: their ratio remains exact.
    {{ emr_usage.fraction_of('hours.cu_hours', 'runs.cu_hours') }} as part_of_run
  from {{ ref('job_run_hours') }} as hours
  left join runs
    on hours.workspace_id = runs.workspace_id and hours.job_run_id = runs.job_run_id
),

summed as (
  select
    workspace_id,
    hour_start,
    min(billing_date) as billing_date,
    min(billing_month) as billing_month,
    count(*) as job_runs,
    sum(cu_hours) as cu_hours,
    sum(case when part_of_run is null then cu_hours else 0 end) as cu_hours_outside_formula,
    sum(case when discount_factor = 1 then cu_hours else 0 end) as cu_hours_from_4_gib,
    -- Sums of 38 digits, that Spark multiplies without rounding only if they are narrower.
    cast(coalesce(sum(mb_seconds * part_of_run), 0) as decimal(36, 12)) as mb_seconds,
    cast(coalesce(sum(mb_seconds_of_cores * part_of_run), 0) as decimal(36, 12)) as mb_seconds_of_cores,
    cast(coalesce(sum(discounted_tenths * part_of_run), 0) as decimal(38, 12)) as discounted_tenths
  from parts
  group by workspace_id, hour_start
),

weighed as (
  select
    *,
    greatest(mb_seconds_of_cores * 4, mb_seconds) as undiscounted_mb_seconds,
    {{ emr_usage.discount_factor('mb_seconds', 'mb_seconds_of_cores') }} as discount_factor
  from summed
),

compared as (
  select
    *,
    cast(undiscounted_mb_seconds * cast(discount_factor * 10 as decimal(2, 0)) - discounted_tenths as {{ emr_usage.type_amount() }})
      as difference_tenths,
    -- Just below 4 GiB per core, the cores alone count, at 0.9.
    cast(
      case when discount_factor = 1 then undiscounted_mb_seconds * 10 - mb_seconds_of_cores * 36 else 0 end
      as {{ emr_usage.type_amount() }}
    ) as tenths_above_discount
  from weighed
),

converted as (
  select
    *,
    coalesce({{ emr_usage.cu_hours_of('difference_tenths') }}, 0) as cu_hours_difference
  from compared
)

select
  workspace_id,
  hour_start,
  billing_date,
  billing_month,
  job_runs,
  cast({{ emr_usage.share_of('mb_seconds_of_cores', '1', '3686400') }} as {{ emr_usage.type_amount() }}) as core_hours,
  cast({{ emr_usage.share_of('mb_seconds', '1', '3686400') }} as {{ emr_usage.type_amount() }}) as gib_hours,
  cast(
    {{ emr_usage.share_of('mb_seconds', '1000000', 'nullif(' ~ emr_usage.millionths('mb_seconds_of_cores') ~ ', 0)') }}
    as {{ emr_usage.type_amount() }}
  ) as gib_per_core,
  cast(discount_factor as decimal(2, 1)) as discount_factor,
  cast(cu_hours as {{ emr_usage.type_amount() }}) as cu_hours,
  cast(cu_hours_outside_formula as {{ emr_usage.type_amount() }}) as cu_hours_outside_formula,
  cast(cu_hours + cu_hours_difference as {{ emr_usage.type_amount() }}) as cu_hours_settled,
  cast(cu_hours_difference as {{ emr_usage.type_amount() }}) as cu_hours_difference,
  cast(cu_hours_from_4_gib as {{ emr_usage.type_amount() }}) as cu_hours_from_4_gib,
  cast({{ emr_usage.cu_hours_of('tenths_above_discount') }} as {{ emr_usage.type_amount() }}) as cu_hours_above_discount
from converted
