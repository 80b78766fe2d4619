{{ config(
  materialized='table' if target.type == 'spark' else 'incremental',
  incremental_strategy='append',
  on_schema_change='sync_all_columns',
  indexes=[{'columns': ['workspace_id', 'job_run_id']}] if target.type == 'postgres' else [],
  pre_hook="{{ emr_usage.delete_stale('charging_version') }}",
) }}

{%- set all_but_the_tag_matches -%}
  (rules.creator is null or rules.creator = runs.creator)
    and (rules.resource_queue_id is null or rules.resource_queue_id = runs.resource_queue_id)
    and (rules.workspace_id is null or rules.workspace_id = runs.workspace_id)
    and (rules.job_name is null or {{ emr_usage.matches_pattern('runs.name', 'rules.job_name_pattern') }})
    and (rules.valid_from is null or rules.valid_from <= runs.submitted_on)
    and (rules.valid_to is null or runs.submitted_on < rules.valid_to)
{%- endset -%}

with runs as (
  select
    runs.*,
    versions.run_version,
    {{ emr_usage.extra_field('runs.extra', 'jobRunDeploymentId') }} as deployment,
    {{ emr_usage.billing_date('runs.charged_from') }} as submitted_on
  from {{ ref('int_job_runs') }} as runs
  inner join {{ ref('int_job_run_versions') }} as versions
    on runs.workspace_id = versions.workspace_id and runs.job_run_id = versions.job_run_id
  {%- if is_incremental() %}
  where {{ emr_usage.is_missing('versions') }}
  {%- endif %}
),

tags as (
  select tags.*
  from {{ ref('int_job_run_tags') }} as tags
  {%- if is_incremental() %}
  inner join runs
    on tags.workspace_id = runs.workspace_id and tags.job_run_id = runs.job_run_id
  {%- endif %}
),

rules_met_by_tags as (
  select tags.workspace_id, tags.job_run_id, rules.rule_number
  from tags
  inner join {{ ref('int_owner_rules') }} as rules
    on (rules.tag_key is null or rules.tag_key = tags.matched_key)
    and (rules.tag_value is null or rules.tag_value = tags.matched_value)
  where rules.tag_key is not null or rules.tag_value is not null
),

-- Rules without a tag are compared with every run, those with a tag only with the runs that have it.
rules_met as (
  select runs.workspace_id, runs.job_run_id, rules.rule_number
  from runs
  inner join {{ ref('int_owner_rules') }} as rules
    on {{ all_but_the_tag_matches }}
  where rules.tag_key is null and rules.tag_value is null

  union all

  select runs.workspace_id, runs.job_run_id, rules.rule_number
  from rules_met_by_tags
  inner join runs
    on rules_met_by_tags.workspace_id = runs.workspace_id and rules_met_by_tags.job_run_id = runs.job_run_id
  inner join {{ ref('int_owner_rules') }} as rules
    on rules_met_by_tags.rule_number = rules.rule_number
  where {{ all_but_the_tag_matches }}
),

first_rules as (
  select workspace_id, job_run_id, min(rule_number) as rule_number
  from rules_met
  group by workspace_id, job_run_id
),

-- A scheduler's tag that a run belongs to some workflow does not name one.
workflows as (
  select workspace_id, job_run_id, min(matched_value) as workflow
  from tags
  where matched_key in ('{{ var("workflow_tag_keys") | join("', '") }}')
    and matched_value not in ('', 'true', 'false')
  group by workspace_id, job_run_id
),

-- There are far fewer names than runs, and patterns are slow.
names as (
  select name, {{ emr_usage.normalised_name('name') }} as normalised_name
  from (select distinct name from runs where name is not null) as distinct_names
),

usage as (
  select
    hours.workspace_id,
    hours.job_run_id,
    sum(case when hours.pricing_status = 'unpriced' then hours.cu_hours else 0 end) as cu_hours_unpriced,
    {{ emr_usage.sum_of_one_currency('hours.estimated_cost', 'hours.currency') }} as estimated_cost,
    {{ emr_usage.one_currency('hours.currency') }} as currency,
    count(distinct hours.currency) as currencies,
    count(hours.rate_row_number) as priced_hours,
    count(*) as hours
  from {{ ref('job_run_hours') }} as hours
  {%- if is_incremental() %}
  inner join runs
    on hours.workspace_id = runs.workspace_id and hours.job_run_id = runs.job_run_id
  {%- endif %}
  group by hours.workspace_id, hours.job_run_id
)

select
  runs.workspace_id,
  runs.job_run_id,
  runs.region_id,
  runs.name as job_run_name,
  case
    when runs.deployment is not null then runs.deployment
    -- A workflow has many jobs: it only distinguishes jobs with the same name.
    when workflows.workflow is not null then concat(workflows.workflow, '/', coalesce(names.normalised_name, ''))
    else coalesce(names.normalised_name, 'unnamed')
  end as job_key,
  case
    when runs.deployment is not null then 'deployment'
    when workflows.workflow is not null then 'workflow_tag'
    when names.normalised_name is not null then 'normalised_name'
    else 'unnamed'
  end as identity_rule,
  runs.state,
  runs.is_final,
  runs.submit_time,
  runs.end_time,
  runs.duration_seconds,
  runs.execution_timeout_seconds,
  {{ emr_usage.billing_date('runs.charged_until') }} as outcome_date,
  runs.is_final and coalesce(runs.state, '') = 'Failed' as is_failed,
  -- A message with another cause takes precedence: the duration of a run includes its time in the queue.
  runs.is_final and coalesce(runs.state, '') = 'Failed'
    and case
      when coalesce(runs.state_change_message, '') <> '' then runs.state_change_message like '%executionTimeoutSeconds%'
      else coalesce(runs.execution_timeout_seconds > 0 and runs.duration_seconds >= runs.execution_timeout_seconds, false)
    end as is_timed_out,
  runs.arguments_digest,
  runs.creator,
  runs.resource_queue_id,
  rules.owner,
  rules.rule_number as owner_rule_number,
  runs.cu_hours,
  cast(coalesce(usage.cu_hours_unpriced, 0) as {{ emr_usage.type_amount() }}) as cu_hours_unpriced,
  coalesce(usage.currencies, 0) as currencies,
  usage.currency,
  usage.estimated_cost,
  case
    when runs.cu_hours is null then 'no_usage'
    when usage.priced_hours = 0 then 'unpriced'
    when usage.priced_hours < usage.hours then 'partly_priced'
    else 'priced'
  end as pricing_status,
  runs.run_version,
  inputs.charging_version
from runs
left join names
  on runs.name = names.name
left join workflows
  on runs.workspace_id = workflows.workspace_id and runs.job_run_id = workflows.job_run_id
left join first_rules
  on runs.workspace_id = first_rules.workspace_id and runs.job_run_id = first_rules.job_run_id
left join {{ ref('int_owner_rules') }} as rules
  on first_rules.rule_number = rules.rule_number
left join usage
  on runs.workspace_id = usage.workspace_id and runs.job_run_id = usage.job_run_id
cross join {{ ref('int_input_versions') }} as inputs
