-- The charges of a billing day, one for each job run: a run has one rate on a day. Usage without a rate has no cost and is no charge.
WITH charged_use AS (
  SELECT workspace_id, job_run_id, region_id, billing_month, billing_date, currency, price_per_cu_hour, rate_kind, rate_row_number,
    MIN(hour_start) AS first_hour, MAX(hour_start) AS last_hour,
    SUM(cu_hours) AS cu_hours, SUM(estimated_cost) AS estimated_cost
  FROM {marts}.job_run_hours
  WHERE billing_date = %s AND pricing_status = 'priced'
  GROUP BY workspace_id, job_run_id, region_id, billing_month, billing_date, currency, price_per_cu_hour, rate_kind, rate_row_number
),

-- Where the rate is not a list price and the vendor publishes none in its currency, there is only the rate.
priced AS (
  SELECT charged_use.*,
    CASE
      WHEN charged_use.rate_kind <> 'list' AND rates.list_price_currency = charged_use.currency THEN rates.list_price_per_cu_hour
      ELSE charged_use.price_per_cu_hour
    END AS list_price,
    CASE
      WHEN charged_use.rate_kind = 'list' THEN 'rates.csv'
      WHEN rates.list_price_currency = charged_use.currency THEN 'list_prices.csv'
      ELSE 'none'
    END AS list_price_source
  FROM charged_use
  LEFT JOIN {marts}.rates_by_month AS rates
    ON rates.billing_month = charged_use.billing_month AND rates.region_id = charged_use.region_id
    AND rates.rate_row_number = charged_use.rate_row_number
),

tags AS (
  SELECT tags.workspace_id, tags.job_run_id,
    '[' || STRING_AGG(
      '[' || CAST(TO_JSON(tags.tag_key) AS VARCHAR) || ',' || COALESCE(CAST(TO_JSON(tags.tag_value) AS VARCHAR), 'null') || ']',
      ',' ORDER BY tags.tag_index
    ) || ']' AS pairs
  FROM charged_use
  INNER JOIN {staging}.stg_job_run_tags AS tags
    ON tags.workspace_id = charged_use.workspace_id AND tags.job_run_id = charged_use.job_run_id
  -- Tags that were read at another time do not belong to this version of the run, as in int_job_run_tags.
  INNER JOIN {staging}.stg_job_runs AS runs
    ON runs.workspace_id = tags.workspace_id AND runs.job_run_id = tags.job_run_id AND runs.observed_at = tags.observed_at
  GROUP BY tags.workspace_id, tags.job_run_id
)

SELECT priced.workspace_id, workspaces.workspace_name, priced.region_id, priced.job_run_id, costs.job_run_name, costs.job_key,
  costs.state, costs.resource_queue_id, COALESCE(costs.owner, 'unallocated') AS owner, tags.pairs AS tag_pairs,
  priced.billing_date, priced.first_hour, priced.last_hour, priced.currency, priced.cu_hours, priced.estimated_cost,
  priced.price_per_cu_hour, priced.list_price, priced.list_price_source,
  -- Within 38 digits: a run has at most twelve before the point, a price eight.
  CAST(priced.cu_hours AS DECIMAL(20, 6)) * priced.price_per_cu_hour AS contracted_cost,
  CAST(priced.cu_hours AS DECIMAL(20, 6)) * priced.list_price AS list_cost
FROM priced
INNER JOIN {marts}.job_run_costs AS costs ON costs.workspace_id = priced.workspace_id AND costs.job_run_id = priced.job_run_id
LEFT JOIN {marts}.workspaces AS workspaces ON workspaces.workspace_id = priced.workspace_id
LEFT JOIN tags ON tags.workspace_id = priced.workspace_id AND tags.job_run_id = priced.job_run_id
ORDER BY priced.workspace_id, priced.job_run_id
