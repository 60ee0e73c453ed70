"""From a model and a text to what its units mean."""

from functools import cache

import numpy as np
import pytest

from charrnn.analysis.activations import read
from charrnn.errors import CorpusError, OptionError
from charrnn.model import Model
from charrnn.neurons import search as module
from charrnn.neurons.features.registry import FEATURES, user_feature
from charrnn.neurons.groups import groups
from charrnn.neurons.search import (
    Ablations,
    Search,
    by_kind,
    halves,
    matched_units,
    search,
    untrained_networks,
)
from charrnn.nn.cells import CELLS
from charrnn.nn.network import Network, NetworkConfig
from charrnn.text.corpus import Corpus
from charrnn.training.plan import plan_training
from charrnn.training.trainer import Trainer
from charrnn.types import IdArray
from helpers import NO_REGULARISATION

ALL = list(FEATURES.values())
LENGTH = 84_000
"""Just enough for p-values."""


@cache
def text() -> str:
    """Words, some of them in quotes of several words."""
    rng = np.random.default_rng(151)
    words = ["one", "two", "three", "four", "five", "six", "seven"]
    parts: list[str] = []
    size = 0
    while size < 3 * LENGTH:
        phrase = " ".join(rng.choice(words, rng.integers(3, 9)).tolist())
        parts.append(f'"{phrase.upper()}" ' if rng.random() < 0.4 else phrase + " ")
        parts += ["\n"] if rng.random() < 0.3 else []
        size += len(parts[-1]) + 20
    return "".join(parts)


@cache
def model_and_text() -> tuple[Model, IdArray]:
    corpus = Corpus.from_text(text())
    given = {"epochs": 1.5, "validation_fraction": 0.5, "batch_size": 16, "seq_length": 32}
    sizes = {"hidden_size": 16, "layers": 1}
    trainer = Trainer(plan_training(corpus, NO_REGULARISATION | given | sizes))
    for _ in trainer.run():
        pass
    _, held_out, _ = corpus.split(0.5)
    return Model(trainer.network, corpus.vocabulary), held_out[:LENGTH]


@cache
def trained(ablations: Ablations = "all", threads: int | None = None) -> Search:
    return search(*model_and_text(), features=ALL, ablations=ablations, threads=threads)


def test_a_trained_network_has_a_cell_for_quotes() -> None:
    found = trained()
    assert found.findings.shifts >= 200
    claims = {claim.feature.name: claim for claim in found.findings.claims}
    assert {"quotes", "all-caps word"} & set(claims)
    assert all(abs(claim.score) >= 0.5 for claim in claims.values())
    assert set(found.effects) == {claim.unit for claim in found.findings.claims}
    assert not set(found.controls) & set(found.effects)
    assert found.ranked()[0].is_claim
    assert found.place(3) == (0, 3)


def test_the_result_is_the_same_for_any_number_of_threads() -> None:
    one, *others = (trained(threads=threads) for threads in (1, 2, 5))
    for other in others:
        assert repr(other.findings) == repr(one.findings)
        assert repr(other.effects) == repr(one.effects)
        assert repr(other.controls) == repr(one.controls)
        np.testing.assert_array_equal(other.values, one.values)


def test_the_best_cell_of_each_feature_is_ablated_for_a_first_look() -> None:
    assert set(trained("best").effects) == {x.unit for x in trained().findings.best_claims}
    for unit, effect in trained("best").effects.items():
        assert effect.bits == pytest.approx(trained().effects[unit].bits, abs=1e-6)


def test_only_what_a_cell_remembers_is_ablated() -> None:
    """h of an LSTM is searched, but what is held is its c."""
    model, ids = model_and_text()
    found = search(model, ids, features=ALL, state="h")
    assert found.findings.claims
    assert found.effects == found.controls == {}
    values = found.states
    joint = groups(found, model, ids, values, np.random.default_rng(1))
    assert [group.effect for group in joint] == [None] * len(joint)


def test_the_activations_of_the_second_half_are_kept() -> None:
    (model, ids), found = model_and_text(), trained()
    half = found.halves[1]
    expected = read(model.network, ids[half], ("c",), before=ids[: half.start]).states["c"]
    assert found.states.shape == expected.shape
    np.testing.assert_allclose(found.states, expected, atol=1e-3)


def test_progress_is_told_by_stage() -> None:
    told: dict[str, list[float]] = {}
    search(
        *model_and_text(),
        features=ALL,
        progress=lambda stage, share: told.setdefault(stage, []).append(share),
    )
    assert list(told) == [
        "reading the text",
        "comparing with untrained networks",
        "comparing with chance",
        "ablating cells",
    ]
    assert told["comparing with untrained networks"] == [0, 0.2, 0.4, 0.6, 0.8]
    assert told["ablating cells"][-1] == 1


@pytest.mark.parametrize("cell", CELLS)
def test_untrained_networks_forget_within_their_warm_up(cell: str) -> None:
    """After it, two states that were as different as can be are one."""
    config = NetworkConfig(20, 64, 2, cell)
    (network, *_) = untrained_networks(Network.create(config, np.random.default_rng(1)), 1)
    ids = np.random.default_rng(153).integers(20, size=(module.UNTRAINED_WARM_UP, 1))
    workspace = network.workspace(len(ids), 2)
    workspace.state = np.ones((2, config.state_arrays, 64, 2)) * [1, -1]
    workspace.advance(np.repeat(ids, 2, axis=1))
    assert np.abs(np.tanh(workspace.state) @ [1, -1]).max() < 1e-3


def test_skipped_features_are_named() -> None:
    assert "url" in trained().findings.skipped


@pytest.mark.parametrize("seed", range(3))
def test_a_fresh_network_has_nothing_to_claim(seed: int) -> None:
    corpus = Corpus.from_text(text())
    config = NetworkConfig(corpus.vocabulary.size, 16, 1)
    fresh = Network.create(config, np.random.default_rng([152, seed]))
    found = search(Model(fresh, corpus.vocabulary), corpus.ids[:LENGTH], features=ALL)
    assert found.findings.claims == []
    assert found.effects == {}


def test_halves_have_a_gap() -> None:
    first, second = halves(10_000)
    assert (first, second) == (slice(0, 4500), slice(5500, 10_000))
    with pytest.raises(CorpusError, match="the text has 2,999 characters: at least 3,000"):
        halves(2999)


def test_controls_have_a_like_spread() -> None:
    spread = np.array([1.0, 5.0, 1.1, 4.9, 0.1, 9.0])
    chosen = matched_units(spread, [0, 1], [2, 3, 4, 5], 2, np.random.default_rng(1))
    assert chosen == [2, 3]
    assert len(matched_units(spread, [0, 1], [2, 3, 4, 5], 50, np.random.default_rng(1))) == 4


def test_a_users_feature_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "UNTRAINED_NETWORKS", 1)
    corpus = Corpus.from_text(text())
    fresh = Network.create(NetworkConfig(corpus.vocabulary.size, 4, 1), np.random.default_rng(1))
    found = search(
        Model(fresh, corpus.vocabulary),
        corpus.ids[:9000],
        features=by_kind([*ALL, user_feature("vowel", "[aeiou]")]),
    )
    assert "vowel" in {feature.name for feature in found.features}
    assert found.findings.shifts == 0


def test_features_of_one_name() -> None:
    twice = [user_feature("a", "b"), user_feature("a", "c")]
    with pytest.raises(OptionError, match="there are two features 'a'"):
        by_kind(twice)
