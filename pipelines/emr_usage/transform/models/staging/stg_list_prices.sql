with list_prices as (
  {{ emr_usage.raw_table('list_prices', {
    'row_number': 'integer',
    'region_id': 'text',
    'currency': 'text',
    'price_per_cu_hour': 'price',
    'page_date': 'date',
    'source': 'text',
  }) }}
)

select
  row_number as list_price_row_number,
  {{ emr_usage.trimmed('region_id') }} as region_id,
  upper({{ emr_usage.trimmed('currency') }}) as currency,
  price_per_cu_hour as list_price_per_cu_hour,
  page_date,
  source as list_price_source
from list_prices
