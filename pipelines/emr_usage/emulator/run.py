"""A job run with all its moments, from which the API's response at any time follows."""

from dataclasses import dataclass, field
from typing import Any

# api.md section 5.1: the discount by GiB per core; each band is half open, closed below.
DISCOUNT_BANDS = ((2.0, 0.7), (3.0, 0.8), (4.0, 0.9))
MIB_PER_CU = 4096
DEFAULT_SETTLE_MS = 5 * 60_000


@dataclass
class Run:
    """A job run: its moments in epoch milliseconds, its rates, and the fields that do not move.

    Attributes:
        workspace_id: The workspace it runs in.
        job_run_id: Its id, unique in the workspace.
        submit_ms: When it is submitted; before that the API does not know it.
        pending_ms: When it leaves Submitted for Pending; None means that it stays Submitted until it starts or ends.
        start_ms: When it starts; None means never (cancelled while queued). No answer of the API shows it.
        cancelling_ms: When Cancelling begins, if ever.
        end_ms: When it ends; None means never.
        final_state: Its state from `end_ms` on: Success, Failed, Cancelled, CancelFailed, or an unknown one.
        fields: The API fields that do not change, `jobDriver` and `configurationOverrides` among them; each operation
            shows those that it has. A field of the same name as a computed one replaces it.
        open_fields: Fields that are shown only until the end, such as log links.
        final_fields: Fields that are shown only from the end on, such as a failure's message.
        hidden: Names of fields that are never shown for this run, computed ones included.
        vcores: Cores it occupies while it runs.
        memory_mib: MiB it occupies while it runs.
        settle_ms: How far behind the figures are: until this long after the end they still grow.
        is_workflow: What the `isWorkflow` filter compares.
        deployment_id: What the `jobRunDeploymentId` filter compares.
        running_state: The state's name while it runs; another one tries readers that know only eight states.
        cancel_failed_ms: When a cancellation fails: the state is CancelFailed from then on, and the run continues.

    Raises:
        ValueError: The moments are out of order.
    """

    workspace_id: str
    job_run_id: str
    submit_ms: int
    pending_ms: int | None = None
    start_ms: int | None = None
    cancelling_ms: int | None = None
    end_ms: int | None = None
    final_state: str = "Success"
    fields: dict[str, Any] = field(default_factory=dict)
    open_fields: dict[str, Any] = field(default_factory=dict)
    final_fields: dict[str, Any] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    vcores: float = 2.0
    memory_mib: int = 8192
    settle_ms: int = DEFAULT_SETTLE_MS
    is_workflow: bool = False
    deployment_id: str | None = None
    running_state: str = "Running"
    cancel_failed_ms: int | None = None

    def __post_init__(self) -> None:
        moments = (
            self.submit_ms,
            self.pending_ms,
            self.start_ms,
            self.cancelling_ms,
            self.cancel_failed_ms,
            self.end_ms,
        )
        lived = [moment for moment in moments if moment is not None]
        if lived != sorted(lived):
            raise ValueError(f"{self.job_run_id}: moments out of order (submit, pending, start, cancelling, end): {moments}")

    @property
    def key(self) -> tuple[int, str]:
        """What the API's order and its cursors go by."""
        return self.submit_ms, self.job_run_id

    def state_at(self, now_ms: int) -> str | None:
        """The state as of `now_ms`; None before it is submitted."""
        if now_ms < self.submit_ms:
            return None
        return self.final_state if self.ended_by(now_ms) else self._open_state(now_ms)

    def _open_state(self, now_ms: int) -> str:
        latest_first = (
            (self.cancel_failed_ms, "CancelFailed"),
            (self.cancelling_ms, "Cancelling"),
            (self.start_ms, self.running_state),
            (self.pending_ms, "Pending"),
        )
        return next((state for since, state in latest_first if since is not None and since <= now_ms), "Submitted")

    def started_by(self, now_ms: int) -> bool:
        """Whether it has started by `now_ms`."""
        return self.start_ms is not None and self.start_ms <= now_ms

    def ended_by(self, now_ms: int) -> bool:
        """Whether it has ended by `now_ms`."""
        return self.end_ms is not None and self.end_ms <= now_ms

    def settled_by(self, now_ms: int) -> bool:
        """Whether nothing about it changes any more after `now_ms`."""
        return self.end_ms is not None and self.end_ms + self.settle_ms <= now_ms

    def duration_ms(self, now_ms: int) -> int:
        """Milliseconds it has run by `now_ms`; 0 if it has not started."""
        if self.start_ms is None:
            return 0
        until_ms = now_ms if self.end_ms is None else min(now_ms, self.end_ms)
        return max(0, until_ms - self.start_ms)

    def figures(self, now_ms: int) -> tuple[int, int, float]:
        """`vcoreSeconds`, `mbSeconds` (MiB-seconds) and `cuHours` as measured by `now_ms`, which is `settle_ms` behind."""
        measured_ms = self.duration_ms(now_ms - self.settle_ms)
        vcore_seconds = int(self.vcores * measured_ms / 1000)
        mb_seconds = self.memory_mib * measured_ms // 1000
        return vcore_seconds, mb_seconds, estimated_cu_hours(vcore_seconds, mb_seconds)


def estimated_cu_hours(vcore_seconds: int, mb_seconds: int) -> float:
    """The API's `cuHours` for these figures, by the formula that reproduces its documented examples (api.md section 6).

    Args:
        vcore_seconds: Core-seconds.
        mb_seconds: MiB-seconds.
    """
    if vcore_seconds == 0:
        return 0.0
    gib_per_core = mb_seconds / 1024 / vcore_seconds
    factor = next((factor for below, factor in DISCOUNT_BANDS if gib_per_core < below), 1.0)
    return round(max(vcore_seconds, mb_seconds / MIB_PER_CU) / 3600 * factor, 6)
