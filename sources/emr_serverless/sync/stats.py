"""The statistics of a load."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ..settings import SETTLE_DAYS
from .tasks import WindowResult


@dataclass
class LoadStats:
    """The statistics of a load so far.

    Attributes:
        rows: job runs sent to the destination, each at most once in a package.
        requests: HTTP requests sent for the windows that are done, retries included.
        windows: windows of job runs read, by status.
        incomplete: the results that are not complete.
        workspaces: ids of the workspaces.
        certified_before: those of them whose whole range an earlier run of the same backfill has certified.
        expected_rows: runs on the start axis by the API's counts; None before the first answer.
        hidden_defaults: by workspace, parameters of the API whose absence hides runs; both forms were requested.
        unknown_fields: response fields without a column, as `table.path`, with the rows that had them.
        new_fields: those that no finished load has reported before; known at the end of the load.
        findings: what earlier loads had loaded and the destination lacks, one sentence each.
        redact: what is masked: patterns, strict, or off.
        settle_days: how long after its end a run without figures is requested again.
    """

    rows: int = 0
    requests: int = 0
    windows: Counter[str] = field(default_factory=Counter)
    incomplete: list[WindowResult] = field(default_factory=list)
    workspaces: list[str] = field(default_factory=list)
    certified_before: list[str] = field(default_factory=list)
    expected_rows: int | None = None
    packages: int = 0
    hidden_defaults: dict[str, list[str]] = field(default_factory=dict)
    unknown_fields: Counter[str] = field(default_factory=Counter)
    new_fields: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    redact: str = ""
    settle_days: float = SETTLE_DAYS
