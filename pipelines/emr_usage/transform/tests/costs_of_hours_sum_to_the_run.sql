with amounts as (
  select
    workspace_id,
    job_run_id,
    currency,
    sum(cu_hours) as cu_hours,
    sum(estimated_cost) as estimated_cost,
    sum({{ emr_usage.priced_at('cu_hours', 'price_per_cu_hour') }}) as exact_cost
  from {{ ref('job_run_hours') }}
  group by workspace_id, job_run_id, currency
),

runs as (
  select
    workspace_id,
    job_run_id,
    count(currency) as currencies,
    min(currency) as currency,
    sum(estimated_cost) as estimated_cost,
    sum(case when currency is null then cu_hours else 0 end) as cu_hours_unpriced,
    -- Rounding differences of a run are at most half of the last decimal in each currency.
    max(abs(estimated_cost - exact_cost)) as error
  from amounts
  group by workspace_id, job_run_id
)

select costs.workspace_id, costs.job_run_id, costs.currency, costs.estimated_cost, runs.estimated_cost as estimated_cost_of_hours
from {{ ref('job_run_costs') }} as costs
left join runs
  on costs.workspace_id = runs.workspace_id and costs.job_run_id = runs.job_run_id
where costs.currencies <> coalesce(runs.currencies, 0)
  or (costs.currencies = 1) <> (costs.currency is not null)
  or (costs.currencies = 1) <> (costs.estimated_cost is not null)
  or costs.currency <> runs.currency
  or costs.estimated_cost <> runs.estimated_cost
  or costs.cu_hours_unpriced <> coalesce(runs.cu_hours_unpriced, 0)
  or runs.error > 0.0000005
