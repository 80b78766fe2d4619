{{ emr_usage.raw_table('statement_job_runs', {
  'statement_month': 'date',
  'workspace_id': 'text',
  'job_run_id': 'text',
  'billing_date': 'date',
  'owner': 'text',
  'currency': 'text',
  'price_per_cu_hour': 'price',
  'cu_hours': 'amount',
  'estimated_cost': 'amount',
  'settlement_cu_hours': 'amount',
  'settlement_adjustment': 'amount',
}, dataset='emr_statements') }}
