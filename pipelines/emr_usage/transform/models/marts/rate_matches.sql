-- Runs are summed first, so that they can be counted without DISTINCT.
with used as (
  select
    rate_row_number,
    workspace_id,
    job_run_id,
    sum(cu_hours) as cu_hours,
    sum(estimated_cost) as estimated_cost
  from {{ ref('job_run_hours') }}
  where rate_row_number is not null
  group by rate_row_number, workspace_id, job_run_id
),

matched as (
  select
    rate_row_number,
    count(*) as job_runs,
    sum(cu_hours) as cu_hours,
    sum(estimated_cost) as estimated_cost
  from used
  group by rate_row_number
)

select
  rates.rate_row_number,
  rates.region_id,
  rates.workspace_id,
  rates.resource_queue_id,
  rates.currency,
  rates.price_per_cu_hour,
  rates.rate_kind,
  rates.rate_source,
  rates.valid_from,
  rates.valid_to,
  coalesce(matched.job_runs, 0) as job_runs,
  coalesce(matched.cu_hours, 0) as cu_hours,
  coalesce(matched.estimated_cost, 0) as estimated_cost
from {{ ref('stg_rates') }} as rates
left join matched
  on rates.rate_row_number = matched.rate_row_number
