with rates as (
  {{ emr_usage.raw_table('rates', {
    'row_number': 'integer',
    'region_id': 'text',
    'workspace_id': 'text',
    'resource_queue_id': 'text',
    'currency': 'text',
    'price_per_cu_hour': 'price',
    'price_kind': 'text',
    'valid_from': 'date',
    'valid_to': 'date',
    'source': 'text',
  }) }}
)

select
  row_number as rate_row_number,
  {{ emr_usage.trimmed('region_id') }} as region_id,
  nullif({{ emr_usage.trimmed('workspace_id') }}, '') as workspace_id,
  nullif({{ emr_usage.trimmed('resource_queue_id') }}, '') as resource_queue_id,
  upper({{ emr_usage.trimmed('currency') }}) as currency,
  price_per_cu_hour,
  price_kind as rate_kind,
  valid_from,
  valid_to,
  source as rate_source
from rates
