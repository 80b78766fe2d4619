with asked as (
  select workspace_id, min(region_id) as region_id, max(finished_at) as last_asked_at
  from {{ ref('stg_extraction_windows') }}
  where axis in ('start', 'end', 'open')
  group by workspace_id
)

-- A workspace that is named, in one region, is read without being listed.
select
  coalesce(listed.workspace_id, asked.workspace_id) as workspace_id,
  listed.workspace_name,
  coalesce(listed.region_id, asked.region_id) as region_id,
  asked.last_asked_at
from {{ ref('stg_workspaces') }} as listed
full outer join asked
  on listed.workspace_id = asked.workspace_id
