select
  one.rate_row_number,
  other.rate_row_number as overlapping_rate_row_number
from {{ ref('stg_rates') }} as one
inner join {{ ref('stg_rates') }} as other
  on one.rate_row_number < other.rate_row_number
  and one.region_id = other.region_id
  and coalesce(one.workspace_id, '') = coalesce(other.workspace_id, '')
  and coalesce(one.resource_queue_id, '') = coalesce(other.resource_queue_id, '')
  and (other.valid_to is null or one.valid_from < other.valid_to)
  and (one.valid_to is null or other.valid_from < one.valid_to)
