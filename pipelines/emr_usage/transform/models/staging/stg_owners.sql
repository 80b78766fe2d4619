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
  {{ emr_usage.trimmed('owner') }} as owner,
  tag_key,
  tag_value,
  nullif({{ emr_usage.trimmed('creator') }}, '') as creator,
  nullif({{ emr_usage.trimmed('resource_queue_id') }}, '') as resource_queue_id,
  nullif({{ emr_usage.trimmed('workspace_id') }}, '') as workspace_id,
  nullif({{ emr_usage.trimmed('job_name') }}, '') as job_name,
  valid_from,
  valid_to
from owners
