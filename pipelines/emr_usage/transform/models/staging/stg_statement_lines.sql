{{ emr_usage.raw_table('statement_lines', {
  'billing_month': 'date',
  'adjusted_month': 'date',
  'cause': 'text',
  'owner': 'text',
  'workspace_id': 'text',
  'currency': 'text',
  'cu_hours': 'amount',
  'cu_hours_unpriced': 'amount',
  'estimated_cost': 'amount',
  'settlement_cu_hours': 'amount',
  'settlement_adjustment': 'amount',
}, dataset='emr_statements') }}
