"""The page, without a browser."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html import unescape
from typing import Any

import numpy as np
import pytest

from charrnn.neurons.report import Report
from charrnn.render.page import page, shades
from charrnn.render.palettes import PALETTES
from reports import HOSTILE, explanation, report


def data_of(html: str) -> dict[str, list[dict[str, Any]]]:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    data: dict[str, list[dict[str, Any]]] = json.loads(text)
    return data


def hash_of(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_same_report_makes_the_same_page() -> None:
    assert page(report()) == page(report())


def test_only_its_own_style_and_script_are_allowed() -> None:
    html = page(report())
    (policy,) = re.findall('Content-Security-Policy" content="(.*?)"', html)
    (style,) = re.findall("<style>(.*?)</style>", html, re.S)
    (script,) = re.findall("<script>(.*?)</script>", html, re.S)
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hash_of(style)}'; "
        f"script-src 'sha256-{hash_of(script)}'; base-uri 'none'; form-action 'none'"
    )
    assert not re.search(r"<[^>]* (style|on\w+)=", html), "which the policy forbids"
    assert not re.search(r"(src|href)=\"(?!#)", html), "nothing comes from elsewhere"
    assert re.findall('https?://[^"]*', html) == ["http://www.w3.org/2000/svg"], "a name"


def test_the_first_unit_can_be_read_without_a_script() -> None:
    one = report()
    html = page(one)
    spans = re.findall(r'<span class="c (v\w+)( plus| minus|)( on| t\d|)">(.*?)</span>', html)
    assert [unescape(symbol) for *_, symbol in spans] == one.characters
    for (name, sign, below, _), q, on in zip(
        spans, shades(one.units[0].values), one.features[0].track, strict=True
    ):
        assert name == (f"v{q}" if q >= 0 else f"vm{-q}")
        assert sign == (" plus" if q > 0 else " minus" if q < 0 else "")
        assert below == (" on" if on else "")
    assert html.count("<br>") == 4
    assert '<span id="which">L0:0</span>' in html
    assert "state cell · quotes +0.90" in html


def test_every_shade_has_a_colour() -> None:
    for palette in PALETTES:
        html = page(replace(report(), palette=palette))
        for q in range(-20, 21):
            name = f"v{q}" if q >= 0 else f"vm{-q}"
            assert len(re.findall(rf"\.{name}\{{background:#[0-9a-f]{{6}};color:#", html)) == 3


def test_shades_are_rounded_as_the_script_does() -> None:
    values = np.linspace(-1.2, 1.2, 999)
    whole = np.rint(np.clip(values, -1, 1) * 127)
    # half up, as Math.round
    assert shades(values) == [int(np.floor(q * 20 / 127 + 0.5)) for q in whole]


@pytest.mark.parametrize("where", ["text", "title", "notes", "feature"])
def test_hostile_text_stays_text(where: str) -> None:
    one = report()
    if where == "text":
        one = report(HOSTILE)
    elif where == "feature":
        feature = replace(one.features[0], name=HOSTILE, description=HOSTILE)
        one = replace(one, features=[feature, one.features[1]])
    else:
        changes: dict[str, Any] = {"title": HOSTILE, "notes": [HOSTILE]}
        one = report(**{where: changes[where]})
    html = page(one)
    html.encode("utf-8")  # without lone surrogates
    assert len(re.findall("<script", html)) == 2
    assert html.count("</script") == 2
    assert "<img" not in html
    assert "<!--" not in html
    for forbidden in "\x00\x1b\r\u202e\u2066\u2028\u2029\ud800" if where == "text" else "":
        assert forbidden not in html
    assert data_of(html)["features"]


def explained(where: str = "at ‘a’") -> Report:
    """A report with an explanation of the second unit."""
    one = report()
    first, second, *others = one.units
    second = replace(second, explanation=explanation(where))
    return replace(one, units=[first, second, *others])


def test_a_page_with_explanations() -> None:
    html = page(explained())
    assert 'id="explanation" aria-labelledby="in-words" hidden>' in html, "the first has none"
    units = data_of(html)["units"]
    assert units[0]["explanation"] == units[2]["explanation"] == []
    assert units[1]["explanation"][0] == ["switches", "rises at ‘a’ by 1.21 (input gate)"]
    both = explained()
    first = page(replace(both, units=both.units[1:]))
    assert "<dt>memory</dt><dd>half of a change is still felt after 34 characters" in first
    assert 'id="words"' not in page(report())


def test_hostile_characters_in_an_explanation() -> None:
    both = explained("at ‘</script><img src=x>’")
    html = page(replace(both, units=both.units[1:]))
    assert html.count("</script") == 2
    assert "<img" not in html


def test_data_for_the_script() -> None:
    one = report()
    data = data_of(page(one))
    for found, unit in zip(data["units"], one.units, strict=True):
        values = np.frombuffer(base64.b64decode(found["values"]), np.int8)
        np.testing.assert_allclose(values / 127, unit.values, atol=0.5 / 127 + 1e-6)
    flags = np.unpackbits(
        np.frombuffer(base64.b64decode(data["features"][0]["track"]), np.uint8), bitorder="little"
    )
    np.testing.assert_array_equal(flags[: len(one.characters)], one.features[0].track)


def test_a_page_of_4000_characters_and_64_units_is_below_1_mb() -> None:
    text = ('The quick brown fox said: "Jump!"\n' * 200)[:4000]
    assert len(page(report(text, units=64)).encode()) < 1_000_000
