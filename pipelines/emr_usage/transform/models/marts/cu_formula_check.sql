select
  workspace_id,
  job_run_id,
  region_id,
  name as job_run_name,
  submit_time,
  is_final,
  display_release_version,
  fusion,
  vcore_seconds,
  mb_seconds,
  cu_hours_undiscounted,
  discount_factor,
  cast(round(cu_hours_undiscounted * discount_factor, 6) as {{ emr_usage.type_amount() }}) as cu_hours_by_formula,
  cu_hours,
  cast(cu_hours - round(cu_hours_undiscounted * discount_factor, 6) as {{ emr_usage.type_amount() }}) as cu_hours_difference
from {{ ref('int_job_runs') }}
where not discount_fits and cu_hours is not null
