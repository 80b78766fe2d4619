SELECT owner, currency,
  SUM(CASE WHEN billing_month = DATE '{first}' THEN cu_hours ELSE 0 END) AS cu_hours,
  SUM(CASE WHEN billing_month = DATE '{first}' THEN cu_hours_unpriced ELSE 0 END) AS cu_hours_unpriced,
  SUM(CASE WHEN billing_month = DATE '{first}' THEN estimated_cost END) AS estimated_cost,
  SUM(CASE WHEN billing_month = DATE '{previous}' THEN estimated_cost END) AS estimated_cost_before
FROM {marts}.chargeback_monthly
WHERE billing_month IN (DATE '{previous}', DATE '{first}')
GROUP BY owner, currency
ORDER BY owner, currency
