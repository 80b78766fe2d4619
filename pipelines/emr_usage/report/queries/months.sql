SELECT DISTINCT billing_month FROM {marts}.chargeback_monthly ORDER BY billing_month
