"""Records of a training that make no sense."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.checkpoints.atomic_write import write_checkpoint
from charrnn.checkpoints.format import read_checkpoint
from charrnn.errors import CheckpointError
from helpers import finish, resume, start, stop_after
from trainings import change_record

pytestmark = pytest.mark.usefixtures("quick")


def refused_as_damaged(path: Path) -> str:
    """The message: one line."""
    with pytest.raises(CheckpointError) as refused:
        resume(path)
    message = str(refused.value)
    assert "is damaged" in message
    assert message.isprintable()
    return message


def test_a_record_that_is_there_in_part_is_refused(output: Path) -> None:
    stop_after(start(output=output), 5)
    saved, whole = output.read_bytes(), read_checkpoint(output).training

    def refusal(**changes: Any) -> str:
        output.write_bytes(saved)
        change_record(output, **changes)
        return refused_as_damaged(output)

    for name in whole:
        assert name in refusal(**{name: "x"})
    optional = {"finished", "best_step", "good_step", "moments_since", "ranks"}  # in newer ones
    for name in set(whole) - optional - {"watch_recent", "watch_lowest", "snapshots"}:
        assert f"there is no {name}" in refusal(**{name: ...})
    assert "corpus has no sha256" in refusal(corpus={"name": "a.txt"})
    output.write_bytes(saved)
    finish(resume(output))


@pytest.mark.parametrize(("option", "value"), [("zoneout", 0.5), ("clip", -1), ("batch_size", "4")])
def test_saved_options_that_make_no_sense_are_refused(
    output: Path, option: str, value: Any
) -> None:
    trainer = start(output=output)
    stop_after(trainer, 5)
    change_record(output, options=trainer.options.to_json() | {option: value})
    assert "its options make no sense" in refused_as_damaged(output)


def test_moments_of_another_optimizer_are_refused(output: Path) -> None:
    trainer = start(output=output, beta1=0.9)
    stop_after(trainer, 5)
    change_record(output, options=trainer.options.to_json() | {"optimizer": "sgd"})
    assert "its moments are not those of sgd" in refused_as_damaged(output)


@pytest.mark.parametrize("streams", [0, 1, 5])
def test_a_state_of_another_number_of_streams_is_refused(output: Path, streams: int) -> None:
    stop_after(start(output=output), 5)
    checkpoint = read_checkpoint(output)
    state = np.zeros((*checkpoint.arrays["state"].shape[:3], streams), np.float32)
    arrays = checkpoint.arrays | {"state": state}
    write_checkpoint(output, replace(checkpoint, arrays=arrays))
    assert "its state is not that of 4 streams" in refused_as_damaged(output)
