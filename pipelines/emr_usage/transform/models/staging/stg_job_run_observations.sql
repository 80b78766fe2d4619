{{ emr_usage.raw_table('job_run_observations', {
  'workspace_id': 'text',
  'job_run_id': 'text',
  'observed_at': 'moment',
  'state': 'text',
  'cu_hours': 'exact',
}, key=['workspace_id', 'job_run_id', 'observed_at']) }}
