SELECT month_status, certified_until, is_certified, incomplete_windows, open_runs, open_runs_without_usage, ended_runs_awaited,
  ended_runs_without_usage
FROM {marts}.billing_months
WHERE billing_month = DATE '{first}'
