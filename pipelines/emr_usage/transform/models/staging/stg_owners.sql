with owners as (
  {{ emr_usage.raw_table('owners', {
    'rule_number': 'integer',
    'owner': 'text',
    'tag_key': 'text',
    'tag_value': 'text',
    'creator': 'text',
    'resource_queue_id': 'text',
    'workspace_id': 'text',
    'job_name': 'text',
    'valid_from': 'date',
    'valid_to': 'date',
  }) }}
)

select
  rule_number,
  trim(owner) as owner,
  nullif(lower(trim(tag_key)), '') as tag_key,
  nullif(lower(trim(tag_value)), '') as tag_value,
  nullif(trim(creator), '') as creator,
  nullif(trim(resource_queue_id), '') as resource_queue_id,
  nullif(trim(workspace_id), '') as workspace_id,
  nullif(trim(job_name), '') as job_name,
  {{ emr_usage.pattern_of("nullif(trim(job_name), '')") }} as job_name_pattern,
  valid_from,
  valid_to
from owners
