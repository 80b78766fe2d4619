with used as (
  select
    billing_month,
    region_id,
    rate_row_number,
    currency,
    price_per_cu_hour,
    rate_kind,
    rate_source,
    min(billing_date) as first_date,
    max(billing_date) as last_date,
    cast(sum(cu_hours) as {{ emr_usage.type_amount() }}) as cu_hours,
    cast(sum(estimated_cost) as {{ emr_usage.type_amount() }}) as estimated_cost
  from {{ ref('job_run_hours') }}
  group by billing_month, region_id, rate_row_number, currency, price_per_cu_hour, rate_kind, rate_source
),

-- The newest page has the vendor's current price; where nothing is priced, the first of several currencies is shown.
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
  cast(round({{ emr_usage.priced_at('used.cu_hours', 'offered.list_price_per_cu_hour') }}, 6) as {{ emr_usage.type_amount() }}) as cost_at_list_price
from used
left join offered
  on used.region_id = offered.region_id
  and ((used.currency = offered.currency and offered.recency = 1) or (used.currency is null and offered.overall = 1))
