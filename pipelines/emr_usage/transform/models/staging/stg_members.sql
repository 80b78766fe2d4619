{{ emr_usage.raw_table('members', {
  'workspace_id': 'text',
  'user_id': 'text',
  'user_name': 'text',
  'display_name': 'text',
}, key=['workspace_id', 'user_id']) }}
