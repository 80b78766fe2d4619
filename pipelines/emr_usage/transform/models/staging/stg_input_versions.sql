with rates as (
  select {{ dbt.listagg('line', "';'", 'order by rate_row_number, line') }} as listed
  from (
    select
      rate_row_number,
      {{ emr_usage.line_of(['rate_row_number', 'region_id', 'workspace_id', 'resource_queue_id', 'currency', 'price_per_cu_hour', 'rate_kind', 'valid_from', 'valid_to', 'rate_source']) }} as line
    from {{ ref('stg_rates') }}
  ) as lines
),

owners as (
  select {{ dbt.listagg('line', "';'", 'order by rule_number, line') }} as listed
  from (
    select
      rule_number,
      {{ emr_usage.line_of(['rule_number', 'owner', 'tag_key', 'tag_value', 'creator', 'resource_queue_id', 'workspace_id', 'job_name', 'valid_from', 'valid_to']) }} as line
    from {{ ref('stg_owners') }}
  ) as lines
),

settings as (
  select '{{ emr_usage.models_version() }} {{ var("billing_time_zone") }}' as listed
)

select
  {{ dbt.hash("concat(settings.listed, coalesce(rates.listed, ''))") }} as pricing_version,
  {{ dbt.hash("concat(settings.listed, ' " ~ var("workflow_tag_keys") | join(" ") ~ " ', coalesce(rates.listed, ''), ' ', coalesce(owners.listed, ''))") }} as charging_version
from settings
cross join rates
cross join owners
