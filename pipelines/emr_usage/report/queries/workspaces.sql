SELECT workspace_id, workspace_name, region_id, last_asked_at FROM {marts}.workspaces ORDER BY workspace_id
