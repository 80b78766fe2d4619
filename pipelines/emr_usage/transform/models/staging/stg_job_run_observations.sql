with observed as (
  {{ emr_usage.raw_table('job_run_observations', {
    'workspace_id': 'text',
    'job_run_id': 'text',
    'observed_at': 'moment',
    'state': 'text',
    'cu_hours': 'exact',
  }) }}
),

-- A negative figure is in figures_set_aside.
observations as (
  select *
  from observed
  where cu_hours is null or cu_hours >= 0
)

select distinct
  workspace_id,
  job_run_id,
  observed_at,
  state,
  state in ('Submitted', 'Pending') as is_waiting,
  case when state in ('Submitted', 'Pending') then 0 else cu_hours end as cu_hours
from observations
where cu_hours is not null or state in ('Submitted', 'Pending')
