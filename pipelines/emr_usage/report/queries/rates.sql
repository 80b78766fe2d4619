SELECT region_id, rate_row_number, rate_kind, rate_source, first_date, last_date, currency, price_per_cu_hour, cu_hours,
  estimated_cost, list_price_currency, list_price_per_cu_hour, list_price_page_date, list_price_source, cost_at_list_price
FROM {marts}.rates_by_month
WHERE billing_month = DATE '{first}'
ORDER BY region_id, rate_row_number
