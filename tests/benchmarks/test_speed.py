"""A contestant of the benchmark that cannot run is a dash with its reason; the others run."""

import sys

import pytest

import race
import speed
from race import Race, take_turns

PRODUCT = {"name": "product", "size": 8}


@pytest.fixture(autouse=True)
def _short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "TURN_SECONDS", 0.001)


def test_a_contestant_that_cannot_run_has_a_reason_and_the_others_have_times() -> None:
    found = take_turns({"fails": PRODUCT | {"size": -1}, "runs": PRODUCT}, rounds=2)
    assert len(found.times.pop("runs")) == 2
    assert found.times == {}
    assert found.reasons == {"fails": "ValueError: negative dimensions are not allowed"}


def test_a_contestant_that_crashes_has_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "COMMAND", (sys.executable, "-c", "import os; os._exit(3)"))
    found = take_turns({"crashes": PRODUCT}, rounds=1)
    assert found == Race({}, {"crashes": "its process has ended with code 3"})


def test_the_fastest_and_ratios_are_of_those_that_ran() -> None:
    found = Race({"a 1": [2.0, 2.0, 2.0], "a 2": [1.0, 1.0, 1.0], "b": [3.0, 4.0, 5.0]}, {"c": "x"})
    assert found.fastest("a") == "a 2"
    assert found.fastest("b", "c", "a") == "a 2"
    assert found.fastest("c") is None
    assert found.ratio("b", "a 1") == [1.5, 2.0, 2.5]
    assert found.ratio("c", "a 1") is None
    assert found.ratio("b", None) is None
    assert found.speeds(10) == {"a 1": 5.0, "a 2": 10.0, "b": 2.5}


def table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], gone: str) -> str:
    """The table of the training's first shape on a machine where some contestants fail."""

    def without(shapes: dict[str, race.Shape], rounds: int) -> Race:
        runs = {n: [1.0] * rounds for n in shapes if not n.startswith(tuple(gone.split()))}
        return Race(runs, {n: "it is not supported" for n in shapes if n not in runs})

    monkeypatch.setattr(speed, "take_turns", without)
    monkeypatch.setattr(speed, "PROCESSORS", 2)
    speed.training(rounds=3, chosen="1 × 128")
    return capsys.readouterr().out


def test_without_bfloat16_the_other_columns_are_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = table(monkeypatch, capsys, "bfloat16").splitlines()
    assert shown[2].split()[:8] == ["1", "×", "128", "B50", "T50", "2,500", "2,500", "1.00"]
    assert shown[2].count(" –") == 1
    assert shown[3:] == [
        f"{'geometric mean, beside PyTorch':46}    1.00",
        f"{'geometric mean, beside the fastest':46}    1.00",
        "– bfloat16: it is not supported",
    ]


def test_without_pytorch_there_are_our_own_figures_and_those_of_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = table(monkeypatch, capsys, "bfloat16 PyTorch").splitlines()
    assert shown[2].count(" –") == 3
    assert [line.split()[-1] for line in shown[3:5]] == ["–", "1.00"]
    reasons = ["PyTorch 1", "PyTorch 2", "bfloat16"]
    assert shown[5:] == [f"– {name}: it is not supported" for name in reasons]


def test_without_any_rival_there_are_our_own_figures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = table(monkeypatch, capsys, "bfloat16 PyTorch JAX Keras").splitlines()
    assert shown[2].count(" –") == 4
    assert [line.split()[-1] for line in shown[3:5]] == ["–", "–"]
