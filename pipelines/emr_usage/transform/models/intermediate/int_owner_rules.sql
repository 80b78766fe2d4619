select
  owners.rule_number,
  owners.owner,
  nullif(keys.form, '') as tag_key,
  nullif(tag_values.form, '') as tag_value,
  owners.creator,
  owners.resource_queue_id,
  owners.workspace_id,
  owners.job_name,
  {{ emr_usage.pattern_of('owners.job_name') }} as job_name_pattern,
  owners.valid_from,
  owners.valid_to
from {{ ref('stg_owners') }} as owners
left join {{ ref('int_tag_forms') }} as keys
  on owners.tag_key = keys.tag_text
left join {{ ref('int_tag_forms') }} as tag_values
  on owners.tag_value = tag_values.tag_text
