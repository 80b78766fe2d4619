-- Whether the figures of a month may still change, and why.
with months as (
  select distinct billing_month
  from (
    select billing_month from {{ ref('job_run_hours') }}
    union all
    select billing_month from {{ ref('job_runs_without_usage') }}
  ) as months_of_runs
),

bounds as (
  select
    billing_month,
    {{ emr_usage.epoch_us(emr_usage.midnight('billing_month')) }} as from_us,
    {{ emr_usage.epoch_us(emr_usage.midnight('cast(' ~ dbt.dateadd('month', 1, 'billing_month') ~ ' as date)')) }} as until_us
  from months
),

axes as (
  select 'start' as axis
  union all select 'end'
),

-- A workspace that no load has read since the month began is not counted as missing.
asked as (
  select bounds.billing_month, bounds.from_us, bounds.until_us, workspaces.workspace_id, axes.axis
  from bounds
  inner join {{ ref('workspaces') }} as workspaces
    on {{ emr_usage.epoch_us('workspaces.last_asked_at') }} >= bounds.from_us
  cross join axes
),

certified as (
  select
    asked.billing_month,
    min(
      case
        when ranges.until_us is null then asked.from_us
        when ranges.until_us > asked.until_us then asked.until_us
        else ranges.until_us
      end
    ) as certified_us
  from asked
  left join {{ ref('certified_ranges') }} as ranges
    on asked.workspace_id = ranges.workspace_id
    and asked.axis = ranges.axis
    and ranges.from_us <= asked.from_us
    and ranges.until_us > asked.from_us
  group by asked.billing_month
),

incomplete as (
  select bounds.billing_month, count(*) as windows
  from bounds
  inner join {{ ref('incomplete_windows') }} as windows
    on windows.window_start is null
    or (
      {{ emr_usage.epoch_us('windows.window_start') }} < bounds.until_us
      and {{ emr_usage.epoch_us('windows.window_end') }} >= bounds.from_us
    )
  group by bounds.billing_month
),

opened as (
  select {{ emr_usage.first_of('month', emr_usage.billing_date('charged_until')) }} as billing_month, count(*) as job_runs
  from {{ ref('int_job_runs') }}
  where not is_final
  group by 1
),

without_usage as (
  select
    billing_month,
    count(case when not is_final then 1 end) as open_runs,
    count(case when is_final and is_awaited then 1 end) as ended_runs_awaited,
    count(case when is_final then 1 end) as ended_runs
  from {{ ref('job_runs_without_usage') }}
  group by billing_month
),

counted as (
  select
    bounds.billing_month,
    bounds.until_us,
    case when certified.certified_us > bounds.from_us then certified.certified_us end as certified_us,
    coalesce(incomplete.windows, 0) as incomplete_windows,
    coalesce(opened.job_runs, 0) as open_runs,
    coalesce(without_usage.open_runs, 0) as open_runs_without_usage,
    coalesce(without_usage.ended_runs_awaited, 0) as ended_runs_awaited,
    coalesce(without_usage.ended_runs, 0) as ended_runs_without_usage
  from bounds
  left join certified
    on bounds.billing_month = certified.billing_month
  left join incomplete
    on bounds.billing_month = incomplete.billing_month
  left join opened
    on bounds.billing_month = opened.billing_month
  left join without_usage
    on bounds.billing_month = without_usage.billing_month
)

select
  billing_month,
  case
    when certified_us = until_us
      and incomplete_windows + open_runs + open_runs_without_usage + ended_runs_awaited = 0 then 'final'
    else 'provisional'
  end as month_status,
  {{ emr_usage.moment_of('certified_us') }} as certified_until,
  certified_us is not null and certified_us = until_us as is_certified,
  incomplete_windows,
  open_runs,
  open_runs_without_usage,
  ended_runs_awaited,
  ended_runs_without_usage
from counted
