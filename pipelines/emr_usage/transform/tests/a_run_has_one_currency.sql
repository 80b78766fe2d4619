select workspace_id, job_run_id, min(currency) as currency, max(currency) as other_currency
from {{ ref('job_run_hours') }}
group by workspace_id, job_run_id
having min(currency) <> max(currency)
