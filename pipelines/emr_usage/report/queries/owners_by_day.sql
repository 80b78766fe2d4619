SELECT billing_date, owner, currency, SUM(cu_hours) AS cu_hours, SUM(estimated_cost) AS estimated_cost
FROM {marts}.chargeback_daily
WHERE billing_date >= DATE '{first}' AND billing_date < DATE '{next}'
GROUP BY billing_date, owner, currency
ORDER BY billing_date, owner, currency
