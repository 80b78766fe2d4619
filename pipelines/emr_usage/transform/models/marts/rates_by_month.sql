with used as (
  select
    hours.billing_month,
    costs.region_id,
    hours.rate_row_number,
    hours.currency,
    hours.price_per_cu_hour,
    hours.rate_kind,
    hours.rate_source,
    min(hours.billing_date) as first_date,
    max(hours.billing_date) as last_date,
    cast(sum(hours.cu_hours) as {{ emr_usage.type_exact() }}) as cu_hours,
    cast(sum(hours.estimated_cost) as {{ emr_usage.type_exact() }}) as estimated_cost
  from {{ ref('job_run_hours') }} as hours
  inner join {{ ref('job_run_costs') }} as costs
    on hours.workspace_id = costs.workspace_id and hours.job_run_id = costs.job_run_id
  group by
    hours.billing_month,
    costs.region_id,
    hours.rate_row_number,
    hours.currency,
    hours.price_per_cu_hour,
    hours.rate_kind,
    hours.rate_source
),

-- The newest page is what the vendor offers today; of several currencies the first serves where nothing is priced.
offered as (
  select
    *,
    row_number() over (partition by region_id, currency order by page_date desc, list_price_row_number desc) as recency,
    row_number() over (partition by region_id order by page_date desc, currency, list_price_row_number desc) as overall
  from {{ ref('stg_list_prices') }}
)

select
  used.billing_month,
  used.region_id,
  used.rate_row_number,
  used.rate_kind,
  used.rate_source,
  used.first_date,
  used.last_date,
  used.currency,
  used.price_per_cu_hour,
  used.cu_hours,
  used.estimated_cost,
  offered.currency as list_price_currency,
  offered.list_price_per_cu_hour,
  offered.page_date as list_price_page_date,
  offered.list_price_source,
  cast(round(used.cu_hours * offered.list_price_per_cu_hour, 6) as {{ emr_usage.type_exact() }}) as cost_at_list_price
from used
left join offered
  on used.region_id = offered.region_id
  and ((used.currency = offered.currency and offered.recency = 1) or (used.currency is null and offered.overall = 1))
