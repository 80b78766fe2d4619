with loaded as (
  select distinct workspace_id, job_run_id
  from (
    {{ emr_usage.raw_table('job_runs', {'workspace_id': 'text', 'job_run_id': 'text'}) }}
  ) as job_runs
),

charged as (
  select workspace_id, job_run_id, count(*) as times
  from {{ ref('job_run_costs') }}
  group by workspace_id, job_run_id
)

select loaded.workspace_id, loaded.job_run_id, charged.workspace_id as charged_workspace_id, charged.job_run_id as charged_job_run_id
from loaded
full outer join charged
  on loaded.workspace_id = charged.workspace_id and loaded.job_run_id = charged.job_run_id
where loaded.job_run_id is null or charged.job_run_id is null or charged.times <> 1
