"""The page that writes, in a browser: its texts, and every control."""

import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from browsers import Opened, launched, violations
from charrnn.analysis.activations import read
from charrnn.analysis.scoring import symbol_losses
from charrnn.checkpoints.format import Checkpoint
from charrnn.export.live_page import live_page
from charrnn.model import model_of
from charrnn.nn.cells import CELLS
from charrnn.render.palettes import color
from charrnn.sampling.filters import Filters
from charrnn.sampling.options import SamplingOptions
from charrnn.sampling.sampler import Sampler
from charrnn.text.display import shown, shown_byte
from exported import NEURONS, TEXT, checkpoint, xoshiro
from reports import HOSTILE

CYRILLIC = "Все счастливые семьи похожи друг на друга.\n" * 30


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from launched()


def opened(browser: Any, folder: Path, model: Checkpoint, **context: Any) -> Opened:
    html = live_page(model, title="a model", neurons=NEURONS)
    return Opened(browser, folder, html, **context)


def ready(browser: Any, folder: Path, model: Checkpoint, **context: Any) -> Opened:
    page = opened(browser, folder, model, **context)
    page.wait_for("#status", "ready")
    page.tab.fill("#pace", "40")
    return page


def finished(page: Opened) -> str:
    """The text, once it is written."""
    page.expect("#on").to_be_enabled(timeout=60_000)
    return "".join(page.tab.locator("#text .c").all_text_contents())


# The texts


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("text", [CYRILLIC, CYRILLIC.encode()], ids=["characters", "bytes"])
def test_without_chance_it_writes_what_numpy_writes(
    browser: Any, tmp_path: Path, cell: str, text: str | bytes
) -> None:
    model = checkpoint(cell, text=text)
    page = ready(browser, tmp_path, model)
    page.tab.fill("#temperature", "0")
    page.tab.check("#signs")
    for prime in ("", "семьи"):
        page.tab.fill("#prime", prime)
        page.tab.click("#write")
        finished(page)
        options = SamplingOptions(length=500, temperature=0)
        pieces = model_of(model).pieces(options, prime=prime)
        ids = [*model.vocabulary.encode(prime), *(id for piece in pieces for id in piece.ids)]
        symbols = [int(model.vocabulary.symbols[id]) for id in ids]
        show = shown_byte if isinstance(text, bytes) else lambda code: shown(chr(code))
        found = page.tab.locator("#text .c").all_text_contents()
        assert found == [show(code) for code in symbols]
        assert len(found) == 500 + len(model.vocabulary.encode(prime))
    page.check()


def test_speed(browser: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Printed, not judged: it depends on what else the machine does."""
    page = ready(browser, tmp_path, checkpoint(hidden_size=256))
    page.tab.fill("#length", "3000")
    page.tab.click("#write")
    assert len(finished(page)) == 3000
    with capsys.disabled():
        sys.stdout.write(f"\nthe page of a model of 2 × 256: {page.tab.inner_text('#status')}\n")
    page.check()


# The controls


def test_a_seed_repeats(browser: Any, tmp_path: Path) -> None:
    page = ready(browser, tmp_path, checkpoint())
    texts = []
    for seed in ("7", "8", "7", ""):
        page.tab.fill("#seed", seed)
        page.tab.click("#write")
        texts.append(finished(page))
        page.wait_for("#status", re.compile(r"500 characters · [\d,]+ a second · seed \d+"))
    assert texts[0] == texts[2]
    assert len(set(texts)) == 3
    page.check()


def test_a_seed_writes_the_same_text_everywhere(browser: Any, tmp_path: Path) -> None:
    """The text that the rules and the random numbers give, worked out in NumPy."""
    model = checkpoint()
    page = ready(browser, tmp_path, model)
    page.tab.fill("#seed", "12")
    page.tab.click("summary")
    page.tab.fill("#top-p", "0.9")
    page.tab.click("#write")
    written = finished(page)
    sampler = Sampler(model.network())
    sampler.prime(model_of(model).line_end())
    numbers = xoshiro(12)
    filters = Filters(SamplingOptions(temperature=0.8, top_p=0.9))

    class Numbers:
        def random(self, size: int, /) -> NDArray[np.float64]:
            return np.array([next(numbers) for _ in range(size)])

    ids = []
    for _ in range(500):
        id = sampler.draw(Numbers(), filters)
        sampler.feed(id)
        ids.append(int(id[0]))
    assert written == model.vocabulary.decode(ids)


@pytest.mark.parametrize("cell", CELLS)
def test_without_webassembly_it_writes_the_same(browser: Any, tmp_path: Path, cell: str) -> None:
    html = live_page(checkpoint(cell, hidden_size=25), title="a")
    texts = []
    for page_html in (html, re.sub('"kernel":"[^"]*"', '"kernel":""', html)):
        page = Opened(browser, tmp_path, page_html)
        page.wait_for("#status", "ready")
        page.tab.fill("#pace", "40")
        page.tab.fill("#seed", "3")
        page.tab.click("#write")
        texts.append(finished(page))
        page.check()
    assert texts[0] == texts[1]
    assert len(texts[0]) == 500


def test_reading_gives_the_bits_of_score(browser: Any, tmp_path: Path) -> None:
    model = checkpoint()
    text = TEXT[1000:2000]
    page = ready(browser, tmp_path, model)
    page.tab.fill("#prime", text)
    page.tab.click("#read")
    assert finished(page) == text
    losses = symbol_losses(model_of(model), model.vocabulary.encode(text))
    bits = f"{losses.mean() / np.log(2):.3f}"
    page.wait_for("#status", re.compile(rf"^1,000 characters · .* · {bits} bits per character$"))
    surprises = np.minimum(127, losses / np.log(2) * 127 / 8)
    expected = [color(np.floor(x * 20 / 127 + 0.5) / 20, "blue-red") for x in surprises]
    found = page.grounds()
    same = [f"rgb{rgb}" == ground for rgb, ground in zip(expected, found, strict=True)]
    assert np.mean(same) > 0.99, "rounding apart"
    marked = page.tab.locator("#text .plus").count()
    assert abs(marked - np.sum(surprises * 20 / 127 >= 9.5)) < 10
    page.tab.check("#marks")
    line = "x => getComputedStyle(x).textDecorationLine"
    assert page.tab.locator("#text .plus").first.evaluate(line) == "overline"
    page.check()


def test_a_text_that_is_partly_unknown(browser: Any, tmp_path: Path) -> None:
    page = ready(browser, tmp_path, checkpoint())
    page.tab.click("#read")
    page.wait_for("#status", re.compile("nothing to read"))
    page.tab.fill("#prime", "the 雪 and 🙂")
    page.tab.click("#read")
    assert finished(page) == "the  and "
    page.wait_for("#status", re.compile("left out, unknown to the model: 雪 🙂$"))
    page.check()


def test_stop_and_pace(browser: Any, tmp_path: Path) -> None:
    page = ready(browser, tmp_path, checkpoint())
    page.tab.fill("#pace", "10")
    page.wait_for("#pace-shown", "10 a second")
    page.tab.fill("#length", "5000")
    page.tab.click("#write")
    page.expect("#text .c").not_to_have_count(0)
    page.tab.click("#stop")
    page.wait_for("#status", re.compile(r"^stopped · \d+ characters"))
    count = page.tab.locator("#text .c").count()
    assert 0 < count < 1000
    page.tab.click("#on")
    page.tab.fill("#pace", "40")
    page.wait_for("#pace-shown", "no limit")
    assert len(finished(page)) == count + 5000
    page.check()


def test_the_end_of_the_text_stays_in_view(browser: Any, tmp_path: Path) -> None:
    page = ready(browser, tmp_path, checkpoint(), viewport={"width": 1300, "height": 700})
    page.tab.fill("#length", "3000")
    page.tab.click("#write")
    finished(page)
    bottom = page.tab.locator("#text").bounding_box()
    panel = page.tab.locator("#now").bounding_box()
    assert bottom["y"] + bottom["height"] <= panel["y"] + 1
    assert 0 < panel["y"] < 700
    page.check()


def test_go_on_from_a_place(browser: Any, tmp_path: Path) -> None:
    model = checkpoint()
    page = ready(browser, tmp_path, model)
    page.tab.fill("#temperature", "0")
    page.tab.fill("#prime", TEXT[:300])
    page.tab.fill("#length", "20")
    page.tab.click("#write")
    finished(page)
    page.tab.locator("#text .c").nth(199).click()
    page.wait_for("#place", "200 of 320, chosen")
    page.tab.locator("#text .c").nth(5).hover()
    page.wait_for("#place", "200 of 320, chosen")
    page.tab.click("#on")
    written = finished(page)
    expected = model_of(model).sample(20, temperature=0, prime=TEXT[:200])
    assert written == TEXT[:200] + expected
    assert page.tab.locator("#text .given").count() == 200
    page.tab.click("#on")  # at the end, where nothing is chosen
    expected = model_of(model).sample(40, temperature=0, prime=TEXT[:200])
    assert finished(page) == TEXT[:200] + expected
    page.tab.focus("#text")
    page.tab.keyboard.press("Home")
    page.wait_for("#place", "1 of 240, chosen")
    page.tab.keyboard.press("Enter")
    expected = model_of(model).sample(20, temperature=0, prime=TEXT[:1])
    assert finished(page) == TEXT[:1] + expected
    page.tab.keyboard.press("ArrowRight")
    page.wait_for("#place", "1 of 21, chosen")
    page.tab.keyboard.press("Escape")
    assert page.tab.locator("#text .here").count() == 0
    page.check()


def test_a_text_that_is_full(browser: Any, tmp_path: Path) -> None:
    page = ready(browser, tmp_path, checkpoint(hidden_size=4, layers=1))
    page.tab.fill("#prime", TEXT[:10])
    page.tab.fill("#length", "20000")
    page.tab.click("#write")
    written = finished(page)
    assert len(written) == 20_000
    assert written.startswith(TEXT[:10])
    page.tab.click("#on")
    page.wait_for("#status", "the text is full: the page keeps 20,000 characters")
    page.tab.fill("#prime", TEXT * 5)
    page.tab.click("#read")
    assert finished(page) == (TEXT * 5)[:20_000]
    page.wait_for("#status", re.compile("only the first 20,000 of 25,000 read"))
    page.check()


def test_what_it_thinks(browser: Any, tmp_path: Path) -> None:
    model = checkpoint()
    ids = model.vocabulary.encode("the end")
    page = ready(browser, tmp_path, model)
    page.tab.fill("#prime", "the end")
    page.tab.click("#read")
    finished(page)
    sampler = Sampler(model.network())
    sampler.prime(model_of(model).line_end())
    for n, id in enumerate(ids):
        surprise = -np.log2(sampler.probabilities[id, 0])
        sampler.feed(np.array([id]))
        page.tab.locator("#text .c").nth(n).click()
        page.wait_for("#place", f"{n + 1} of 7, chosen")
        assert page.tab.inner_text("#surprise") == f"{surprise:.2f} bits"
        p = sampler.probabilities[:, 0]
        best = np.argsort(-p, kind="stable")[:5]
        rows = [row.split() for row in page.tab.locator("#predictions li").all_inner_texts()]
        names = [shown(chr(model.vocabulary.symbols[id])) for id in best]
        assert [row[0] for row in rows] == names
        assert [row[1] for row in rows] == [f"{100 * p[id]:.1f}" for id in best]
    page.check()


@pytest.mark.parametrize("cell", CELLS)
def test_a_slider_holds_a_neuron(browser: Any, tmp_path: Path, cell: str) -> None:
    model = checkpoint(cell)
    page = ready(browser, tmp_path, model)
    page.tab.fill("#temperature", "0")
    slider = page.tab.get_by_label("hold line position, L1:2", exact=True)
    slider.fill("0.9")  # to the right is down, for a negative score
    assert page.tab.locator("#neurons output").nth(1).inner_text() == "−0.90"
    page.tab.click("#write")
    written = finished(page)
    assert written == model_of(model).sample(500, temperature=0, clamp={(1, 2): -0.9})
    assert page.tab.locator("#neurons output").nth(1).inner_text() == "−0.90"
    page.tab.get_by_label("let go of line position, L1:2").click()
    page.tab.click("#write")
    assert finished(page) == model_of(model).sample(500, temperature=0) != written
    page.check()


def test_a_slider_works_while_it_writes(browser: Any, tmp_path: Path) -> None:
    page = ready(browser, tmp_path, checkpoint())
    page.tab.fill("#pace", "15")
    page.tab.fill("#length", "20000")
    page.tab.click("#write")
    page.expect("#text .c").not_to_have_count(0)
    page.tab.locator("#neurons .pick").first.click()
    slider = page.tab.get_by_label("hold quotes, L0:3", exact=True)
    slider.fill("0.5")
    page.wait_for("#value-of", "L0:3")
    page.wait_for("#value", "+0.50")
    slider.press("ArrowRight")
    page.wait_for("#value", "+0.51")
    page.expect("#neurons .held").to_have_count(1)
    page.tab.click("#stop")
    finished(page)
    page.check()


def test_colours_of_a_neuron(browser: Any, tmp_path: Path) -> None:
    model = checkpoint()
    text = TEXT[:400]
    page = ready(browser, tmp_path, model)
    page.tab.fill("#prime", text)
    page.tab.click("#read")
    finished(page)
    page.tab.locator("#neurons .pick").first.click()
    read_all = read(model.network(), model.vocabulary.encode("\n" + text), ("c",))
    values = np.rint(np.tanh(read_all.states["c"][0, 1:, 3]) * 127)
    expected = [f"rgb{color(np.floor(x * 20 / 127 + 0.5) / 20, 'blue-red')}" for x in values]
    page.expect("#colour").to_have_value("L0:3")
    page.tab.wait_for_timeout(0)
    found = page.grounds()
    assert np.mean([a == b for a, b in zip(found, expected, strict=True)]) > 0.99
    page.tab.locator("#text .c").nth(9).click()
    page.wait_for("#value-of", "L0:3")
    page.tab.select_option("#colour", "none")
    assert set(page.grounds()) == {"rgba(0, 0, 0, 0)"}
    page.check()


def test_any_unit_can_be_added(browser: Any, tmp_path: Path) -> None:
    page = ready(browser, tmp_path, checkpoint())
    page.tab.fill("#unit", "L1:7")
    page.tab.keyboard.press("Enter")
    page.expect("#colour").to_have_value("L1:7")
    assert page.tab.locator("#neurons li").count() == 3
    for wrong in ("L1:12", "L2:0", "quotes", ""):
        page.tab.fill("#unit", wrong)
        page.tab.click("#add")
        page.wait_for("#status", f"there is no unit {wrong}: name one from L0:0 to L1:11")
    page.tab.fill("#unit", "1:7")
    page.tab.click("#add")
    assert page.tab.locator("#neurons li").count() == 3
    page.check()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("length", "0", "length must be a whole number from 1 to 20000"),
        ("length", "", "length must be a whole number from 1 to 20000"),
        ("seed", "-1", "seed must be a whole number from 0 to 4294967295"),
        ("top-k", "1.5", re.compile("top-k must be a whole number from 0 to")),
        ("top-p", "0", "top-p must be from 0.01 to 1"),
        ("min-p", "2", "min-p must be from 0 to 1"),
    ],
)
def test_fields_that_are_wrong(
    browser: Any, tmp_path: Path, field: str, value: str, message: str
) -> None:
    page = ready(browser, tmp_path, checkpoint())
    page.tab.locator("#rules").evaluate("rules => { rules.open = true; }")
    page.tab.fill(f"#{field}", value)
    page.tab.locator("#rules").evaluate("rules => { rules.open = false; }")
    page.tab.click("#write")
    page.wait_for("#status", message)
    assert page.tab.locator("#text .c").count() == 0
    page.check()


def test_hostile_text_does_nothing(browser: Any, tmp_path: Path) -> None:
    known = HOSTILE.encode("utf-8", "replace").decode()
    model = checkpoint(text=known, name=HOSTILE)
    neurons = [replace(NEURONS[0], feature=HOSTILE, label=HOSTILE)]
    html = live_page(model, title=HOSTILE, neurons=neurons)
    page = Opened(browser, tmp_path, html)
    page.wait_for("#status", "ready")
    page.tab.fill("#pace", "40")
    title = page.tab.title()
    page.tab.fill("#prime", HOSTILE)
    page.tab.click("#write")
    written = finished(page)
    for forbidden in "\x00\x1b\r\u202e\u2066\u2028\u2029":
        assert forbidden not in written
    page.tab.check("#signs")
    page.tab.focus("#text")
    for _ in range(20):
        page.tab.keyboard.press("ArrowRight")
    assert page.tab.title() == title
    assert page.tab.locator("body script").count() == 4
    assert page.tab.locator("img").count() == 0
    page.check()


def test_without_a_script(browser: Any, tmp_path: Path) -> None:
    page = opened(browser, tmp_path, checkpoint(), java_script_enabled=False)
    assert page.tab.locator("noscript").inner_text().startswith("The network of this page runs in")
    assert not page.tab.locator("#write").is_visible()
    page.check()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1300])
def test_it_fits_the_screen(browser: Any, tmp_path: Path, scheme: str, width: int) -> None:
    page = ready(
        browser,
        tmp_path,
        checkpoint(),
        color_scheme=scheme,
        viewport={"width": width, "height": 800},
        reduced_motion="reduce",
    )
    page.tab.click("#write")
    finished(page)
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= width
    page.tab.click("#theme")
    page.expect("html").to_have_attribute("data-theme", "light" if scheme == "dark" else "dark")
    page.check()


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_sliders_move_only_where_motion_is_wanted(
    browser: Any, tmp_path: Path, motion: str
) -> None:
    page = ready(browser, tmp_path, checkpoint(), reduced_motion=motion)
    outputs = page.tab.locator("#neurons output")
    page.tab.fill("#pace", "0")
    page.tab.fill("#prime", "a")
    page.tab.click("#write")
    page.expect("#text .c").not_to_have_count(0)
    moved = outputs.all_inner_texts() != ["+0.00"] * 2
    assert moved == (motion == "no-preference")
    page.tab.click("#stop")
    finished(page)
    assert outputs.all_inner_texts() != ["+0.00"] * 2, "in the end they show the state"
    page.check()


def test_each_line_has_a_block(browser: Any, tmp_path: Path) -> None:
    page = ready(browser, tmp_path, checkpoint())
    page.tab.fill("#prime", "a\n\nb\nc")
    page.tab.click("#read")
    finished(page)
    lines = page.tab.locator("#text .line")
    assert lines.all_text_contents() == ["a\n", "\n", "b\n", "c"]
    heights = {round(lines.nth(n).bounding_box()["height"]) for n in range(4)}
    assert len(heights) == 1, "an empty line is as high as the others"
    page.tab.fill("#length", "1")
    lines.nth(1).click()  # its end is chosen
    page.wait_for("#place", "3 of 6, chosen")
    page.tab.click("#on")
    finished(page)
    assert lines.all_text_contents()[:2] == ["a\n", "\n"]
    assert lines.count() == 3
    page.check()


def test_it_prints(browser: Any, tmp_path: Path) -> None:
    page = ready(browser, tmp_path, checkpoint())
    page.tab.click("#write")
    finished(page)
    assert page.tab.pdf().startswith(b"%PDF")
    page.tab.emulate_media(media="print")
    assert not page.tab.locator("#write").is_visible()
    assert not page.tab.locator("#neurons").is_visible()
    assert page.tab.locator("#text").is_visible()
    page.check()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong(browser: Any, tmp_path: Path, scheme: str) -> None:
    page = ready(browser, tmp_path, checkpoint(), color_scheme=scheme)
    assert violations(page) == []
    page.tab.fill("#prime", TEXT[:50])
    page.tab.click("#write")
    finished(page)
    page.tab.click("summary")
    page.tab.get_by_label("hold quotes, L0:3", exact=True).fill("0.5")
    page.tab.locator("#neurons .pick").first.click()
    page.tab.locator("#text .c").nth(7).click()
    page.wait_for("#value-of", "L0:3")
    assert violations(page) == []
    page.check()
