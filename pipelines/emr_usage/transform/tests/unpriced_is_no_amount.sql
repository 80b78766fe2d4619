select workspace_id, job_run_id, hour_start, pricing_status, estimated_cost
from {{ ref('job_run_hours') }}
where (pricing_status = 'priced') <> (estimated_cost is not null)
  or (pricing_status = 'priced') <> (currency is not null)
