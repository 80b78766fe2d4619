with failures as (
  select
    costs.outcome_date as billing_date,
    runs.state_change_code,
    coalesce({{ emr_usage.normalised_message('runs.state_change_message') }}, '(no message)') as reason,
    costs.workspace_id,
    costs.job_run_id,
    costs.end_time,
    runs.state_change_message
  from {{ ref('job_run_costs') }} as costs
  inner join {{ ref('stg_job_runs') }} as runs
    on costs.workspace_id = runs.workspace_id and costs.job_run_id = runs.job_run_id
  where costs.is_failed
),

ranked as (
  select
    *,
    count(*) over (partition by billing_date, state_change_code, reason) as job_runs,
    row_number() over (
      partition by billing_date, state_change_code, reason order by end_time desc, workspace_id, job_run_id
    ) as recency
  from failures
)

select
  billing_date,
  state_change_code,
  reason,
  job_runs,
  workspace_id as example_workspace_id,
  job_run_id as example_job_run_id,
  state_change_message as example_message
from ranked
where recency = 1
