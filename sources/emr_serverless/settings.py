"""The constants of the API and of the algorithm, each with its reason.

The API is Alibaba Cloud EMR Serverless Spark, version 2023-08-08. Where a value is our choice and not the vendor's,
the comment says what it limits.
"""

from __future__ import annotations

from typing import Final

API_VERSION: Final = "2023-08-08"
# Public endpoint of a region. Inside a VPC the host is emr-serverless-spark-vpc.<region>.aliyuncs.com.
DEFAULT_ENDPOINT: Final = "https://emr-serverless-spark.{region_id}.aliyuncs.com"

# ListJobRuns documents 100 as the most rows of a page.
PAGE_ROWS: Final = 100
# The page size of the documented example: a cheap way to get totalCount when the rows are probably known.
PROBE_ROWS: Final = 20

# Final runs whose figures are missing are requested again until this long after their end. Days.
SETTLE_DAYS: Final = 7
# Ranges of end times that are saved for it, for each workspace: limits the state and the requests.
UNSETTLED_RANGES: Final = 64

INITIAL_DAYS: Final = 30
# What is read again before the cursors: figures may change after a run has ended (the vendor documents ten minutes for Ray
# jobs), rows may become visible late, and tags may be changed. A day covers each of these at the cost of one more day's pages.
LOOKBACK_HOURS: Final = 24
# The horizon is this far behind the clock, so that rows that are just being written are not missed.
HORIZON_LAG_SECONDS: Final = 60
# Below 1,000, a plausible limit of the API for one filter; nine serial pages. Splitting at 900 instead of
# 5,000 takes 234 requests instead of 223 for the first load of 20,000 runs in 90 days: a twentieth more.
WINDOW_ROWS: Final = 900
# Ends are counted in windows of about this many runs: one request for each, if all of them are known. The ids of the known runs
# are in memory until their window is read.
END_WINDOW_ROWS: Final = 5_000
# A count that is a multiple of this may be a limit of the API.
ROUND_COUNT: Final = 50
# A window that holds this many runs in a millisecond, and a round number of them, cannot be proved to hold no more.
LARGE_COUNT: Final = 1_000
# Windows of a workspace that one load splits because rows are missing, plus one for every SHORT_SPLIT_ROWS received rows: a
# limit on rows needs far fewer, and an API whose counts are always too high would cause one for each run.
SHORT_SPLITS: Final = 500
SHORT_SPLIT_ROWS: Final = 20
# One dlt package. Limits the memory of dlt's merge and what a crash can cost.
PACKAGE_ROWS: Final = 200_000
# A package ends earlier if its rows are large: a merge holds the texts of a package in memory, which is limited (see
# docs/decisions/0012). Bytes, as counted by Arrow.
PACKAGE_BYTES: Final = 128 * 1024**2
# Large texts are mostly in one column, and DuckDB merges and copies a table at a time: bytes of the largest column of each page.
PACKAGE_COLUMN_BYTES: Final = 64 * 1024**2
# Rows passed to dlt at once: with fewer, its fixed cost for each table dominates; with more, only memory grows.
BATCH_ROWS: Final = 20_000
# A batch ends earlier if a column of it is large: it becomes a Parquet row group, which DuckDB reads as a whole in each of its
# threads (see docs/decisions/0012). Bytes of the largest column of each page, as counted by Arrow.
BATCH_COLUMN_BYTES: Final = 16 * 1024**2
# In an account of more workspaces than this, the queues and members of a workspace without new runs are listed only once in
# LIST_DAYS: two requests for each workspace and night would be a third of all.
LISTED_WORKSPACES: Final = 100
LIST_DAYS: Final = 7
# Times a window is read before it is recorded as short or failed.
WINDOW_READS: Final = 3
# Times the shrinking set of open runs is read before it is recorded as short.
OPEN_READS: Final = 4
# Consecutive loads in which the API does not return an open run, after which it no longer counts as open.
MISSING_OPEN_RUN_LOADS: Final = 3

REDACT: Final = "patterns"
REDACT_MODES: Final = ("patterns", "strict", "off")
# Characters of the key of strict redaction's digests: enough against guessing.
SHORTEST_REDACT_KEY: Final = 16

MAX_CONNECTIONS: Final = 8
REQUEST_TIMEOUT_SECONDS: Final = 30.0
CONNECT_TIMEOUT_SECONDS: Final = 5.0
# Attempts at one request; with the back-off below, at most a minute and a half before a window fails. Where many loads share a
# quota, four of ten attempts are throttled, and more while they begin: with eight attempts, requests failed.
REQUEST_ATTEMPTS: Final = 14
# Attempts before the first response: a wrong endpoint should be reported in seconds, not minutes.
FIRST_CONTACT_ATTEMPTS: Final = 3
# All attempts and waits of one request.
REQUEST_TOTAL_SECONDS: Final = 300.0
BACKOFF_BASE_SECONDS: Final = 0.5
# Longer waits leave a quota unused when the other loads that share it have ended.
BACKOFF_CAP_SECONDS: Final = 8.0

# The API accepts signatures within fifteen minutes of its clock, which the Date header of its responses shows.
SIGNATURE_ALGORITHM: Final = "ACS3-HMAC-SHA256"
EMPTY_BODY_SHA256: Final = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
