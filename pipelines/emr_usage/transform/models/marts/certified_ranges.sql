-- Windows that were read completely, joined where they overlap or touch.
with complete as (
  select resource, workspace_id, axis, from_us, until_us
  from {{ ref('stg_extraction_windows') }}
  where status = 'complete' and axis in ('start', 'end')
),

reached as (
  select
    resource,
    workspace_id,
    axis,
    from_us,
    until_us,
    max(until_us) over (
      partition by resource, workspace_id, axis order by from_us, until_us rows between unbounded preceding and 1 preceding
    ) as reached_us
  from complete
),

numbered as (
  select
    resource,
    workspace_id,
    axis,
    from_us,
    until_us,
    sum(case when from_us <= reached_us then 0 else 1 end) over (
      partition by resource, workspace_id, axis order by from_us, until_us rows between unbounded preceding and current row
    ) as range_number
  from reached
)

select
  resource,
  workspace_id,
  axis,
  {{ emr_usage.moment_of('min(from_us)') }} as certified_from,
  {{ emr_usage.moment_of('max(until_us)') }} as certified_until,
  min(from_us) as from_us,
  max(until_us) as until_us
from numbered
group by resource, workspace_id, axis, range_number
