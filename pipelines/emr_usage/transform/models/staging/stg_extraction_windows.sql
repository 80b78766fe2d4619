with windows as (
  {{ emr_usage.raw_table('extraction_windows', {
    'load': 'text',
    'window_id': 'text',
    'resource': 'text',
    'workspace_id': 'text',
    'region_id': 'text',
    'axis': 'text',
    'window_start': 'moment',
    'window_end': 'moment',
    'total_count': 'integer',
    'rows_distinct': 'integer',
    'status': 'text',
    'error_code': 'text',
    'finished_at': 'moment',
  }, key=['load', 'window_id']) }}
)

select
  load,
  window_id,
  resource,
  workspace_id,
  region_id,
  axis,
  window_start,
  window_end,
  {{ emr_usage.epoch_us('window_start') }} as from_us,
  -- The last millisecond of a window is part of it.
  {{ emr_usage.epoch_us('window_end') }} + 1000 as until_us,
  total_count,
  rows_distinct,
  status,
  error_code,
  finished_at
from windows
