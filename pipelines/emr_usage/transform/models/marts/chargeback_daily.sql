{{ emr_usage.chargeback('billing_date') }}
