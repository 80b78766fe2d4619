with failures as (
  select
    costs.*,
    runs.state_change_code,
    runs.state_change_message,
    coalesce(nullif({{ emr_usage.normalised_message('runs.state_change_message') }}, ''), '(no message)') as reason
  from {{ ref('job_run_costs') }} as costs
  inner join {{ ref('int_job_runs') }} as runs
    on costs.workspace_id = runs.workspace_id and costs.job_run_id = runs.job_run_id
  where costs.is_failed
),

reasons as (
  select
    outcome_date,
    state_change_code,
    reason,
    count(*) as job_runs,
    currency,
    cast(sum(coalesce(cu_hours, 0)) as {{ emr_usage.type_amount() }}) as cu_hours_wasted,
    cast(sum(cu_hours_unpriced) as {{ emr_usage.type_amount() }}) as cu_hours_wasted_unpriced,
    cast(sum(estimated_cost) as {{ emr_usage.type_amount() }}) as estimated_cost_wasted
  from failures
  group by outcome_date, state_change_code, reason, currency
),

ranked as (
  select
    *,
    row_number() over (
      partition by outcome_date, state_change_code, reason, currency order by end_time desc, workspace_id, job_run_id
    ) as recency
  from failures
)

select
  reasons.outcome_date as billing_date,
  reasons.state_change_code,
  reasons.reason,
  reasons.job_runs,
  reasons.cu_hours_wasted,
  reasons.cu_hours_wasted_unpriced,
  reasons.estimated_cost_wasted,
  reasons.currency,
  ranked.workspace_id as example_workspace_id,
  ranked.job_run_id as example_job_run_id,
  ranked.state_change_message as example_message
from reasons
inner join ranked
  on reasons.outcome_date = ranked.outcome_date
  and reasons.reason = ranked.reason
  and (reasons.state_change_code = ranked.state_change_code or (reasons.state_change_code is null and ranked.state_change_code is null))
  and (reasons.currency = ranked.currency or (reasons.currency is null and ranked.currency is null))
  and ranked.recency = 1
