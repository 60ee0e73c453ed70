"""The page in a browser: Chromium without a screen, through Playwright."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from browsers import Opened, launched, violations
from charrnn.neurons.report import Report
from charrnn.render.document import SHADES
from charrnn.render.page import page, shades
from charrnn.render.palettes import color
from reports import HOSTILE, explanation, over_time, report

TEXT = 'He said "no", and "never". Then nothing.\n' * 6


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from launched()


def opened_report(browser: Any, folder: Path, shown: Report, **context: Any) -> Opened:
    return Opened(browser, folder, page(shown), **context)


def expected(shown: Report, unit: int, *, dark: bool = False) -> list[str]:
    return [
        "rgb({}, {}, {})".format(*color(q / SHADES, shown.palette, dark=dark))
        for q in shades(shown.units[unit].values)
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("palette", ["blue-red", "karpathy"])
def test_colours_are_the_values(browser: Any, tmp_path: Path, scheme: str, palette: str) -> None:
    shown = report(TEXT, palette=palette)
    opened = opened_report(browser, tmp_path, shown, color_scheme=scheme)
    assert len(opened.grounds()) == len(TEXT) > 50
    for unit in range(3):
        opened.wait_for("#which", f"L0:{unit}")
        assert opened.grounds() == expected(shown, unit, dark=scheme == "dark")
        opened.tab.focus("#text")
        opened.tab.keyboard.press("ArrowDown")
    opened.check()


def test_the_keyboard_is_enough(browser: Any, tmp_path: Path) -> None:
    shown = report(TEXT)
    opened = opened_report(browser, tmp_path, shown)
    tab = opened.tab
    tab.focus("#text")
    for _ in range(3):
        tab.keyboard.press("ArrowRight")
    opened.wait_for("#place", f"4 of {len(TEXT)}")
    assert tab.inner_text("#character") == shown.characters[3]
    sign = "−" if shown.units[0].values[3] < 0 else "+"
    assert tab.inner_text("#value").startswith(sign)
    rows = tab.locator("#predictions li").all_inner_texts()
    assert [row.split()[0] for row in rows] == ["e", "<", "&", "·", "↵"]
    assert "60.0 %" in rows[0]
    tab.keyboard.press("ArrowDown")
    opened.wait_for("#which", "L0:1")
    assert tab.url.endswith("#L0:1")
    assert "line position" in tab.inner_text("#about")
    tab.keyboard.press("/")
    tab.keyboard.type("0:2")
    opened.expect("#units button").to_have_count(1)
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    opened.wait_for("#which", "L0:2")
    assert np.isclose(len(opened.grounds()), len(TEXT))
    opened.check()


def test_pointing_at_a_character(browser: Any, tmp_path: Path) -> None:
    opened = opened_report(browser, tmp_path, report(TEXT))
    opened.tab.locator("#text .c").nth(9).hover()
    opened.wait_for("#place", f"10 of {len(TEXT)}")
    opened.wait_for("#follows", re.compile("quotes"))
    opened.check()


def test_links_search_pictures(browser: Any, tmp_path: Path) -> None:
    opened = opened_report(browser, tmp_path, report(TEXT))
    tab = opened.tab
    tab.click("summary >> text=line position")
    tab.locator("table a", has_text="L0:1").first.click()
    opened.wait_for("#which", "L0:1")
    assert tab.locator("#histogram rect").count() == 80
    assert tab.locator("#scatter circle").count() == 3
    assert tab.locator("#highest li").count() == tab.locator("#lowest li").count() == 10
    tab.select_option("#gate", "2")
    opened.expect("#scatter svg").to_have_attribute("aria-label", re.compile("gate o"))
    tab.click("#theme")
    opened.expect("html").to_have_attribute("data-theme", "dark")
    opened.check()


def test_without_a_script(browser: Any, tmp_path: Path) -> None:
    shown = report(TEXT)
    opened = opened_report(browser, tmp_path, shown, java_script_enabled=False)
    assert opened.tab.locator("#text").inner_text().replace("\n", "") == "".join(shown.characters)
    assert not opened.tab.locator("#units").is_visible()
    assert opened.tab.locator("td", has_text="state cell, used").first.is_visible()
    opened.tab.click("summary >> text=line position")
    assert opened.tab.locator("th a", has_text="L0:1").is_visible()
    opened.check()


def test_groups_open_by_the_keyboard(browser: Any, tmp_path: Path) -> None:
    opened = opened_report(browser, tmp_path, report(TEXT, units=7))
    tab = opened.tab
    assert tab.locator("th a", has_text="L0:3").is_visible(), "the first is open"
    assert not tab.locator("th a", has_text="L0:4").is_visible()
    tab.locator("summary", has_text="line position").focus()
    tab.keyboard.press("Enter")
    assert tab.locator("th a", has_text="L0:4").is_visible()
    tab.locator("th a", has_text="L0:4").focus()
    tab.keyboard.press("Enter")
    opened.wait_for("#which", "L0:4")
    for word in ("quotes", "unexplained"):
        tab.locator("summary", has_text=word).focus()
        tab.keyboard.press("Space")
    assert not tab.locator("th a", has_text="L0:3").is_visible()
    assert tab.locator("th a", has_text="L0:2").is_visible()
    assert violations(opened) == []
    opened.check()


def test_hostile_text_does_nothing(browser: Any, tmp_path: Path) -> None:
    shown = report(HOSTILE)
    opened = opened_report(browser, tmp_path, shown)
    opened.tab.focus("#text")
    for _ in HOSTILE:
        opened.tab.keyboard.press("ArrowRight")
    opened.wait_for("#place", f"{len(HOSTILE)} of {len(HOSTILE)}")
    assert opened.tab.title() == "a.npz: a.txt · neurons"
    found = opened.tab.locator("#text .c").all_text_contents()
    assert found == shown.characters
    assert opened.tab.locator("#text script, #text img").count() == 0
    opened.check()


def test_it_prints(browser: Any, tmp_path: Path) -> None:
    opened = opened_report(browser, tmp_path, report(TEXT))
    assert opened.tab.pdf().startswith(b"%PDF")
    opened.tab.emulate_media(media="print")
    assert not opened.tab.locator("#units").is_visible()
    assert opened.tab.locator("#text").is_visible()
    decorations = opened.tab.evaluate(
        "[...document.querySelectorAll('#text .plus')]"
        ".map(x => getComputedStyle(x).textDecorationLine)"
    )
    assert set(decorations) == {"overline"}
    opened.check()


def test_forced_colours_show_the_sign(browser: Any, tmp_path: Path) -> None:
    opened = opened_report(browser, tmp_path, report(TEXT), forced_colors="active")
    decoration = "x => getComputedStyle(x).textDecorationLine"
    for name, line in (("plus", "overline"), ("minus", "underline")):
        found = opened.tab.locator(f"#text .{name}").first.evaluate(decoration)
        assert found == line
    opened.check()


def test_a_narrow_screen(browser: Any, tmp_path: Path) -> None:
    opened = opened_report(browser, tmp_path, report(TEXT), viewport={"width": 400, "height": 800})
    assert opened.tab.evaluate("document.documentElement.scrollWidth") <= 400
    opened.check()


def explained() -> Report:
    one = report(TEXT)
    first, *others = one.units
    return replace(one, units=[replace(first, explanation=explanation()), *others])


@pytest.mark.parametrize("width", [360, 780, 1000, 1400])
def test_lines_of_groups_stay_within_their_card(browser: Any, tmp_path: Path, width: int) -> None:
    size = {"width": width, "height": 900}
    opened = opened_report(browser, tmp_path, report(TEXT), viewport=size)
    beyond = opened.tab.evaluate(
        """() => {
        const right = (element) => element.getBoundingClientRect().right;
        const parts = [...document.querySelectorAll(".groups summary > *")];
        return parts.map((part) => right(part) - right(part.closest(".groups")));
        }"""
    )
    assert len(beyond) > 6
    assert max(beyond) <= 0
    opened.check()


def test_the_explanation_is_that_of_the_chosen_unit(browser: Any, tmp_path: Path) -> None:
    opened = opened_report(browser, tmp_path, explained())
    words = explanation().paragraphs()
    assert opened.tab.locator("#words dt").all_inner_texts() == [heading for heading, _ in words]
    assert opened.tab.locator("#words dd").all_inner_texts() == [text for _, text in words]
    opened.tab.focus("#text")
    opened.tab.keyboard.press("ArrowDown")
    opened.wait_for("#which", "L0:1")
    assert not opened.tab.locator("#explanation").is_visible()
    opened.tab.keyboard.press("ArrowUp")
    opened.wait_for("#which", "L0:0")
    assert opened.tab.locator("#explanation").is_visible()
    opened.check()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong(browser: Any, tmp_path: Path, scheme: str) -> None:
    shown = replace(explained(), over_time=over_time())
    opened = opened_report(browser, tmp_path, shown, color_scheme=scheme)
    opened.wait_for("#which", "L0:0")
    assert opened.tab.locator(".over-time svg").count() == 3
    opened.tab.evaluate("document.querySelectorAll('details').forEach(x => x.open = true)")
    assert violations(opened) == []
    opened.check()
