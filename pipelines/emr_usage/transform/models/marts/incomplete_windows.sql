with latest as (
  select
    *,
    row_number() over (partition by workspace_id, region_id, axis, window_id order by finished_at desc, load desc) as recency
  from {{ ref('stg_extraction_windows') }}
)

select
  latest.workspace_id,
  latest.region_id,
  latest.axis,
  latest.window_id,
  latest.window_start,
  latest.window_end,
  latest.total_count,
  latest.rows_distinct,
  latest.status,
  latest.error_code,
  latest.load
from latest
left join {{ ref('certified_ranges') }} as ranges
  on latest.workspace_id = ranges.workspace_id
  and latest.axis = ranges.axis
  and latest.from_us >= ranges.from_us
  and latest.until_us <= ranges.until_us
-- A range that was short is made good by windows of other bounds, too.
where latest.recency = 1
  and latest.status <> 'complete'
  and ranges.workspace_id is null
