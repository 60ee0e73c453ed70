"""From a model and a text to explanations of its cells."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import planted_cells
from charrnn.errors import CorpusError
from charrnn.model import Model
from charrnn.neurons.explain import explain as module
from charrnn.neurons.explain.explain import Explainer
from charrnn.neurons.explain.explanation import Explanation
from charrnn.neurons.features.registry import FEATURES
from charrnn.neurons.search import search
from charrnn.nn.network import Network, NetworkConfig

TEXT = planted_cells.text(90_000)
OTHER = (1, 0)
PLANTED = {0: planted_cells.FIRST, 1: planted_cells.SECOND}


@cache
def explained(layer: int) -> dict[tuple[int, int], Explanation]:
    """The planted cell, and one without a claim."""
    model = planted_cells.model(layer)
    ids = model.vocabulary.encode(TEXT)
    found = search(model, ids, features=list(FEATURES.values()))
    claimed = {found.place(claim.unit): claim.feature for claim in found.findings.claims}
    assert claimed[PLANTED[layer]].name == "quotes"
    assert OTHER not in claimed
    explainer = Explainer(model, ids, found.halves, found.features, claimed)
    return explainer.explain([PLANTED[layer], OTHER])


@pytest.mark.parametrize("layer", [0, 1])
def test_a_planted_cell_is_described_as_it_was_made(layer: int) -> None:
    found = explained(layer)[PLANTED[layer]]
    assert [switch.at for switch in found.switches] == ["at ‘”’", "at ‘“’"]
    assert found.rule.is_short_rule
    assert "quote" in found.rule.terms[0]
    assert found.effect is not None
    assert found.effect.change[1] > 0.8, "held high it opens quotes, held low it closes them"
    assert (found.sources if layer else found.readers) != []
    words = dict(found.paragraphs())
    assert "no claim" not in words
    assert words["sources"].startswith("L0:2" if layer else "the characters themselves")
    assert words["readers"].startswith("the output" if layer else "L1:5")


@pytest.mark.parametrize("layer", [0, 1])
def test_the_half_life_is_that_of_a_plain_loop(layer: int) -> None:
    """The recurrence of the planted c alone, with a mark taken away or put in: its difference at
    distance k from changed marks, as they are in the text."""
    text = TEXT[45_000:]
    marks = [n for n, symbol in enumerate(text) if symbol in "“”" and 300 < n < len(text) - 300]

    def values(symbols: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        c, all_c = 0.0, []
        for symbol in symbols:
            c = c * planted_cells.KEPT * (symbol != "”") + planted_cells.RISE * (symbol == "“")
            all_c.append(np.tanh(c))
        return np.array(all_c)

    response = np.zeros(200)
    for n in marks:
        before, after = text[n - 300 : n], text[n + 1 : n + 200]
        response += np.abs(values(before + "a" + after) - values(before + text[n] + after))[300:]
    expected = float(np.argmax(response <= response[0] / 2))
    found = explained(layer)[PLANTED[layer]].memory
    assert found.half_life == pytest.approx(expected, rel=0.1)
    assert found.untrained < 15


def test_a_cell_without_a_claim_is_only_described() -> None:
    found = explained(0)[OTHER]
    assert not found.is_claimed
    assert found.effect is None
    assert found.sources == found.readers == []
    headings = [heading for heading, _ in found.paragraphs()]
    assert headings[0] == "no claim"
    assert not {"effect", "sources", "readers"} & set(headings)


def test_json_has_all_figures_and_words() -> None:
    found = explained(1)[planted_cells.SECOND].to_json()
    again = json.loads(json.dumps(found, allow_nan=False))
    assert again["words"]["switches"].startswith("forgets at ‘”’")
    assert again["rule"]["is_short_rule"] is True
    assert len(again["effect"]["means"]) == 5
    assert again["sources"][0]["gate"] == "input gate"


def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer texts, and fewer cells to compare with."""
    monkeypatch.setattr(module, "OTHER_CELLS", 2)
    monkeypatch.setattr(module, "OTHER_SEEDS", 2)
    monkeypatch.setattr("charrnn.neurons.explain.dose_response.CHARACTERS", 10)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm-coupled"])
def test_other_kinds_of_cells(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fast(monkeypatch)
    symbols = planted_cells.vocabulary()
    config = NetworkConfig(symbols.size, 6, 2, cell)
    model = Model(Network.create(config, np.random.default_rng(251)), symbols)
    ids = symbols.encode(TEXT[:42_000])
    halves = slice(0, 20_500), slice(21_500, 42_000)
    features = list(FEATURES.values())
    claimed = {(0, 1): FEATURES["quotes"]}
    explainer = Explainer(model, ids, halves, features, claimed)
    found = explainer.explain([(0, 1), (1, 2)])
    assert found[0, 1].effect is not None
    assert found[1, 2].memory.half_life > 0
    assert found[0, 1].has_gates == (cell != "rnn")
    if cell == "rnn":
        assert "this kind of cell has no gates" in dict(found[0, 1].paragraphs())["switches"]


def test_the_number_of_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    fast(monkeypatch)
    model = planted_cells.model(1)
    ids = model.vocabulary.encode(TEXT[:42_000])
    halves = slice(0, 20_500), slice(21_500, 42_000)
    claimed = {planted_cells.SECOND: FEATURES["quotes"]}
    explainer = Explainer(model, ids, halves, list(FEATURES.values()), claimed)
    cells = [planted_cells.SECOND, (0, 0), (1, 1)]

    def words(threads: int) -> list[list[tuple[str, str]]]:
        monkeypatch.setattr(module, "usable_threads", lambda: threads)
        return [one.paragraphs() for one in explainer.explain(cells).values()]

    assert words(1) == words(3)


def test_too_short_a_text() -> None:
    model = planted_cells.model(0)
    ids = model.vocabulary.encode(TEXT[:30_000])
    halves = slice(0, 14_500), slice(15_500, 30_000)
    explainer = Explainer(model, ids, halves, list(FEATURES.values()), {})
    with pytest.raises(CorpusError, match="its second half has 14,500 characters, and 20,000 are"):
        explainer.explain([(0, 0)])


def test_at_most_so_many_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_EXPLAINED", 1)
    model = planted_cells.model(0)
    ids = model.vocabulary.encode(TEXT[:42_000])
    halves = slice(0, 20_500), slice(21_500, 42_000)
    stages: list[tuple[str, float]] = []
    explainer = Explainer(
        model,
        ids,
        halves,
        list(FEATURES.values()),
        {},
        progress=lambda stage, share: stages.append((stage, share)),
    )
    assert list(explainer.explain([(0, 4), (0, 5)])) == [(0, 4)]
    assert stages[0] == ("reading the text to explain cells", 0)
    assert stages[-1][1] == 1


def test_a_saturated_cell_says_so() -> None:
    found = replace(explained(0)[OTHER], saturated_at=-0.999)
    words = dict(found.paragraphs())
    assert words["saturated"].startswith("its value is always near -1.00;")
