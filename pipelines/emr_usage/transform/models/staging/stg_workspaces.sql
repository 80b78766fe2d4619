{{ emr_usage.raw_table('workspaces', {
  'workspace_id': 'text',
  'workspace_name': 'text',
  'region_id': 'text',
}, key=['workspace_id']) }}
