select workspace_id, job_run_id, state, end_time
from {{ ref('job_run_costs') }}
where is_final and (end_time is null or state in ('Submitted', 'Pending', 'Running', 'Cancelling'))
