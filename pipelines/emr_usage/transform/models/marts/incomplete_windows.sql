with asked as (
  select
    *,
    row_number() over (partition by workspace_id, region_id, axis, window_id order by finished_at desc, load desc) as recency,
    max(load) over (partition by workspace_id, region_id) as newest_load,
    max(load) over () as newest_load_of_all
  from {{ ref('stg_extraction_windows') }}
)

select
  asked.resource,
  asked.workspace_id,
  asked.region_id,
  asked.axis,
  asked.window_id,
  asked.window_start,
  asked.window_end,
  asked.total_count,
  asked.rows_distinct,
  asked.status,
  asked.error_code,
  asked.load
from asked
left join {{ ref('certified_ranges') }} as ranges
  on asked.resource = ranges.resource
  and asked.workspace_id = ranges.workspace_id
  and asked.axis = ranges.axis
  and asked.from_us >= ranges.from_us
  and asked.until_us <= ranges.until_us
where asked.recency = 1
  and asked.status <> 'complete'
  -- A range that was short can also be completed by windows of other bounds.
  and ranges.workspace_id is null
  -- A window without bounds matters only in its load, if a later load has read the same workspace. A workspace that does not
  -- exist is requested only by name, and no longer once the name is corrected.
  and (
    asked.window_start is not null
    or asked.load = case when asked.resource = 'workspaces' and asked.workspace_id <> '*' then asked.newest_load_of_all else asked.newest_load end
  )
