-- A negative figure is in figures_set_aside.
select distinct
  workspace_id,
  job_run_id,
  observed_at,
  state,
  state in ('Submitted', 'Pending') as is_waiting,
  case when state in ('Submitted', 'Pending') then 0 else cu_hours end as cu_hours
from {{ ref('stg_job_run_observations') }}
where cu_hours >= 0 or (cu_hours is null and state in ('Submitted', 'Pending'))
