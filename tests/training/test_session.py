"""A training that is opened: what it keeps in memory (all else: the API and the command line)."""

import gc
import weakref
from pathlib import Path

from charrnn.training.events import Step
from charrnn.training.session import open_training
from helpers import corpus, start, stop_after


def test_a_resumed_training_does_not_keep_the_arrays_of_its_checkpoint(tmp_path: Path) -> None:
    output = tmp_path / "a.npz"
    stop_after(start(output=output), 5)
    with open_training(corpus, {}, output=output, resume=True) as trainer:
        assert trainer.plan.resumed is not None
        moments = weakref.ref(trainer.plan.resumed.arrays["moments"])
        for event in trainer.run():
            if type(event) is Step:
                gc.collect()
                assert moments() is None
                trainer.request_stop()
