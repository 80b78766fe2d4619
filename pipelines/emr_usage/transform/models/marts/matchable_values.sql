{% for field, column in {
  'region_id': 'region_id',
  'workspace_id': 'workspace_id',
  'resource_queue_id': 'resource_queue_id',
  'creator': 'creator',
  'job_name': 'name',
}.items() %}
select
  '{{ field }}' as field,
  cast(null as {{ dbt.type_string() }}) as tag_key,
  {{ column }} as matchable_value,
  count(*) as job_runs
from {{ ref('int_job_runs') }}
where {{ column }} is not null
group by {{ column }}

union all

{% endfor %}
select
  'tag_key' as field,
  cast(null as {{ dbt.type_string() }}) as tag_key,
  matched_key as matchable_value,
  count(*) as job_runs
from {{ ref('int_job_run_tags') }}
where matched_key is not null
group by matched_key

union all

select
  'tag_value' as field,
  matched_key as tag_key,
  matched_value as matchable_value,
  count(*) as job_runs
from {{ ref('int_job_run_tags') }}
where matched_key is not null and matched_value is not null
group by matched_key, matched_value
