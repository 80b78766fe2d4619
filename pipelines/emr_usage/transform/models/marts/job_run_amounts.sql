-- A view: every row is a sum of a few hours.
{{ config(materialized='view') }}

select
  workspace_id,
  job_run_id,
  currency,
  cast(sum(cu_hours) as {{ emr_usage.type_amount() }}) as cu_hours,
  cast(sum(estimated_cost) as {{ emr_usage.type_amount() }}) as estimated_cost
from {{ ref('job_run_hours') }}
group by workspace_id, job_run_id, currency
