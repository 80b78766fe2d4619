SELECT workspace_id, axis, certified_from, certified_until
FROM {marts}.certified_ranges
WHERE certified_from < TIMESTAMPTZ '{until_utc}' AND certified_until > TIMESTAMPTZ '{before_utc}'
ORDER BY workspace_id, axis, certified_from
