"""Every number and name of the API and of the algorithm, each with its reason.

The API is Alibaba Cloud EMR Serverless Spark, version 2023-08-08. Where a value is a choice of ours and not the vendor's,
the comment says what it bounds.
"""

from __future__ import annotations

from typing import Final

API_VERSION: Final = "2023-08-08"
# Public endpoint of a region. Inside a VPC the host is emr-serverless-spark-vpc.<region>.aliyuncs.com.
DEFAULT_ENDPOINT: Final = "https://emr-serverless-spark.{region_id}.aliyuncs.com"

# ListJobRuns documents 100 as the most rows of a page.
PAGE_ROWS: Final = 100
# The documented example page. Enough to learn totalCount cheaply when the rows are probably known already.
PROBE_ROWS: Final = 20

# Final runs whose figures are missing are asked for again until this long after their end. Days.
SETTLE_DAYS: Final = 7
# Ranges of end times that are remembered for it, for each workspace: bounds the state and the requests.
UNSETTLED_RANGES: Final = 64

INITIAL_DAYS: Final = 30
# Re-read behind the cursors: figures settle after a run has ended (the vendor documents ten minutes for Ray jobs), rows may
# become visible late, and tags may be changed afterwards. A day absorbs each of them at the price of one more day's pages.
LOOKBACK_HOURS: Final = 24
# The horizon stays this far behind the clock, so that rows written at this second are visible when we ask.
HORIZON_LAG_SECONDS: Final = 60
# Below 1,000, the most that an API plausibly returns or counts for one filter; nine serial pages. Splitting at 900 instead of
# 5,000 takes 234 requests instead of 223 for the first load of 20,000 runs in 90 days: a twentieth more.
WINDOW_ROWS: Final = 900
# Ends are counted in windows of about this many runs: one request for each where all of them are known already. The ids of those
# that are known wait in memory until their window is asked for.
END_WINDOW_ROWS: Final = 5_000
# Counts that are multiples of this may be a limit of the API's and no count.
ROUND_COUNT: Final = 50
# A window that holds this many runs in a millisecond, and a round number of them, cannot be proved to hold no more.
LARGE_COUNT: Final = 1_000
# Windows of a workspace that one load splits because rows are missing, beside one for every SHORT_SPLIT_ROWS rows it has
# received: a limit on rows needs far fewer, and an API whose counts are always too high would cause one for each run.
SHORT_SPLITS: Final = 500
SHORT_SPLIT_ROWS: Final = 20
# One dlt package. Bounds the memory of dlt's merge and what a crash can cost.
PACKAGE_ROWS: Final = 200_000
# A package ends earlier where its rows are large: a merge holds a package's texts in memory, and small machines say how much they
# have for it (see docs/decisions/0012). Bytes, as Arrow counts them.
PACKAGE_BYTES: Final = 128 * 1024**2
# Rows handed to dlt at once: below this its fixed cost for each table dominates, above it only memory grows.
BATCH_ROWS: Final = 10_000
# Times a window is read before it is recorded as short or failed.
WINDOW_READS: Final = 3
# Times the shrinking set of open runs is read before it is recorded as short.
OPEN_READS: Final = 4
# Loads in a row in which the API does not answer for a run before it leaves the open list.
MISSING_OPEN_RUN_LOADS: Final = 3

REDACT: Final = "patterns"
REDACT_MODES: Final = ("patterns", "strict", "off")
# Characters of the key of strict redaction's digests: nobody finds it by trying.
SHORTEST_REDACT_KEY: Final = 16

MAX_CONNECTIONS: Final = 8
REQUEST_TIMEOUT_SECONDS: Final = 30.0
CONNECT_TIMEOUT_SECONDS: Final = 5.0
# Attempts at one request; with the back-off below about a minute and a half before a window is given up.
REQUEST_ATTEMPTS: Final = 8
# Attempts while nothing has ever answered: a wrong endpoint should be told in seconds, not minutes.
FIRST_CONTACT_ATTEMPTS: Final = 3
# All attempts and waits of one request together.
REQUEST_TOTAL_SECONDS: Final = 300.0
BACKOFF_BASE_SECONDS: Final = 0.5
BACKOFF_CAP_SECONDS: Final = 30.0

# The API's clock window is fifteen minutes; the answer's Date header tells how far off we are.
SIGNATURE_ALGORITHM: Final = "ACS3-HMAC-SHA256"
EMPTY_BODY_SHA256: Final = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
