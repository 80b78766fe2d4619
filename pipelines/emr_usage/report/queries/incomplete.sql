SELECT workspace_id, region_id, axis, window_start, window_end, status, rows_distinct, total_count, error_code, COUNT(*) OVER () AS of_all
FROM {marts}.incomplete_windows
WHERE window_start IS NULL OR (window_start < TIMESTAMPTZ '{until_utc}' AND window_end >= TIMESTAMPTZ '{from_utc}')
ORDER BY workspace_id, axis, window_start
LIMIT 20
