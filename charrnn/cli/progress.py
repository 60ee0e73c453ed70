"""A training as a person sees it: what is said before, meanwhile and after."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import click

from charrnn.cli.formatting import clock, counted, nats_and_bits
from charrnn.cli.progress_display import open_screen
from charrnn.cli.signals import stop_on_signals
from charrnn.errors import CharRNNError
from charrnn.model import Model
from charrnn.training.events import Event, Finished, NotSaved, Recovered, Report, Step
from charrnn.training.plan import TrainingPlan
from charrnn.training.trainer import Trainer

SAMPLE_STEPS = (100, 300, 500, 700, 1200)
"""Where Karpathy (2015) shows how War and Peace emerges; from 2000 on, every 2000 steps."""
SAMPLE_LENGTH = 300
SAMPLE_TEMPERATURE = 0.8


def watch(
    trainer: Trainer,
    sample_every: int | None,
    log: Path | None,
    *,
    quiet: bool,
    resume_command: str,
    notices: Sequence[str] = (),
) -> int:
    """Run the training and show it, after `notices` of what it runs on; the exit code."""
    screen = open_screen(trainer, quiet)
    with Log(log) as reports, stop_on_signals(trainer) as signals:
        try:
            for line in (*introduction(trainer), *notices):
                screen.say(line)
            for event in trainer.run():
                if isinstance(event, Report):
                    reports.write(event)
                screen.show(event)
                if isinstance(event, Recovered):
                    screen.say(recovered(event))
                if isinstance(event, NotSaved):
                    screen.say(f"{event.reason}; the training goes on, and will try again")
                if type(event) is Step and sample_is_due(event.step, sample_every):
                    # a network that has just diverged cannot write; the training will see to it
                    with contextlib.suppress(CharRNNError):
                        screen.sample(event, written_sample(trainer))
        finally:
            screen.close()
        for line in conclusion(event, trainer, resume_command):
            screen.say(line)
    return 128 + signals[0] if signals else 0


def sample_is_due(step: int, every: int | None) -> bool:
    if every is None:
        return step in SAMPLE_STEPS or step % 2000 == 0
    return every > 0 and step % every == 0


def written_sample(trainer: Trainer) -> str:
    """A short text by the network as it is now; it draws no random numbers of the training."""
    model = Model(trainer.network, trainer.plan.corpus.vocabulary)
    return model.sample(SAMPLE_LENGTH, temperature=SAMPLE_TEMPERATURE, seed=trainer.state.step)


def introduction(trainer: Trainer) -> Iterator[str]:
    """What is about to happen."""
    plan, state, options = trainer.plan, trainer.state, trainer.options
    corpus, config = plan.corpus, plan.network.config
    kind = corpus.vocabulary.kind
    different = f"{corpus.vocabulary.size} different ones"
    if plan.new_symbols is not None:
        different += " with those that the model knows"
    yield f"{corpus.name}: {len(corpus.ids):,} {kind}, {different}"
    yield (
        f"network: {config.layers} × {config.hidden_size} {config.cell.upper()}, "
        f"{trainer.network.parameters.size:,} weights; "
        f"{counted(options.threads, 'thread')}"
        + (f" in {plan.ranks} ranks" if plan.ranks > 1 else "")
    )
    if plan.ranks > 1 and options.sync_every > 1:
        yield f"each rank takes {options.sync_every} steps before the weights are averaged"
    if plan.new_symbols is not None:
        yield f"fine-tuning a trained model; {novelties(plan.new_symbols)}"
    if plan.chosen:
        yield f"chosen for this text and time: {as_options(plan.chosen)}"
    batch, steps = trainer.batches.batch, trainer.batches.steps
    if (batch, steps) != (options.batch_size, options.seq_length) and state.step == 0:
        yield (
            f"the text is short: it is read in {counted(batch, 'stream')} of {steps} characters "
            f"at a time instead of {options.batch_size} of {options.seq_length}"
        )
    if trainer.validation.symbols == 0:
        yield "no text is held out for validation: the newest weights count as the best"
    yield from resumption(trainer)
    if trainer.snapshots.is_on:
        yield f"snapshots of the weights: {trainer.snapshots.path}"
    yield f"training for {trainer.budget}; checkpoint: {plan.output}"


def resumption(trainer: Trainer) -> Iterator[str]:
    """From where a resumed training goes on, and what is not as before."""
    plan, state, options = trainer.plan, trainer.state, trainer.options
    if state.step:
        yield f"resuming after step {state.step:,} (epoch {trainer.epoch:.2f})"
    if plan.shards_changed:
        yield (
            f"with {workers(plan)}, another number than before: the training goes on, but not to "
            "the bit as it would have"
        )
    if plan.rate_given:
        yield f"the learning rate begins anew, with a peak of {options.learning_rate:g}"
    if plan.budget_changed:
        yield (
            f"the learning rate follows the schedule of a run of {trainer.budget}, of which "
            f"{trainer.progress:.0%} is over: it goes on at {trainer.learning_rate:.2g}"
        )


def workers(plan: TrainingPlan) -> str:
    """How many there are; where it matters, in how many ranks."""
    found = counted(plan.options.threads, "worker")
    return f"{found} in {counted(plan.ranks, 'rank')}" if plan.options.depends_on_ranks else found


def conclusion(event: Event, trainer: Trainer, resume_command: str) -> Iterator[str]:
    """How it ended."""
    assert isinstance(event, Finished)
    measured = ""
    _, held_out, test = trainer.plan.split()
    kind = trainer.plan.corpus.vocabulary.kind
    for name, loss, text in (
        ("validation", event.validation_loss, held_out),
        ("test", event.test_loss, test),
    ):
        if loss is not None:
            symbols = event.symbols.get(name, 0)
            is_part = 0 < symbols < len(text) - 1
            part = f", on {symbols:,} of {len(text):,} {kind}" if is_part else ""
            measured += f"; {name} loss {nats_and_bits(loss)}{part}"
    if event.stopped:
        yield f"stopped after step {event.step:,}; saved to {event.path}"
        yield f"go on with: {resume_command}"
    else:
        if event.early:
            yield (
                f"early stopping: {counted(trainer.state.stale, 'validation')} in a row without "
                "improvement; the best weights are kept"
            )
        yield f"finished after step {event.step:,} in {clock(event.seconds)}{measured}"
        yield f"saved to {event.path}; write with: charrnn sample -c {event.path}"


def as_options(values: Mapping[str, Any]) -> str:
    """Options as on a command line."""
    return " ".join(f"--{name.replace('_', '-')} {value}" for name, value in values.items())


def novelties(symbols: Sequence[str]) -> str:
    """What of a text is new to a trained model."""
    if not symbols:
        return "it knows every character of this text"
    named = ", ".join(symbols[:10]) + (" …" if len(symbols) > 10 else "")
    return f"{counted(len(symbols), 'character')} of this text are new to it: {named}"


def recovered(event: Recovered) -> str:
    return (
        f"{event.reason} after step {event.lost:,}: back to step {event.step:,}, with a learning "
        f"rate of at most {event.learning_rate:.2g} from here on"
    )


class Log:
    """The reports in a file, one JSON object a line; without a path, nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        try:
            # unbuffered: a report is in the file at once, and the end has nothing left to write
            self._file = None if path is None else path.open("ab", buffering=0)
        except OSError as error:
            raise CharRNNError(f"cannot write the log {path}: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def write(self, report: Report) -> None:
        """Append a report. The training is worth more than its log, and goes on without it."""
        if self._file is None:
            return
        try:
            self._file.write((json.dumps(asdict(report)) + "\n").encode())
        except OSError as error:
            self.close()
            click.echo(
                f"charrnn: cannot write the log {self._path}: {error.strerror}; "
                "the training goes on without it",
                err=True,
            )
