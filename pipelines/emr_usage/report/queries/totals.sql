SELECT billing_month, currency, SUM(cu_hours) AS cu_hours, SUM(cu_hours_unpriced) AS cu_hours_unpriced,
  SUM(estimated_cost) AS estimated_cost,
  SUM(CASE WHEN owner = 'unallocated' THEN cu_hours ELSE 0 END) AS cu_hours_unallocated,
  SUM(CASE WHEN owner = 'unallocated' THEN cu_hours_unpriced ELSE 0 END) AS cu_hours_unallocated_unpriced,
  SUM(CASE WHEN owner = 'unallocated' THEN estimated_cost END) AS estimated_cost_unallocated
FROM {marts}.chargeback_monthly
WHERE billing_month IN (DATE '{previous}', DATE '{first}')
GROUP BY billing_month, currency
ORDER BY billing_month, currency
