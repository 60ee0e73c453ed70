"""Pages in a browser: Chromium without a screen, through Playwright."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BROWSER = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)


def launched() -> Iterator[Any]:
    """A browser, which is closed in the end. The test is skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if BROWSER is None:
        pytest.skip("there is no Chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield browser
        browser.close()


class Opened:
    """A page that was opened from a file; whatever it asks for or complains about is noted."""

    def __init__(self, browser: Any, folder: Path, html: str, **context: Any) -> None:
        path = folder / "page.html"
        path.write_text(html, encoding="utf-8", newline="")
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.tab = browser.new_context(offline=True, **context).new_page()
        self.tab.on("console", lambda message: self.complaints.append(message.text))
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.goto(path.as_uri())

    def check(self) -> None:
        """Nothing was complained of, and nothing loaded but the file (and what is in it)."""
        assert self.complaints == []
        assert {url.partition(":")[0] for url in self.requests} <= {"file", "blob"}

    def expect(self, element: str) -> Any:
        """Assertions on an element that wait until they are true."""
        from playwright.sync_api import expect

        return expect(self.tab.locator(element))

    def wait_for(self, element: str, text: str | re.Pattern[str]) -> None:
        """What an action leads to may come a moment after it: a link's, for one, is an event."""
        self.expect(element).to_have_text(text, timeout=60_000)

    def grounds(self) -> list[str]:
        """The colours behind the symbols of the text."""
        found: list[str] = self.tab.evaluate(
            "[...document.querySelectorAll('#text .c')]"
            ".map(x => getComputedStyle(x).backgroundColor)"
        )
        return found


def violations(page: Opened) -> list[str]:
    """What axe-core finds wrong for people who use a screen reader, a keyboard or other colours.

    The environment variable CHARRNN_AXE names the file `axe.min.js` of the npm package axe-core;
    the test is skipped where it does not.
    """
    path = os.environ.get("CHARRNN_AXE")
    if not path:
        pytest.skip("CHARRNN_AXE does not name the file axe.min.js of the npm package axe-core")
    page.tab.evaluate("() => {" + Path(path).read_text(encoding="utf-8") + "}")
    found = page.tab.evaluate("() => axe.run().then(({ violations }) => violations)")
    return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]
