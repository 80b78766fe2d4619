with runs as (
  select owner_rule_number, count(*) as rule_job_runs
  from {{ ref('job_run_costs') }}
  where owner_rule_number is not null
  group by owner_rule_number
),

used as (
  select
    costs.owner_rule_number,
    hours.currency,
    hours.workspace_id,
    hours.job_run_id,
    sum(hours.cu_hours) as cu_hours,
    sum(hours.estimated_cost) as estimated_cost
  from {{ ref('job_run_hours') }} as hours
  inner join {{ ref('job_run_costs') }} as costs
    on hours.workspace_id = costs.workspace_id and hours.job_run_id = costs.job_run_id
  where costs.owner_rule_number is not null
  group by costs.owner_rule_number, hours.currency, hours.workspace_id, hours.job_run_id
),

amounts as (
  select
    owner_rule_number,
    currency,
    count(*) as job_runs,
    sum(cu_hours) as cu_hours,
    sum(estimated_cost) as estimated_cost
  from used
  group by owner_rule_number, currency
)

select
  rules.rule_number,
  rules.owner,
  rules.tag_key,
  rules.tag_value,
  rules.creator,
  rules.resource_queue_id,
  rules.workspace_id,
  rules.job_name,
  rules.valid_from,
  rules.valid_to,
  coalesce(runs.rule_job_runs, 0) as rule_job_runs,
  amounts.currency,
  coalesce(amounts.job_runs, 0) as job_runs,
  coalesce(amounts.cu_hours, 0) as cu_hours,
  amounts.estimated_cost
from {{ ref('int_owner_rules') }} as rules
left join runs
  on rules.rule_number = runs.owner_rule_number
left join amounts
  on rules.rule_number = amounts.owner_rule_number
