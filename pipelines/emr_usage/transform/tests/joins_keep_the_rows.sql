-- A rate or rule that matches twice would double the cost, one that never matches would lose a run.
with counts as (
  select
    (select count(*) from {{ ref('int_job_runs') }}) as job_runs,
    (select count(*) from {{ ref('job_run_costs') }}) as charged_job_runs,
    (select count(*) from {{ ref('job_run_hours') }}) as hours,
    (
      select count(*)
      from {{ ref('job_run_hours') }} as hours
      inner join {{ ref('job_run_costs') }} as costs
        on hours.workspace_id = costs.workspace_id and hours.job_run_id = costs.job_run_id
    ) as charged_hours
)

select *
from counts
where job_runs <> charged_job_runs or hours <> charged_hours
