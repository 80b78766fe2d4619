"""The undocumented behaviours of the API: one field for each, with its possible values."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Variants:
    """One combination of undocumented behaviours. Hashable, so that it can be part of a cache key.

    Attributes:
        start_filter: What the `startTime` filter compares: the submit time, or the actual start. No row shows an actual
            start, and under `actual_start` a run that is queued, or was cancelled while queued, never matches.
        bounds: Whether both ends of a time range belong to it, neither does, or only the lower one does.
        order: The order of the rows, by submit time; runs of one millisecond follow their ids.
        tokens: What `nextToken` is. `offset`: a position in the list as it is at that moment, which moves while runs join
            and leave. `cursor`: the last row's key, which does not. `expiring`: a cursor that is refused after
            `token_uses` requests.
        token_uses: How many ListJobRuns requests to one workspace an expiring token outlives. The next one that brings the
            token gets a 400 `InvalidParameter`.
        expiry_counts_from: From where an expiring token's requests are counted. `first_page`: from the first page of its listing,
            so short listings always end and long ones cannot, unless they are split. `issue`: from the page that carried
            it, so only a token that waits for others expires.
        short_pages: Whether a page may have fewer rows than asked for although more follow.
        last_page: How a last page says that it is the last: no `nextToken`, a null one, or an empty one.
        end_time_while_running: What `endTime` is until there is one.
        figures_while_open: What `vcoreSeconds`, `mbSeconds` and `cuHours` are before the end. They are null before the
            start under `growing`.
        list_details: Whether ListJobRuns returns `jobDriver` and `configurationOverrides`; its example does, its text says
            that it does not.
        name_match: Whether ListJobRuns' `name` is the whole name or a part of it.
        above_limit: What a `maxResults` above 100 gets: 100 rows, or a 400.
        total_count_limit: The largest `totalCount` that is ever answered, if there is one.
        total_count_excess: By how much every `totalCount` above zero is too high.
        row_limit: How many rows of one listing are ever answered, over all its pages, if there is a limit: the first ones in
            `order`.
        absent_is_workflow: What a request without `isWorkflow` finds: all runs, or only those that belong to no workflow.
        absent_start_days: How many days back, by submit time, a request without `startTime` reaches, if not to the beginning.
        absent_end_days: How many days back, by end time, a request without `endTime` reaches among runs that have ended, if not
            to the beginning.
        absent_states: What a request without `states` finds: runs of every state, or all but the cancelled ones.
        absent_min_duration_ms: How long a run lasts at least that a request without `minDuration` finds.
        figures_delay_hours: How long after a run's end its figures are as they were while it was open; a growing figure is null.
        retention_days: How long after its end a run is returned; None for no limit.
        rows_with_groups: Whether `groupByState` leaves the rows in the answer.
    """

    start_filter: Literal["submit", "actual_start"] = "submit"
    bounds: Literal["inclusive", "exclusive", "half_open"] = "inclusive"
    order: Literal["newest", "oldest"] = "newest"
    tokens: Literal["offset", "cursor", "expiring"] = "offset"
    token_uses: int = 200
    expiry_counts_from: Literal["first_page", "issue"] = "first_page"
    short_pages: bool = False
    last_page: Literal["absent", "null", "empty"] = "absent"
    end_time_while_running: Literal["null", "zero", "absent"] = "null"
    figures_while_open: Literal["growing", "zero", "null", "absent"] = "growing"
    list_details: bool = False
    name_match: Literal["exact", "contains"] = "exact"
    above_limit: Literal["capped", "refused"] = "capped"
    total_count_limit: int | None = None
    total_count_excess: int = 0
    row_limit: int | None = None
    absent_is_workflow: Literal["all", "false"] = "all"
    absent_start_days: int | None = None
    absent_end_days: int | None = None
    absent_states: Literal["all", "not_cancelled"] = "all"
    absent_min_duration_ms: int = 0
    figures_delay_hours: int = 0
    retention_days: int | None = None
    rows_with_groups: bool = True
