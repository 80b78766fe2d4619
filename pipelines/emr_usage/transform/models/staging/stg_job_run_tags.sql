{{ emr_usage.raw_table('job_run_tags', {
  'workspace_id': 'text',
  'job_run_id': 'text',
  'tag_index': 'integer',
  'tag_key': 'text',
  'tag_value': 'text',
  'observed_at': 'moment',
}, key=['workspace_id', 'job_run_id', 'tag_index'], child_of=['workspace_id', 'job_run_id']) }}
