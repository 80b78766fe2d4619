{{ emr_usage.chargeback('billing_month') }}
