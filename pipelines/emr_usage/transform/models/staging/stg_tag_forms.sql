-- There are far fewer texts than tags, and folding is slow.
{{ config(materialized='table') }}

with tags as (
  {{ emr_usage.raw_table('job_run_tags', {'tag_key': 'text', 'tag_value': 'text'}) }}
),

texts as (
  select tag_key as tag_text from tags where tag_key is not null
  union
  select tag_value as tag_text from tags where tag_value is not null
)

select tag_text, {{ emr_usage.tag_form('tag_text') }} as form
from texts
