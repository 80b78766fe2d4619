with hours as (
  select workspace_id, job_run_id, sum(cu_hours) as cu_hours
  from {{ ref('job_run_hours') }}
  group by workspace_id, job_run_id
)

select runs.workspace_id, runs.job_run_id, runs.cu_hours, hours.cu_hours as cu_hours_of_hours
from {{ ref('int_job_runs') }} as runs
full outer join hours
  on runs.workspace_id = hours.workspace_id and runs.job_run_id = hours.job_run_id
where runs.job_run_id is null
  or (runs.cu_hours is null) <> (hours.cu_hours is null)
  or runs.cu_hours <> hours.cu_hours
