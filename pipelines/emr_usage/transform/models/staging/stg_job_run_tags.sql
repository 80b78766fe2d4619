with tags as (
  {{ emr_usage.raw_table('job_run_tags', {
    'workspace_id': 'text',
    'job_run_id': 'text',
    'tag_index': 'integer',
    'tag_key': 'text',
    'tag_value': 'text',
    'observed_at': 'moment',
  }) }}
)

select
  tags.workspace_id,
  tags.job_run_id,
  tags.tag_index,
  tags.tag_key,
  tags.tag_value,
  lower(trim(tags.tag_key)) as matched_key,
  lower(trim(tags.tag_value)) as matched_value
from tags
inner join {{ ref('stg_job_runs') }} as runs
  on tags.workspace_id = runs.workspace_id
  and tags.job_run_id = runs.job_run_id
  -- Tags of another reading are not this run's: a load was cut off between the two tables.
  and tags.observed_at = runs.observed_at
