-- One row, which every build and report reads.
with rates as (
  {{ emr_usage.listed(ref('stg_rates'), 'rate_row_number', [
    'region_id', 'workspace_id', 'resource_queue_id', 'currency', 'price_per_cu_hour', 'rate_kind', 'valid_from', 'valid_to', 'rate_source'
  ]) }}
),

owners as (
  {{ emr_usage.listed(ref('int_owner_rules'), 'rule_number', [
    'owner', 'tag_key', 'tag_value', 'creator', 'resource_queue_id', 'workspace_id', 'job_name', 'valid_from', 'valid_to'
  ]) }}
),

settings as (
  select '{{ emr_usage.models_version() }} {{ var("billing_time_zone") }}' as listed
)

select
  '{{ var("billing_time_zone") }}' as billing_time_zone,
  '{{ emr_usage.models_version() }}' as split_version,
  {{ dbt.hash("concat(settings.listed, coalesce(rates.listed, ''))") }} as pricing_version,
  {{ dbt.hash("concat(settings.listed, ' " ~ var("workflow_tag_keys") | join(" ") ~ " ', coalesce(rates.listed, ''), ' ', coalesce(owners.listed, ''))") }} as charging_version
from settings
cross join rates
cross join owners
