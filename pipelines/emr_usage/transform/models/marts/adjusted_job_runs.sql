{%- set amounts = ['cu_hours', 'estimated_cost', 'settlement_cu_hours', 'settlement_adjustment'] -%}

with ranked as (
  select
    *,
    row_number() over (partition by workspace_id, job_run_id, billing_date order by statement_month desc) as recency
  from {{ ref('stg_statement_job_runs') }}
),

frozen as (
  select * from ranked where recency = 1
),

present as (
  select days.*
  from {{ ref('int_job_run_days') }} as days
  inner join {{ ref('stg_statements') }} as statements
    on days.billing_month = statements.billing_month
),

-- What a statement lacks has its present rate and owner from the beginning; what is no longer used keeps those of the statement.
compared as (
  select
    coalesce(present.workspace_id, frozen.workspace_id) as workspace_id,
    coalesce(present.job_run_id, frozen.job_run_id) as job_run_id,
    coalesce(present.billing_date, frozen.billing_date) as billing_date,
    coalesce(frozen.owner, present.owner) as owner_before,
    coalesce(present.owner, frozen.owner) as owner,
    case when frozen.job_run_id is null then present.currency else frozen.currency end as currency_before,
    case when present.job_run_id is null then frozen.currency else present.currency end as currency,
    case when frozen.job_run_id is null then present.price_per_cu_hour else frozen.price_per_cu_hour end as price_before,
    case when present.job_run_id is null then frozen.price_per_cu_hour else present.price_per_cu_hour end as price_per_cu_hour
    {%- for amount in amounts %},
    coalesce(frozen.{{ amount }}, 0) as {{ amount }}_before,
    coalesce(present.{{ amount }}, 0) as {{ amount }}
    {%- endfor %}
  from present
  full outer join frozen
    on present.workspace_id = frozen.workspace_id
    and present.job_run_id = frozen.job_run_id
    and present.billing_date = frozen.billing_date
)

select
  workspace_id,
  job_run_id,
  billing_date,
  {{ emr_usage.first_of('month', 'billing_date') }} as billing_month,
  owner_before,
  owner,
  currency_before,
  currency,
  price_before,
  price_per_cu_hour
  {%- for amount in amounts %},
  {{ amount }}_before,
  {{ amount }}
  {%- endfor %}
from compared
where owner_before <> owner
  or coalesce(currency_before, '') <> coalesce(currency, '')
  or coalesce(price_before, -1) <> coalesce(price_per_cu_hour, -1)
  {%- for amount in amounts %}
  or {{ amount }}_before <> {{ amount }}
  {%- endfor %}
