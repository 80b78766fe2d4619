select
  tags.workspace_id,
  tags.job_run_id,
  tags.tag_index,
  tags.tag_key,
  tags.tag_value,
  keys.form as matched_key,
  tag_values.form as matched_value
from {{ ref('stg_job_run_tags') }} as tags
inner join {{ ref('int_job_runs') }} as runs
  on tags.workspace_id = runs.workspace_id
  and tags.job_run_id = runs.job_run_id
  -- Tags that were read at another time do not belong to this version: a load was killed between the two tables.
  and tags.observed_at = runs.observed_at
left join {{ ref('int_tag_forms') }} as keys
  on tags.tag_key = keys.tag_text
left join {{ ref('int_tag_forms') }} as tag_values
  on tags.tag_value = tag_values.tag_text
