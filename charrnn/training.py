"""Training: a generator of events, so that a bar, a log or a notebook can watch and stop it.

window ─▶ loss, gradient ─ clip ─▶ optimizer ─▶ weights ─▶ now and then: validation, checkpoint
"""

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from charrnn.batches import Batches, fit_shape
from charrnn.blas import one_thread
from charrnn.checkpoint import TRAINING_ARRAYS, Checkpoint, write_checkpoint
from charrnn.corpus import Corpus
from charrnn.errors import CheckpointError, DivergedError, OptionError
from charrnn.evaluation import Evaluation
from charrnn.events import Event, Finished, Report, Saved, Speedometer, Step
from charrnn.network import Network, NetworkConfig
from charrnn.optimizers import OPTIMIZERS
from charrnn.options import (
    DEFAULT_CELL,
    DEFAULT_EPOCHS,
    DEFAULT_MINUTES,
    DEFAULT_STEPS,
    TrainingOptions,
)
from charrnn.parameters import Array, Parameters
from charrnn.schedule import cosine
from charrnn.shards import ShardedNetwork
from charrnn.vocabulary import Vocabulary

VALIDATIONS = 20
"""Looks at the held-out text in a run, evenly spread over its course."""
VALIDATION_SYMBOLS = 32768
"""Symbols that a look takes in; the end of the run takes in the whole held-out text."""
VALIDATION_SHARE = 0.03
"""Of a run that is measured in minutes, the share of the time that the looks may take."""
SAVE_SECONDS = 30.0
REPORT_SECONDS = 10.0
SMOOTHING = 0.98
"""The training loss that is shown is an exponential average over about 1 / (1 − this) steps."""


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
        train, held_out = corpus.split(options.validation_fraction)
        batch, steps = fit_shape(len(train), options.batch_size, options.seq_length)
        self.batches = Batches(train, batch, steps)
        self.options = replace(options, threads=min(options.threads, batch))
        if options.epochs is None and options.minutes is None:
            epochs = max(DEFAULT_EPOCHS, DEFAULT_STEPS / self.batches.windows)
            self.options = replace(self.options, epochs=epochs, minutes=DEFAULT_MINUTES)
        self.stretched = False
        """Whether the budget was changed in the middle of the run, and with it the schedule."""
        self.stop_requested = False
        self.step = 0
        self.seconds = 0.0
        self.history: list[dict[str, Any]] = []
        self.best_weights = network.parameters.flat.copy()
        self.best_loss = math.inf
        self.validation_loss: float | None = None
        self._smoothed = math.nan
        self._validations = 0
        self._validation_seconds = 0.0
        self._optimizer = OPTIMIZERS[self.options.optimizer](
            network.parameters.flat, weight_decay=self.options.weight_decay
        )
        self._state: Array | None = None
        self._speed = Speedometer()
        threads = self.options.threads
        self._evaluation = self._quick_evaluation = None
        if len(held_out) > 0:
            self._evaluation = Evaluation(train, held_out, threads=threads)
            self._quick_evaluation = Evaluation(
                train, held_out, limit=VALIDATION_SYMBOLS, threads=threads
            )

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
        network = Network.create(config, np.random.default_rng(options.seed))
        return cls(network, corpus, options, output)

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
        record, arrays = checkpoint.training, checkpoint.arrays
        if set(arrays) != set(TRAINING_ARRAYS):
            raise CheckpointError(
                "this checkpoint holds a model only, not a training that could go on: "
                "train anew with another --output"
            )
        _check_record(record)
        _check_corpus(checkpoint, corpus)
        weights = Parameters(checkpoint.config.shapes(), flat=arrays["last"].copy())
        saved_options = _saved_options(record["options"])
        trainer = cls(
            Network(checkpoint.config, weights),
            corpus,
            _changed(saved_options, changes),
            output,
        )
        trainer.step = record["step"]
        trainer.seconds = record["seconds"]
        trainer.history = record["history"]
        trainer.best_weights = checkpoint.weights.copy()
        trainer.best_loss = math.inf if record["best_loss"] is None else record["best_loss"]
        trainer.validation_loss = record["validation_loss"]
        trainer._smoothed = math.nan if record["smoothed"] is None else record["smoothed"]
        trainer._validations = int(trainer.progress * VALIDATIONS)
        trainer._validation_seconds = record["validation_seconds"]
        if arrays["moments"].shape != trainer._optimizer.state.shape:
            raise CheckpointError(
                "this checkpoint is damaged: its moments are not those of "
                f"{saved_options.optimizer}"
            )
        if arrays["state"].shape[-1] != trainer.batches.batch:
            raise CheckpointError(
                f"this checkpoint is damaged: its state is not that of {trainer.batches.batch} "
                "streams"
            )
        trainer._optimizer.state[:] = arrays["moments"]
        trainer._optimizer.steps = record["optimizer_steps"]
        trainer._state = arrays["state"]
        trainer.stretched = _budget(trainer.options) != _budget(saved_options)
        if trainer.progress >= 1:
            raise OptionError(
                f"this training has used up its budget ({trainer.budget}): "
                "give it a larger --minutes or --epochs to go on"
            )
        return trainer

    @property
    def held_out(self) -> int:
        """Symbols that are held out for validation."""
        return 0 if self._evaluation is None else self._evaluation.count

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return cosine(self.options.learning_rate, self.progress)

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

    def run(self) -> Iterator[Event]:
        """Train to the end of the run.

        The first checkpoint is written before the first step, so that an output that cannot be
        written is known at once. Raises DivergedError when the loss is no longer a number; the
        checkpoint then holds the last good state.
        """
        options, batches = self.options, self.batches
        with (
            one_thread(),
            ShardedNetwork(
                self.network, self._optimizer, batches.steps, batches.batch, options.threads
            ) as shards,
        ):
            if self._state is not None:
                shards.state = self._state
            yield from self._save(shards)
            clock = time.monotonic()
            saved = reported = clock
            while self.progress < 1 and not self.stop_requested:
                step = self._take_step(shards)
                yield step
                now = time.monotonic()
                self.seconds += now - clock
                clock = now
                due = self._validation_is_due()
                if due:
                    self._validate()
                if due or now - reported >= REPORT_SECONDS:
                    reported = now
                    yield self._report(step, validated=due)
                if due or now - saved >= SAVE_SECONDS:
                    saved = now
                    yield from self._save(shards)
            stopped = self.progress < 1  # not where the request came with the last step
            if not stopped:
                self._measure_best()
            yield from self._save(shards)
        yield Finished(self.step, self.seconds, stopped, self.validation_loss, self.output)

    def _take_step(self, shards: ShardedNetwork) -> Step:
        window = self.step % self.batches.windows
        if window == 0:
            shards.reset()
        learning_rate = self.learning_rate
        loss = shards.compute_gradient(*self.batches.window(window))
        norm = shards.gradient_norm()
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise self._diverged()
        clip = self.options.clip
        scale = clip / norm if 0 < clip < norm else 1.0
        shards.update(learning_rate, scale, self.options.clip_value)
        self.step += 1
        first = math.isnan(self._smoothed)
        self._smoothed = loss if first else SMOOTHING * self._smoothed + (1 - SMOOTHING) * loss
        return Step(
            step=self.step,
            epoch=self.epoch,
            progress=self.progress,
            loss=self._smoothed,
            validation_loss=self.validation_loss,
            learning_rate=learning_rate,
            gradient_norm=norm,
            characters_per_second=self._speed.add(self.batches.batch * self.batches.steps),
            seconds=self.seconds,
        )

    def _diverged(self) -> DivergedError:
        kept = "" if self.output is None else f"; {self.output} keeps the last good state"
        return DivergedError(
            f"the loss is no longer a number after step {self.step}{kept}; lower --learning-rate "
            f"(now {self.options.learning_rate:g}) or --clip (now {self.options.clip:g})"
        )

    def _validation_is_due(self) -> bool:
        if self._quick_evaluation is None or self.progress * VALIDATIONS < self._validations + 1:
            return False
        # a run measured in steps looks at the same steps every time, whatever it costs
        affordable = self._validation_seconds <= VALIDATION_SHARE * self.seconds
        return self.progress >= 1 or self.options.minutes is None or affordable

    def _validate(self) -> None:
        assert self._quick_evaluation is not None
        start = time.monotonic()
        self._validations = int(self.progress * VALIDATIONS)
        loss = self._quick_evaluation.loss(self.network)
        if not math.isfinite(loss):
            raise self._diverged()
        self.validation_loss = loss
        if self.validation_loss < self.best_loss:
            self.best_loss = self.validation_loss
            self.best_weights[:] = self.network.parameters.flat
        self._validation_seconds += time.monotonic() - start

    def _report(self, step: Step, *, validated: bool) -> Report:
        values = asdict(step) | {
            "progress": self.progress,
            "seconds": self.seconds,
            "validation_loss": self.validation_loss,
        }
        report = Report(**values, validated=validated)
        if validated:
            self.history.append({k: v for k, v in asdict(report).items() if k != "validated"})
        return report

    def _measure_best(self) -> None:
        """The exact loss of the best weights, on all of the held-out text."""
        if self._evaluation is None:
            if not np.isfinite(self.network.parameters.flat).all():
                raise self._diverged()
            self.best_weights[:] = self.network.parameters.flat
            return
        weights = Parameters(self.network.config.shapes(), flat=self.best_weights)
        self.validation_loss = self._evaluation.loss(Network(self.network.config, weights))

    def _save(self, shards: ShardedNetwork) -> Iterator[Saved]:
        if self.output is None:
            return
        if self._evaluation is None or math.isinf(self.best_loss):
            # nothing to choose by: the newest weights are the best that are known
            self.best_weights[:] = self.network.parameters.flat
        checkpoint = self._checkpoint(shards)
        # the step that breaks the weights has a good loss still: only the next one would tell
        numbers = (checkpoint.weights, *checkpoint.arrays.values())
        if not all(np.isfinite(array).all() for array in numbers):
            raise self._diverged()
        write_checkpoint(self.output, checkpoint)
        yield Saved(self.output, self.step)

    def _checkpoint(self, shards: ShardedNetwork) -> Checkpoint:
        record = {
            "corpus": {
                "name": self.corpus.name,
                "sha256": self.corpus.sha256,
                "symbols": len(self.corpus.ids),
            },
            "options": self.options.to_json(),
            "step": self.step,
            "seconds": self.seconds,
            "history": self.history,
            "best_loss": None if math.isinf(self.best_loss) else self.best_loss,
            "validation_loss": self.validation_loss,
            "validation_seconds": self._validation_seconds,
            "smoothed": None if math.isnan(self._smoothed) else self._smoothed,
            "optimizer_steps": self._optimizer.steps,
        }
        arrays = {
            "last": self.network.parameters.flat,
            "moments": self._optimizer.state,
            "state": shards.state,
        }
        return Checkpoint(
            self.network.config, self.corpus.vocabulary, self.best_weights, record, arrays
        )


def _budget(options: TrainingOptions) -> tuple[float | None, float | None]:
    return options.epochs, options.minutes


_RECORD: dict[str, Any] = {
    "corpus": dict,
    "options": dict,
    "step": int,
    "seconds": int | float,
    "history": list,
    "best_loss": int | float | None,
    "validation_loss": int | float | None,
    "validation_seconds": int | float,
    "smoothed": int | float | None,
    "optimizer_steps": int,
}
"""What `Trainer._checkpoint` writes down about a training."""


def _check_record(record: dict[str, Any]) -> None:
    for name, kind in _RECORD.items():
        if name not in record or not isinstance(record[name], kind):
            raise CheckpointError(f"this checkpoint is damaged: its training has no {name} of use")
    if not {"name", "sha256", "symbols"} <= set(record["corpus"]):
        raise CheckpointError("this checkpoint is damaged: it does not say what text it learned")


def _saved_options(record: dict[str, Any]) -> TrainingOptions:
    try:
        return TrainingOptions.from_json(record)
    except (TypeError, OptionError) as error:
        raise CheckpointError(
            "this checkpoint is damaged, or another version of charrnn wrote it: its options make "
            f"no sense ({error})"
        ) from error


def _check_corpus(checkpoint: Checkpoint, corpus: Corpus) -> None:
    record = checkpoint.training["corpus"]
    if record["sha256"] != corpus.sha256:
        raise CheckpointError(
            f"this training was on another text ({record['name']}, {record['symbols']:,} "
            f"characters) than {corpus.name} ({len(corpus.ids):,} characters): resume it with the "
            "very same text, or train anew with another --output"
        )
    if checkpoint.vocabulary != corpus.vocabulary:
        # the same bytes, but not the same symbols
        raise CheckpointError(
            f"this training read {corpus.name} as {_kind(checkpoint.vocabulary)}, not as "
            f"{_kind(corpus.vocabulary)}: resume it with the --bytes or --encoding that it had"
        )


def _kind(vocabulary: Vocabulary) -> str:
    kind = "bytes" if vocabulary.is_bytes else "characters"
    return f"{vocabulary.size:,} different {kind}"


def _changed(options: TrainingOptions, changes: dict[str, Any]) -> TrainingOptions:
    for name in ("batch_size", "seq_length", "validation_fraction", "seed", "optimizer"):
        if name in changes and changes[name] != getattr(options, name):
            raise OptionError(
                f"--{name.replace('_', '-')} {changes[name]} does not fit the training to be "
                f"resumed, which has {getattr(options, name)}: leave the option out"
            )
    if "epochs" in changes or "minutes" in changes:
        # a new budget takes the place of the old one
        changes = {"epochs": None, "minutes": None} | changes
    return replace(options, **changes)
