"""Stops a load at a request, so that a test can act while it runs."""

from __future__ import annotations

import threading

from emr_usage.emulator import Faults


class Gate(Faults):
    """Lets some requests pass, then holds every further one until it is opened: a load that is where a test wants it."""

    def __init__(self, passing: int) -> None:
        super().__init__()
        self._passing = passing
        self.reached = threading.Event()
        self.opened = threading.Event()

    def take(self, request_key: str) -> str | None:
        """Hold a request."""
        with self._lock:
            self._passing -= 1
            is_held = self._passing < 0
        if is_held:
            self.reached.set()
            self.opened.wait(timeout=60)
        return super().take(request_key)
