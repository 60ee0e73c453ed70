"""Every number of a training's record has a range; what is outside of it is damage."""

import json
from pathlib import Path
from typing import Any

import pytest

from charrnn.checkpoints.format import read_checkpoint
from charrnn.checkpoints.record_fields import EARLIER_STEPS, RECORD, check_fields, with_defaults
from charrnn.errors import CharRNNError, CheckpointError
from cli_helpers import header, rewrite
from damage import WRONG_NUMBERS, numbers, with_value
from helpers import finish, resume, start, stop_after


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that was stopped."""
    path = tmp_path_factory.mktemp("saved") / "a.npz"
    stop_after(start(output=path, hidden_size=3, test_fraction=0.1), 5)
    return path


def test_every_number_of_the_header_is_in_its_range_or_refused(saved: Path, tmp_path: Path) -> None:
    """Each is replaced by all of `WRONG_NUMBERS`; the training goes on, or is refused."""
    whole = header(saved)
    # of each list, the first entry
    places = [place for place in numbers(whole) if not any(place.count(n) for n in range(1, 99))]
    assert len(places) > 30
    refusals, path = [], tmp_path / "a.npz"
    for place in places:
        for value in WRONG_NUMBERS:
            path.write_bytes(saved.read_bytes())
            rewrite(path, **with_value(whole, place, value))
            try:
                trainer = resume(path)
            except CharRNNError as error:
                refusals.append(str(error))
                continue
            if trainer.budget.total_steps is not None and trainer.budget.total_steps < 1000:
                finish(trainer)
                json.dumps(read_checkpoint(path).header(), allow_nan=False)
    assert all(text.isprintable() and len(text) < 1000 for text in refusals)
    assert len(refusals) > 0.8 * len(places) * len(WRONG_NUMBERS)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("step", -1),
        ("step", True),
        ("step", 10**400),
        ("seconds", -0.5),
        ("seconds", float("inf")),
        ("halvings", -(10**30)),
        ("halvings", 2.0),
        ("best_loss", float("nan")),
        ("smoothed", -1.0),
        ("finished", 1),
        ("watch_recent", float("nan")),
        ("watch_lowest", "1"),
        ("options", {"batch_size": 0}),
        ("options", {"learning_rate": 10**400}),
        ("corpus", {"name": "a", "sha256": "b", "symbols": 5, "sources": [3]}),
        ("history", [{"step": 1}]),
    ],
)
def test_a_value_that_no_training_writes(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^(in |its )?{field}"):
        check_fields({field: value})


def test_a_number_of_steps_in_two_places_is_the_same() -> None:
    check_fields({"step": 5, "optimizer_steps": 5})
    with pytest.raises(ValueError, match="optimizer_steps is not the same as step, 5"):
        check_fields({"step": 5, "optimizer_steps": 4})


@pytest.mark.parametrize("name", EARLIER_STEPS)
def test_a_step_of_the_past_is_not_beyond_the_last_one(name: str) -> None:
    check_fields({"step": 5, name: 5})
    check_fields({name: 6})
    with pytest.raises(ValueError, match=f"{name} is beyond step, 5"):
        check_fields({"step": 5, name: 6})


def test_what_older_versions_leave_out_has_a_default(saved: Path) -> None:
    record = header(saved)["training"]
    older = {name: value for name, value in record.items() if not name.startswith("watch_")}
    del older["finished"]
    filled = with_defaults(older)
    assert (filled["finished"], filled["watch_recent"], filled["watch_lowest"]) == (
        True,
        None,
        None,
    )
    assert older == {name: filled[name] for name in older}
    with pytest.raises(ValueError, match="there is no best_loss"):
        with_defaults({name: value for name, value in record.items() if name != "best_loss"})


def test_a_field_that_only_a_newer_version_knows_is_passed_over(
    saved: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(saved.read_bytes())
    training = header(saved)["training"]
    rewrite(path, training=training | {"mood": [], "options": training["options"] | {"zoneout": 1}})
    assert read_checkpoint(path).training["mood"] == []
    with pytest.raises(CheckpointError, match="its options make no sense"):
        resume(path)


def test_the_table_names_every_field_that_is_written(saved: Path) -> None:
    assert set(header(saved)["training"]) <= {field.name for field in RECORD}
