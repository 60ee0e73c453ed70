"""Which snapshots of the weights a training keeps, beside its checkpoint.

Those after every K-th step, the first with step 0, and those after steps that were asked for one by
one. As the run grows, every second of the regular ones is dropped and K doubles, so that there are
never more than `MOST_SNAPSHOTS` of them, evenly spread over the run. Which ones are there depends
on the step alone: a training that is killed and goes on has the same ones.
"""

from collections.abc import Iterator
from pathlib import Path

from charrnn.checkpoints.snapshot_file import (
    add_snapshot,
    listed_snapshots,
    recorded_snapshots,
    snapshots_path,
)
from charrnn.errors import CheckpointError, OptionError
from charrnn.options import TrainingOptions
from charrnn.training.divergence import check_weights
from charrnn.training.events import NotSaved
from charrnn.training.run_state import RunState
from charrnn.types import Array

MOST_SNAPSHOTS = 24
"""Regular snapshots, at most."""


def stride(every: int, step: int) -> int:
    """The steps between two regular snapshots after `step` steps: `every`, or so many times twice
    as much that step 0 and its multiples up to `step` are at most `MOST_SNAPSHOTS`.

    >>> [stride(10, step) for step in (0, 239, 240, 479, 480)]
    [10, 10, 20, 20, 40]
    """
    while step // every >= MOST_SNAPSHOTS:
        every *= 2
    return every


class SnapshotKeeper:
    """Keeps the snapshots of the training to `output`, if there is one; its `state` names those
    that there are."""

    def __init__(self, output: Path | None, options: TrainingOptions, state: RunState) -> None:
        self._every, self._at = options.keep, frozenset(options.keep_at)
        self._state = state
        self.is_on = self._every > 0 or bool(self._at)
        self.path = None if output is None else snapshots_path(output)

    def check_file(self, *, resume: bool, overwrite: bool) -> None:
        """Raise CheckpointError where there is a file that this training must not write: one with
        something else, or with the snapshots of another training, unless it is to `overwrite`
        these. Raises OptionError where snapshots are wanted, but no output."""
        if self.path is None and self.is_on:
            name = "keep" if self._every else "keep_at"
            raise OptionError(f"`{name}` needs an `output`, beside which the snapshots are kept")
        if not self.is_on or self.path is None or not self.path.exists():
            return
        there = listed_snapshots(self.path)
        if overwrite:
            return
        # after a kill the file is ahead of the checkpoint; step 0 alone is nothing to lose
        own = self._recorded() if resume else {}
        last = self._state.step if resume else max(there, default=0)
        if any(0 < step <= last and own.get(step) != there[step] for step in there):
            raise CheckpointError(
                f"{self.path} has the snapshots of another training: move it away, or name another "
                "`output`" + ("" if resume else ", or overwrite it (`overwrite`)")
            )

    def is_kept(self, step: int, now: int) -> bool:
        """Whether the snapshot of a step is there after `now` steps."""
        is_regular = self._every > 0 and step % stride(self._every, now) == 0
        return step <= now and (is_regular or step in self._at)

    def keep(self, weights: Array) -> None:
        """Keep the weights (P,) of the current step, where that is due. Raises CheckpointError."""
        step = self._state.step
        if self.path is None or not self.is_kept(step, step):
            return
        check_weights(weights)
        recorded = self._recorded()
        kept = {n: recorded[n] for n in recorded if n < step and self.is_kept(n, step)}
        found = add_snapshot(self.path, step, weights, kept)
        self._state.snapshots = [{"step": n, "sha256": found[n]} for n in found]

    def keep_if_possible(self, weights: Array) -> Iterator[NotSaved]:
        """The same in the course of a training, which goes on without a snapshot."""
        try:
            self.keep(weights)
        except CheckpointError as error:
            assert self.path is not None
            yield NotSaved(self.path, self._state.step, str(error))

    def _recorded(self) -> dict[int, str]:
        return recorded_snapshots({"snapshots": self._state.snapshots})
