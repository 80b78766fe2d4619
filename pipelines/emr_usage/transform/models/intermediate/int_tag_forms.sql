-- There are far fewer texts than tags, and folding is slow. The same in Python is emr_usage/inputs/tags.py.
{{ config(materialized='table') }}

{%- set from_letters = emr_usage.folded_from() -%}
{%- set to_letters = emr_usage.folded_to() -%}
{%- set several = emr_usage.folded_to_several() -%}
{#- A to Z come first; the others take 0.2 ms a text in DuckDB. -#}
{%- set others = '[' ~ from_letters[26:] ~ several | map('first') | join ~ ']' %}

with texts as (
  select tag_key as tag_text from {{ ref('stg_job_run_tags') }}
  union all select tag_value as tag_text from {{ ref('stg_job_run_tags') }}
  union all select tag_key as tag_text from {{ ref('stg_owners') }}
  union all select tag_value as tag_text from {{ ref('stg_owners') }}
),

composed as (
  select tag_text, {{ emr_usage.composed(emr_usage.trimmed('tag_text')) }} as form
  from (select distinct tag_text from texts where tag_text is not null) as distinct_texts
),

folded_0 as (
  select tag_text, translate(form, '{{ from_letters }}', '{{ to_letters }}') as form
  from composed
  where {{ emr_usage.has_match('form', others) }}
),
{#- This many nested calls are too deep for some parsers. #}
{% for letters in several | batch(13) %}
{%- set folded = namespace(form='form') -%}
{%- for one, more in letters %}{% set folded.form = "replace(" ~ folded.form ~ ", '" ~ one ~ "', '" ~ more ~ "')" %}{% endfor %}
folded_{{ loop.index }} as (
  select tag_text, {{ folded.form }} as form
  from folded_{{ loop.index0 }}
),
{% endfor %}
folded as (
  select tag_text, form
  from folded_{{ several | batch(13) | list | length }}

  union all

  select tag_text, translate(form, '{{ from_letters[:26] }}', '{{ to_letters[:26] }}') as form
  from composed
  where not {{ emr_usage.has_match('form', others) }}
)

-- Folding can leave a letter and its accent apart.
select tag_text, {{ emr_usage.composed('form') }} as form
from folded
