"""The emulator as a service of its own, for demonstrations: a company whose clock runs."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from .clock import Clock, epoch_ms
from .faults import Faults
from .scenario import company
from .server import Emulator
from .variants import Variants

# On some platforms, Ctrl-C does not interrupt a wait without a timeout.
WAKE_SECONDS = 1.0


def serve_forever(
    now: datetime | int,
    *,
    port: int = 8600,
    seed: int = 8,
    days: int = 30,
    runs_per_day: int = 400,
    region_ids: Sequence[str] = ("cn-hangzhou",),
    workspaces_per_region: int = 2,
    variants: Variants | None = None,
    faults: Faults | None = None,
    verify_signatures: bool = True,
    announce: Callable[[Emulator], object] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Serve a generated company until Ctrl-C, or until `stop` is set; its time runs on from `now`.

    Args:
        now: What time it is for the data at first.
        port: Where to listen on the loopback interface; 0 takes a free port.
        seed: Which company.
        days: How long its history is.
        runs_per_day: How many runs it submits a day, over all workspaces.
        region_ids: Its regions.
        workspaces_per_region: How many workspaces it has in each.
        variants: How the API reads what its documents leave open.
        faults: What goes wrong.
        verify_signatures: Whether unsigned requests are refused.
        announce: Called once with the running emulator; the caller may print its `url` and `access_keys`.
        stop: Ends it from another thread.

    Raises:
        OSError: The port is taken.
    """
    state = company(
        seed,
        now,
        days=days,
        runs_per_day=runs_per_day,
        region_ids=region_ids,
        workspaces_per_region=workspaces_per_region,
    )
    stopped = stop or threading.Event()
    emulator = Emulator(
        state,
        Clock(epoch_ms(now), running=True),
        variants=variants,
        faults=faults,
        port=port,
        verify_signatures=verify_signatures,
    )
    with emulator:
        if announce is not None:
            announce(emulator)
        try:
            while not stopped.wait(WAKE_SECONDS):
                pass
        except KeyboardInterrupt:
            return
