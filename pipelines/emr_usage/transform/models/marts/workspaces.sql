with workspaces as (
  {{ emr_usage.raw_table('workspaces', {
    'workspace_id': 'text',
    'workspace_name': 'text',
    'region_id': 'text',
  }) }}
)

select
  workspace_id,
  workspace_name,
  region_id
from workspaces
