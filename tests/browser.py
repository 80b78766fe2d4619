"""A Chromium of the system, for tests of rendered pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = next(
    (
        found
        for name in (
            "chromium",
            "chromium-browser",
            "google-chrome",
            "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        )
        if (found := shutil.which(name))
    ),
    None,
)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Run a browser without a window, or skip the test where the system has none."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here; .ci/run installs one")
    with sync_playwright() as playwright:
        # The page is our own, and a container has no sandbox of its own to give.
        browser = playwright.chromium.launch(executable_path=Path(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()
