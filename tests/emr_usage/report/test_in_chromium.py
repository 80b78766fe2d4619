"""The page in a browser: wide and narrow, light and dark, by keyboard and printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from browser import running_browser
from emr_usage.pipeline import open_pipeline
from emr_usage.report import Month, write_page
from mart_cases import TABLES
from mart_fixtures import built_mart_db

LATER = datetime(2026, 11, 20, 3, tzinfo=UTC)
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 780}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@pytest.fixture(scope="module", params=["2026-10", "2020-01"], ids=["full", "empty"])
def address(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> str:
    mart_db = built_mart_db(tmp_path_factory.mktemp("mart_db"), **TABLES)
    folder = mart_db.target.database.parent / "a folder with spaces"
    path, _ = write_page(open_pipeline(mart_db.target), Month.parse(request.param), folder, LATER)
    return path.as_uri()


def opened(browser: Browser, address: str, size: dict[str, int], scheme: str) -> Page:
    context = browser.new_context(viewport=size, color_scheme=scheme, java_script_enabled=True)  # type: ignore[arg-type]  # as documented
    page = context.new_page()
    page.goto(address)
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_fits_the_screen_and_is_accessible(browser: Browser, address: str, size: dict[str, int], scheme: str) -> None:
    page = opened(browser, address, size, scheme)
    # The browser's own checker is a script, which the page's policy forbids it: it is put in by the browser itself.
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    page.context.close()


def test_the_page_sends_no_request_and_logs_nothing(browser: Browser, address: str) -> None:
    page = browser.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(address, wait_until="networkidle")
    assert asked == [page.url]
    assert said == []
    page.close()


def test_colours_follow_the_color_scheme_of_the_reader(browser: Browser, address: str) -> None:
    papers = []
    for scheme in ("light", "dark"):
        page = opened(browser, address, DESKTOP, scheme)
        papers.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.context.close()
    assert papers == ["rgb(255, 255, 255)", "rgb(15, 20, 25)"]


def test_chart_bars_and_labels_use_the_colours_of_the_page(browser: Browser, address: str) -> None:
    page = opened(browser, address, DESKTOP, "dark")
    assert bool(page.locator("svg").count()) == ("2026-10" in address)
    if page.locator("svg").count():
        bars = page.evaluate("[...document.querySelectorAll('svg .mark-rect path')].map(bar => getComputedStyle(bar).fill)")
        assert bars
        assert "rgb(110, 120, 131)" in bars, "unallocated is grey"
        words = page.evaluate("[...new Set([...document.querySelectorAll('svg text')].map(word => getComputedStyle(word).fill))]")
        assert words == ["rgb(230, 233, 237)"]
    page.context.close()


def test_the_page_can_be_used_by_keyboard(browser: Browser, address: str) -> None:
    page = opened(browser, address, DESKTOP, "light")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details[open] pre").first.is_visible()
    page.context.close()


def test_the_printed_page_cuts_nothing_off_and_hides_interactive_elements(browser: Browser, address: str, tmp_path: Path) -> None:
    page = opened(browser, address, DESKTOP, "dark")
    page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    pdf = (tmp_path / "page.pdf").read_bytes()
    boxes = {tuple(round(float(side)) for side in box.split()) for box in re.findall(rb"/MediaBox \[([^]]*)\]", pdf)}
    assert boxes == {(0, 0, 595, 842)}, "A4 in points"
    page.emulate_media(media="print")
    # What A4 leaves between the margins, in CSS pixels.
    page.set_viewport_size({"width": round((210 - 28) / 25.4 * 96), "height": 1000})
    assert page.evaluate("document.documentElement.scrollWidth") <= round((210 - 28) / 25.4 * 96)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("nav, details, .skip").filter(visible=True).count()
    page.context.close()
