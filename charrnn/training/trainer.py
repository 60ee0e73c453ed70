"""Training: a generator of events, so that a bar, a log or a notebook can watch and stop it.

window ─▶ loss, gradient ─ clip ─▶ optimizer ─▶ weights ─▶ now and then: validation, checkpoint
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

from charrnn.checkpoints.atomic_write import save_at_last, write_checkpoint
from charrnn.checkpoints.format import Checkpoint
from charrnn.errors import CheckpointError
from charrnn.machine.blas import one_thread
from charrnn.optim.clipping import clip_scale
from charrnn.optim.schedules import SCHEDULES
from charrnn.training.divergence import DivergenceError, Watch, check_loss, check_weights
from charrnn.training.events import (
    Event,
    Finished,
    NotSaved,
    Recovered,
    Report,
    Saved,
    Speedometer,
    Step,
)
from charrnn.training.final_losses import FINAL_LOSS_SHARE, MeasuredLoss, measure_parts
from charrnn.training.history import entry_of, is_noted
from charrnn.training.packing import good_weights, load_streams, pack
from charrnn.training.parallel.sharded import ShardedNetwork, StartWorkers, start_workers
from charrnn.training.plan import TrainingPlan
from charrnn.training.recovery import MOST_RECOVERIES, GoodState, gave_up
from charrnn.training.snapshots import SnapshotKeeper
from charrnn.training.validation import Validation

SAVE_SECONDS = 30.0
REPORT_SECONDS = 10.0
SMOOTHING = 0.98
"""Decay of the moving average of the training loss, per step."""
PLATEAU_VALIDATIONS = 2
"""Validations in a row without improvement after which the plateau schedule halves the rate."""


class Trainer:
    """One training; `run` does the work. What has been done so far stands in `state`."""

    def __init__(self, plan: TrainingPlan, start: StartWorkers = start_workers) -> None:
        """`start` starts the workers of the training."""
        self.plan = plan
        self._start_workers = start
        self.options = plan.options
        self.network = plan.network
        self.state = plan.state()
        self.state.finished = False  # a finished run goes on with a larger budget
        self.batches = plan.batches()
        self.budget = plan.budget()
        self.stop_requested = False
        train, held_out, _ = plan.split()
        weights = plan.network.parameters.flat
        best = weights if plan.resumed is None else plan.resumed.weights
        self._step_symbols = self.batches.batch * self.batches.steps
        self.validation = Validation(
            train,
            held_out,
            best,
            self.state,
            trained=self.budget.symbols(self._step_symbols),
            threads=self.options.threads,
        )
        self.validation.passed(self.progress)
        self.measured: dict[str, MeasuredLoss] = {}
        """The losses at the end of the run, by the part of the text."""
        self._watch = Watch(train, self._step_symbols, self.state)
        good = weights if plan.resumed is None else good_weights(plan.resumed, self.state)
        self._good = GoodState(good, self.state)
        self.snapshots = SnapshotKeeper(plan.output, self.options, self.state)
        self._speed = Speedometer()
        self._clock = self._saved = self._reported = 0.0

    @property
    def epoch(self) -> float:
        """How often the text was read."""
        return self.state.step / self.batches.windows

    @property
    def progress(self) -> float:
        """The share of the budget that is used, 0 … 1."""
        return self.budget.progress(self.state.step, self.state.seconds)

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        share = SCHEDULES[self.options.schedule](self.progress, self.epoch)
        return self._peak_rate * share

    @property
    def _peak_rate(self) -> float:
        return self.options.learning_rate * 0.5**self.state.halvings

    @property
    def out_of_patience(self) -> bool:
        """Whether there were too many validations in a row without improvement."""
        return 0 < self.options.patience <= self.state.stale

    @property
    def is_over(self) -> bool:
        """Whether there is no further step to take."""
        return self.progress >= 1 or self.out_of_patience

    def request_stop(self) -> None:
        """End the run after the current step; the state is saved."""
        self.stop_requested = True

    def forget_pause(self) -> None:
        """Do not count the time since the last step, in which the process was suspended."""
        self._clock = time.monotonic()

    def run(self) -> Iterator[Event]:
        """Train to the end of the run.

        The first checkpoint is written before the first step, so that an output that cannot be
        written is known at once; later on the training goes on without (`NotSaved`). Where it
        diverges, it goes back to its last good state, with half the learning rate
        (`charrnn.training.divergence`). Raises DivergedError when it diverges after
        `MOST_RECOVERIES` recoveries; the checkpoint then holds the last good state.
        """
        start = self._start_workers
        with (
            one_thread(),
            ShardedNetwork.for_training(self.network, self.options, self.batches, start) as shards,
        ):
            self.plan = load_streams(self.plan, shards)
            self.snapshots.keep(self.network.parameters.flat)
            yield from self._save(shards, write_checkpoint)
            yield from self._train(shards)
            yield from self._save(shards, save_at_last)
        yield Finished(
            step=self.state.step,
            seconds=self.state.seconds,
            stopped=not self.state.finished,
            validation_loss=self.state.validation_loss,
            test_loss=self.state.test_loss,
            early=self.progress < 1 and self.state.finished,
            path=self.plan.output,
            symbols={name: loss.symbols for name, loss in self.measured.items()},
        )

    def _train(self, shards: ShardedNetwork) -> Iterator[Event]:
        """All steps up to the end or a stop, and the final losses at the end."""
        self._clock = self._saved = self._reported = time.monotonic()
        while not self.state.finished:
            try:
                if self.is_over:
                    yield from self._measure_final_losses(shards)
                    if not self.state.finished:  # on request
                        return
                elif self.stop_requested and shards.is_synchronized:
                    check_weights(self.network.parameters.flat)
                    return
                else:
                    yield from self._advance(shards)
            except DivergenceError as error:
                yield self._recover(shards, str(error))

    def _advance(self, shards: ShardedNetwork) -> Iterator[Event]:
        """A step, and what is due after it."""
        step = self._take_step(shards)
        yield step
        now = time.monotonic()
        self.state.seconds += max(now - self._clock, 0.0)
        self._clock = now
        if self.state.step % self.options.sync_every == 0 or self.is_over:
            shards.synchronize()
            yield from self.snapshots.keep_if_possible(self.network.parameters.flat)
        validated = self._validate_if_due(shards)
        report = self._report(step, validated=validated)
        if is_noted(report, self.state.history, self.budget):
            self.state.history.append(entry_of(report))
        if validated or now - self._reported >= REPORT_SECONDS:
            self._reported = now
            yield report
        if validated or (now - self._saved >= SAVE_SECONDS and shards.is_synchronized):
            self._saved = now
            check_weights(self.network.parameters.flat)
            try:
                yield from self._save(shards, write_checkpoint)
            except CheckpointError as error:
                assert self.plan.output is not None
                yield NotSaved(self.plan.output, self.state.step, str(error))

    def _take_step(self, shards: ShardedNetwork) -> Step:
        state, batches, options = self.state, self.batches, self.options
        window = state.step % batches.windows
        if window == 0:
            shards.reset()
        learning_rate = self.learning_rate
        loss = shards.compute_gradient_of_window(window, state.step)
        norm = shards.gradient_norm()
        self._watch.check(loss, norm)
        scale = clip_scale(norm, options.clip)
        shards.update(state.optimizer_count + 1, learning_rate, scale, options.clip_value)
        state.step += 1
        return Step(
            step=state.step,
            characters=state.step * self._step_symbols,
            epoch=self.epoch,
            progress=self.progress,
            loss=state.smooth(loss, SMOOTHING),
            validation_loss=state.validation_loss,
            learning_rate=learning_rate,
            gradient_norm=norm,
            characters_per_second=self._speed.add(self._step_symbols),
            seconds=state.seconds,
        )

    def _validate_if_due(self, shards: ShardedNetwork) -> bool:
        """Validate where it is time to, and renew the good state; whether there is a new loss."""
        timed = self.budget.minutes is not None
        due = self.validation.is_due(self.progress, self.state.seconds, timed=timed)
        if not (due and shards.is_synchronized):
            return False
        weights = self.network.parameters.flat
        check_weights(weights)
        loss = self.validation.measure(self.network, shards.sum_losses)
        self.validation.passed(self.progress)
        if loss is not None:
            check_loss(loss)
            self.validation.note(loss, weights)
            stale = self.state.stale
            if self.options.schedule == "plateau" and stale and stale % PLATEAU_VALIDATIONS == 0:
                self.state.halvings += 1
        if self._watch.is_sound:
            self._good.renew(weights)
        return loss is not None

    def _report(self, step: Step, *, validated: bool) -> Report:
        now = replace(
            step,
            progress=self.progress,
            seconds=self.state.seconds,
            validation_loss=self.state.validation_loss,
        )
        return Report(**asdict(now), validated=validated)

    def _measure_final_losses(self, shards: ShardedNetwork) -> Iterator[Event]:
        """The losses of the best weights on the held-out text and the test part; they make the run
        finished, unless a request to stop comes meanwhile."""
        weights, minutes = self.network.parameters.flat, self.budget.minutes
        check_weights(weights)
        self.validation.keep_newest(weights)
        best = self.network.with_weights(self.validation.best_weights)
        self.stop_requested = False  # one that came with the last step changes nothing
        losses = yield from measure_parts(
            best,
            self.plan,
            shards.sum_losses,
            seconds=None if minutes is None else FINAL_LOSS_SHARE * 60 * minutes,
            is_stopped=lambda: self.stop_requested,
        )
        if losses is None:
            return
        for loss in losses.values():
            check_loss(loss.mean)
        self.measured = losses
        if "validation" in losses:
            self.state.validation_loss = losses["validation"].mean
        if "test" in losses:
            self.state.test_loss = losses["test"].mean
        self.state.finished = True

    def _recover(self, shards: ShardedNetwork, reason: str) -> Recovered:
        """Go back to the good state, with half the learning rate. Raises DivergedError after
        `MOST_RECOVERIES` recoveries; the good state is saved then."""
        lost, gives_up = self.state.step, self.state.recoveries >= MOST_RECOVERIES
        self._good.restore(shards)
        self.validation.passed(self.progress)
        if not gives_up:
            return Recovered(lost, self.state.step, reason, self._peak_rate)
        for _ in self._save(shards, save_at_last):
            pass
        raise gave_up(self.plan, reason, lost)

    def _save(
        self, shards: ShardedNetwork, write: Callable[[Path, Checkpoint], None]
    ) -> Iterator[Saved]:
        """Write the checkpoint, where there is an output."""
        if self.plan.output is None:
            return
        self.validation.keep_newest(self.network.parameters.flat)
        best = self.validation.best_weights
        write(self.plan.output, pack(self.plan, self.state, best, self._good.weights, shards))
        yield Saved(self.plan.output, self.state.step)
