with both_sides as (
  select workspace_id, job_run_id, 1 as loaded, 0 as charged
  from (
    {{ emr_usage.raw_table('job_runs', {'workspace_id': 'text', 'job_run_id': 'text'}) }}
  ) as job_runs

  union all

  select workspace_id, job_run_id, 0 as loaded, 1 as charged
  from {{ ref('job_run_costs') }}
)

select workspace_id, job_run_id, sum(loaded) as times_loaded, sum(charged) as times_charged
from both_sides
group by workspace_id, job_run_id
having sum(loaded) = 0 or sum(charged) <> 1
