SELECT workspace_id, workspace_name, region_id FROM {marts}.workspaces ORDER BY workspace_id
