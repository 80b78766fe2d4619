with charged as (
  {{ emr_usage.chargeback('billing_month') }}
)

select charged.*, months.month_status
from charged
left join {{ ref('billing_months') }} as months
  on charged.billing_month = months.billing_month
