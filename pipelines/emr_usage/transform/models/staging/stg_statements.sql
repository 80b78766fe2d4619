{{ emr_usage.raw_table('statements', {
  'billing_month': 'date',
  'closed_at': 'moment',
  'billing_time_zone': 'text',
  'models_version': 'text',
  'settlement_adjustment': 'flag',
}, dataset='emr_statements') }}
