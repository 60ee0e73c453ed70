"""Training: a generator of events, so that a bar, a log or a notebook can watch and stop it.

window ─▶ loss, gradient ─ clip ─▶ optimizer ─▶ weights ─▶ now and then: validation, checkpoint
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from charrnn.checkpoints.atomic_write import save_at_last, write_checkpoint
from charrnn.checkpoints.format import Checkpoint
from charrnn.checkpoints.lock import only_training
from charrnn.checkpoints.training_record import changed, check_corpus, check_record, saved_options
from charrnn.errors import CheckpointError, DivergedError, OptionError
from charrnn.machine.blas import one_thread
from charrnn.nn.network import Network, NetworkConfig
from charrnn.optim.optimizers import OPTIMIZERS
from charrnn.optim.schedules import SCHEDULES
from charrnn.options import (
    DEFAULT_CELL,
    DEFAULT_EPOCHS,
    DEFAULT_MINUTES,
    DEFAULT_STEPS,
    TrainingOptions,
)
from charrnn.text.batches import Batches, fit_shape
from charrnn.text.corpus import Corpus
from charrnn.training.divergence import TRIES, ExplosionError, GoodState, Watch
from charrnn.training.evaluation import Evaluation
from charrnn.training.events import (
    Event,
    Finished,
    NotSaved,
    Report,
    Rescued,
    Saved,
    Speedometer,
    Step,
)
from charrnn.training.finetuning import extended
from charrnn.training.memory_estimate import check_memory
from charrnn.training.parallel.sharded import ShardedNetwork
from charrnn.training.validation import Validation
from charrnn.types import Array

SAVE_SECONDS = 30.0
REPORT_SECONDS = 10.0
SMOOTHING = 0.98
"""The training loss that is shown is an exponential average over about 1 / (1 − this) steps."""
MARKS = 100
"""Entries in the history of a run, evenly spread over its course; there is one for each power of
two of its steps as well."""
PLATEAU = 2
"""Looks in a row without a better loss after which the plateau schedule halves the rate."""


class Trainer:
    """One training of one network on one text; `run` does the work.

    Make it with `Trainer.start` or `Trainer.resume`.
    """

    def __init__(
        self, network: Network, corpus: Corpus, options: TrainingOptions, output: Path | None
    ) -> None:
        self.network = network
        self.corpus = corpus
        self.output = output
        train, held_out, test = corpus.split(options.validation_fraction, options.test_fraction)
        batch, steps = fit_shape(len(train), options.batch_size, options.seq_length)
        self.batches = Batches(train, batch, steps)
        self.options = options = replace(options, threads=min(options.threads, batch))
        if options.epochs is None and options.minutes is None:
            epochs = max(DEFAULT_EPOCHS, DEFAULT_STEPS / self.batches.windows)
            self.options = replace(options, epochs=epochs, minutes=DEFAULT_MINUTES)
        if len(held_out) == 0 and (options.patience or options.schedule == "plateau"):
            wish = "--patience" if options.patience else "--schedule plateau"
            raise OptionError(f"{wish} goes by the held-out text: give --validation-fraction some")
        self.stretched = False
        """Whether the budget was changed in the middle of the run, and with it the schedule."""
        self.new_symbols: list[str] | None = None
        """The names of symbols that the model to begin with did not know, if there was one."""
        self.stop_requested = False
        self.finished = False
        """Whether the run has come to its end, and its exact losses are measured."""
        self.step = 0
        self.seconds = 0.0
        self.history: list[dict[str, Any]] = []
        self.validation = Validation(
            train, held_out, network.parameters.flat, threads=options.threads
        )
        self.test_loss: float | None = None
        """Of the best weights on the whole test part, in nats; measured at the end of the run."""
        self._test = None
        if len(test) > 0:
            before = corpus.ids[: len(train) + len(held_out)]
            self._test = Evaluation(before, test, threads=options.threads)
        self.halvings = 0
        """How often the learning rate was halved: on a plateau, or after an explosion."""
        self.rescues = 0
        self._optimizer = OPTIMIZERS[options.optimizer](
            network.parameters.flat, weight_decay=options.weight_decay
        )
        self._watch = Watch(train, batch * steps)
        self._good: GoodState | None = None
        self._state: Array | None = None
        self._smoothed = math.nan
        self._marks = 0
        self._speed = Speedometer()
        self._clock = 0.0

    @classmethod
    def start(
        cls,
        corpus: Corpus,
        options: TrainingOptions,
        *,
        hidden_size: int,
        layers: int,
        cell: str = DEFAULT_CELL,
        output: Path | None = None,
    ) -> "Trainer":
        """A new network for `corpus`; without `output` nothing is saved."""
        config = NetworkConfig(corpus.vocabulary.size, hidden_size, layers, cell)
        check_memory(config, options, len(corpus.ids))
        network = Network.create(config, np.random.default_rng(options.seed))
        return cls(network, corpus, options, output)

    @classmethod
    def start_from(
        cls,
        checkpoint: Checkpoint,
        corpus: Corpus,
        options: TrainingOptions,
        *,
        output: Path | None = None,
    ) -> "Trainer":
        """A new training that begins with the best weights of a trained model, which learns the
        symbols of `corpus` that it does not know. Raises OptionError where one has learned bytes,
        and the other has characters."""
        rng = np.random.default_rng(options.seed)
        before = checkpoint.vocabulary
        new = [
            corpus.vocabulary.symbol(id)
            for id, symbol in enumerate(corpus.vocabulary.symbols)
            if symbol not in before.symbols
        ]
        config = replace(checkpoint.config, vocabulary_size=before.size + len(new))
        check_memory(config, options, len(corpus.ids))
        network, corpus = extended(checkpoint.network(), before, corpus, rng)
        trainer = cls(network, corpus, options, output)
        trainer.new_symbols = new
        return trainer

    @classmethod
    def resume(
        cls,
        checkpoint: Checkpoint,
        corpus: Corpus,
        changes: dict[str, Any],
        *,
        output: Path | None = None,
    ) -> "Trainer":
        """Go on with a training from where it was saved; `changes` are the options to change.

        Raises CheckpointError for another corpus, and OptionError for options that a training
        cannot change, or if there is nothing left to do.
        """
        record = check_record(checkpoint)
        corpus = check_corpus(checkpoint, corpus)
        before = saved_options(record)
        network = Network.from_weights(checkpoint.config, checkpoint.arrays["last"].copy())
        trainer = cls(network, corpus, changed(before, changes), output)
        trainer._restore(record, checkpoint)
        trainer.stretched = _budget(trainer.options) != _budget(before)
        # a run that was killed before its losses were measured has that still to do
        is_finished = record["finished"]
        if is_finished and trainer.progress >= 1:
            raise OptionError(
                f"this training has used up its budget ({trainer.budget}): "
                "give it a larger --minutes or --epochs to go on"
            )
        if is_finished and trainer.out_of_patience:
            raise OptionError(
                f"this training ended because {trainer.validation.stale} looks in a row at the "
                "held-out text brought nothing better: give it a larger --patience to go on"
            )
        return trainer

    def _restore(self, record: dict[str, Any], checkpoint: Checkpoint) -> None:
        moments, state = checkpoint.arrays["moments"], checkpoint.arrays["state"]
        if moments.shape != self._optimizer.state.shape:
            raise CheckpointError(
                f"this checkpoint is damaged: its moments are not those of {self.options.optimizer}"
            )
        if state.shape[-1] != self.batches.batch:
            raise CheckpointError(
                f"this checkpoint is damaged: its state is not that of {self.batches.batch} streams"
            )
        self._optimizer.state[:] = moments
        self._optimizer.steps = record["step"]
        self._state = state
        self.step, self.seconds = record["step"], record["seconds"]
        self.history = record["history"]
        self.halvings, self.rescues = record["halvings"], record["rescues"]
        self.test_loss = record["test_loss"]
        self._smoothed = math.nan if record["smoothed"] is None else record["smoothed"]
        self._marks = int(self.progress * MARKS)
        self.validation.restore(record, checkpoint.weights, self.progress)

    @property
    def held_out(self) -> int:
        """Symbols that are held out for validation."""
        return self.validation.symbols

    @property
    def tested(self) -> int:
        """Symbols of the test part, which no choice ever rests on."""
        return 0 if self._test is None else self._test.count

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        share = SCHEDULES[self.options.schedule](self.progress, self.epoch)
        return self.options.learning_rate * share * 0.5**self.halvings

    @property
    def out_of_patience(self) -> bool:
        """Whether the looks at the held-out text have stalled for too long."""
        return 0 < self.options.patience <= self.validation.stale

    @property
    def total_steps(self) -> int | None:
        """Steps in the whole run, if it is measured in epochs."""
        epochs = self.options.epochs
        return None if epochs is None else math.ceil(epochs * self.batches.windows)

    @property
    def budget(self) -> str:
        """What ends the run, in words."""
        epochs, minutes = self.options.epochs, self.options.minutes
        parts = [f"{minutes:g} minutes"] if minutes is not None else []
        parts += [f"{epochs:g} epochs"] if epochs is not None else []
        return " or ".join(parts)

    @property
    def epoch(self) -> float:
        """How often the text was read."""
        return self.step / self.batches.windows

    @property
    def progress(self) -> float:
        """How far the run is, 0 … 1; where it has two limits, by the one that is nearer."""
        total, minutes = self.total_steps, self.options.minutes
        by_steps = 0.0 if total is None else self.step / total
        by_time = 0.0 if minutes is None else self.seconds / (60 * minutes)
        return min(max(by_steps, by_time), 1.0)

    def request_stop(self) -> None:
        """End the run after the step at hand; the state is saved."""
        self.stop_requested = True

    def forget_pause(self) -> None:
        """Do not count the time since the last step, in which the process was suspended."""
        self._clock = time.monotonic()

    def run(self) -> Iterator[Event]:
        """Train to the end of the run.

        The first checkpoint is written before the first step, so that an output that cannot be
        written is known at once; later on the training goes on without (`NotSaved`). No other
        process may train to the same output meanwhile (`charrnn.checkpoints.lock`). Where the loss
        explodes, the training goes back to its last good state, with half the learning rate. Raises
        DivergedError when that was of no use `TRIES` times; the checkpoint then holds the last
        good state.
        """
        options, batches = self.options, self.batches
        with (
            contextlib.nullcontext() if self.output is None else only_training(self.output),
            one_thread(),
            ShardedNetwork(
                self.network,
                self._optimizer,
                batches.steps,
                batches.batch,
                options.threads,
                dropout=options.dropout,
                recurrent_dropout=options.recurrent_dropout,
                seed=options.seed,
            ) as shards,
        ):
            if self._state is not None:
                shards.state = self._state
            try:
                yield from self._save(shards, write_checkpoint)
                yield from self._run(shards)
                # not where the request came with the last step
                stopped = self.progress < 1 and not self.out_of_patience
                if not stopped:
                    self._measure()
                    self.finished = True
                yield from self._save(shards, save_at_last)
            except ExplosionError as error:
                raise self._diverged(str(error)) from error
        yield Finished(
            step=self.step,
            seconds=self.seconds,
            stopped=stopped,
            validation_loss=self.validation.loss,
            test_loss=self.test_loss,
            early=self.progress < 1 and not stopped,
            path=self.output,
        )

    def _run(self, shards: ShardedNetwork) -> Iterator[Event]:
        self._clock = self._saved = self._reported = time.monotonic()
        while self.progress < 1 and not (self.stop_requested or self.out_of_patience):
            try:
                yield from self._advance(shards)
            except ExplosionError as error:
                yield self._go_back(shards, str(error))

    def _advance(self, shards: ShardedNetwork) -> Iterator[Event]:
        """A step, and what is due after it."""
        step = self._take_step(shards)
        yield step
        now = time.monotonic()
        self.seconds += max(now - self._clock, 0.0)
        self._clock = now
        timed = self.options.minutes is not None
        look = self.validation.is_due(self.progress, self.seconds, timed=timed)
        if look:
            self._look()
        report = self._report(step, validated=look)
        self._remember(report)
        if look or now - self._reported >= REPORT_SECONDS:
            self._reported = now
            yield report
        if look or now - self._saved >= SAVE_SECONDS:
            self._saved = now
            try:
                yield from self._save(shards, write_checkpoint)
            except CheckpointError as error:
                assert self.output is not None
                yield NotSaved(self.output, self.step, str(error))

    def _take_step(self, shards: ShardedNetwork) -> Step:
        window = self.step % self.batches.windows
        if window == 0:
            shards.reset()
        learning_rate = self.learning_rate
        loss = shards.compute_gradient(*self.batches.window(window))
        norm = shards.gradient_norm()
        self._watch.check(loss, norm)
        clip = self.options.clip
        scale = clip / norm if 0 < clip < norm else 1.0
        shards.update(learning_rate, scale, self.options.clip_value)
        self.step += 1
        first = math.isnan(self._smoothed)
        self._smoothed = loss if first else SMOOTHING * self._smoothed + (1 - SMOOTHING) * loss
        return Step(
            step=self.step,
            characters=self.step * self.batches.batch * self.batches.steps,
            epoch=self.epoch,
            progress=self.progress,
            loss=self._smoothed,
            validation_loss=self.validation.loss,
            learning_rate=learning_rate,
            gradient_norm=norm,
            characters_per_second=self._speed.add(self.batches.batch * self.batches.steps),
            seconds=self.seconds,
        )

    def _look(self) -> None:
        if not math.isfinite(self.validation.look(self.network, self.progress)):
            raise ExplosionError("the loss is no longer a number")
        stale = self.validation.stale
        if self.options.schedule == "plateau" and stale and stale % PLATEAU == 0:
            self.halvings += 1

    def _report(self, step: Step, *, validated: bool) -> Report:
        values = asdict(step) | {
            "progress": self.progress,
            "seconds": self.seconds,
            "validation_loss": self.validation.loss,
        }
        return Report(**values, validated=validated)

    def _remember(self, report: Report) -> None:
        """Add a report to the history, if it is time."""
        marks = int(report.progress * MARKS)
        is_power_of_two = report.step & (report.step - 1) == 0
        if not (report.validated or marks > self._marks or is_power_of_two):
            return
        self._marks = marks
        entry = asdict(report)
        if not entry.pop("validated"):
            entry["validation_loss"] = None
        self.history.append(entry)

    def _measure(self) -> None:
        """The exact losses of the best weights, on all of the held-out text and the test part."""
        if not np.isfinite(self.network.parameters.flat).all():
            raise ExplosionError("the weights are no longer numbers")
        self.validation.update_best(self.network)
        self.validation.measure_best(self.network)
        if self._test is not None:
            best = self.network.with_weights(self.validation.best_weights)
            self.test_loss = self._test.loss(best)

    def _save(
        self, shards: ShardedNetwork, write: Callable[[Path, Checkpoint], None]
    ) -> Iterator[Saved]:
        """Write the checkpoint, and keep what it says as a state to go back to."""
        self.validation.update_best(self.network)
        checkpoint = self._checkpoint(shards)
        # the step that breaks the weights has a good loss still: only the next one would tell
        numbers = (checkpoint.weights, *checkpoint.arrays.values())
        if not all(np.isfinite(array).all() for array in numbers):
            raise ExplosionError("the weights are no longer numbers")
        self._good = GoodState(
            step=self.step,
            optimizer_steps=self._optimizer.steps,
            smoothed=self._smoothed,
            weights=self.network.parameters.flat.copy(),
            moments=self._optimizer.state.copy(),
            state=checkpoint.arrays["state"],
        )
        if self.output is not None:
            write(self.output, checkpoint)
            yield Saved(self.output, self.step)

    def _go_back(self, shards: ShardedNetwork, reason: str) -> Rescued:
        """Return to the last good state, with half the learning rate."""
        good = self._good
        if good is None or self.rescues >= TRIES:
            raise self._diverged(reason)
        lost = self.step
        self.rescues += 1
        self.halvings += 1
        self.step, self._smoothed = good.step, good.smoothed
        self.network.parameters.flat[:] = good.weights
        self._optimizer.state[:] = good.moments
        self._optimizer.steps = good.optimizer_steps
        shards.state = good.state
        self._watch.forget()
        self.history = [entry for entry in self.history if entry["step"] <= good.step]
        self._marks = int(self.progress * MARKS)
        return Rescued(lost, good.step, reason, self.options.learning_rate * 0.5**self.halvings)

    def _diverged(self, reason: str) -> DivergedError:
        halved = f", although the rate was halved {self.rescues} times" if self.rescues else ""
        kept = "" if self.output is None else f"; {self.output} keeps the last good state"
        return DivergedError(
            f"{reason} after step {self.step}{halved}{kept}; lower --learning-rate "
            f"(now {self.options.learning_rate:g}) or --clip (now {self.options.clip:g})"
        )

    def _checkpoint(self, shards: ShardedNetwork) -> Checkpoint:
        record = {
            "corpus": {
                "name": self.corpus.name,
                "sha256": self.corpus.sha256,
                "symbols": len(self.corpus.ids),
                "encoding": self.corpus.encoding,
                "sources": list(self.corpus.sources),
            },
            "options": self.options.to_json(),
            "step": self.step,
            "seconds": self.seconds,
            "history": self.history,
            "test_loss": self.test_loss,
            "finished": self.finished,
            "smoothed": None if math.isnan(self._smoothed) else self._smoothed,
            "optimizer_steps": self._optimizer.steps,
            "halvings": self.halvings,
            "rescues": self.rescues,
            **self.validation.record(),
        }
        arrays = {
            "last": self.network.parameters.flat,
            "moments": self._optimizer.state,
            "state": shards.state,
        }
        return Checkpoint(
            self.network.config,
            self.corpus.vocabulary,
            self.validation.best_weights,
            record,
            arrays,
        )


def _budget(options: TrainingOptions) -> tuple[float | None, float | None]:
    return options.epochs, options.minutes
