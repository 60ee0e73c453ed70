"""A training as a person sees it: what is said before, meanwhile and after."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Self

import click

from charrnn.cli.formatting import clock, counted, nats_and_bits
from charrnn.cli.progress_display import open_screen
from charrnn.cli.signals import stop_on_signals
from charrnn.errors import CharRNNError
from charrnn.model import Model
from charrnn.options import TrainingOptions
from charrnn.training.events import Event, Finished, NotSaved, Report, Rescued, Step
from charrnn.training.trainer import Trainer

SAMPLE_STEPS = (100, 300, 500, 700, 1200)
"""Where Karpathy (2015) shows how War and Peace emerges; from 2000 on, every 2000 steps."""
SAMPLE_LENGTH = 300
SAMPLE_TEMPERATURE = 0.8


def watch(
    trainer: Trainer,
    *,
    wished: TrainingOptions,
    chosen: str,
    sample_every: int | None,
    log: Path | None,
    quiet: bool,
    resume_command: str,
) -> int:
    """Run the training and show it; the exit code."""
    screen = open_screen(trainer, quiet)
    with Log(log) as reports, stop_on_signals(trainer) as signals:
        try:
            for line in introduction(trainer, wished, chosen):
                screen.say(line)
            for event in trainer.run():
                if isinstance(event, Report):
                    reports.write(event)
                screen.show(event)
                if isinstance(event, Rescued):
                    screen.say(rescued(event))
                if isinstance(event, NotSaved):
                    screen.say(f"{event.reason}; the training goes on, and will try again")
                if type(event) is Step and sample_is_due(event.step, sample_every):
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
    """A short text by the network as it is now; the training's own chance is not touched."""
    model = Model(trainer.network, trainer.corpus.vocabulary)
    return model.sample(SAMPLE_LENGTH, temperature=SAMPLE_TEMPERATURE, seed=trainer.step)


def introduction(trainer: Trainer, wished: TrainingOptions, chosen: str) -> Iterator[str]:
    """What is about to happen."""
    corpus, config, options = trainer.corpus, trainer.network.config, trainer.options
    kind = "bytes" if corpus.vocabulary.is_bytes else "characters"
    yield f"{corpus.name}: {len(corpus.ids):,} {kind}, {corpus.vocabulary.size} different ones"
    yield (
        f"network: {config.layers} × {config.hidden_size} {config.cell.upper()}, "
        f"{trainer.network.parameters.size:,} weights; "
        f"{counted(options.threads, 'thread')}"
    )
    if trainer.new_symbols is not None:
        yield f"beginning with a trained model; {novelties(trainer.new_symbols)}"
    if chosen:
        yield f"chosen for this text and time: {chosen}"
    batch, steps = trainer.batches.batch, trainer.batches.steps
    if (batch, steps) != (wished.batch_size, wished.seq_length) and trainer.step == 0:
        yield (
            f"the text is short: it is read in {counted(batch, 'stream')} of {steps} characters "
            f"at a time instead of {wished.batch_size} of {wished.seq_length}"
        )
    if trainer.held_out == 0:
        yield "nothing is held out for validation: the newest weights count as the best"
    if trainer.step:
        yield f"going on after step {trainer.step:,} (epoch {trainer.epoch:.2f})"
    if trainer.stretched:
        yield (
            f"the learning rate follows the schedule of a run of {trainer.budget}, of which "
            f"{trainer.progress:.0%} is over: it goes on at {trainer.learning_rate:.2g}"
        )
    yield f"training for {trainer.budget}; checkpoint: {trainer.output}"


def conclusion(event: Event, trainer: Trainer, resume_command: str) -> Iterator[str]:
    """How it ended."""
    assert isinstance(event, Finished)
    loss = event.validation_loss
    measured = "" if loss is None else f"; validation loss {nats_and_bits(loss)}"
    if event.test_loss is not None:
        measured += f"; test loss {nats_and_bits(event.test_loss)}"
    if event.stopped:
        yield f"stopped after step {event.step:,}; saved to {event.path}"
        yield f"go on with: {resume_command}"
    else:
        if event.early:
            yield (
                f"{trainer.validation.stale} looks in a row at the held-out text brought nothing "
                "better: the best weights are kept"
            )
        yield f"finished after step {event.step:,} in {clock(event.seconds)}{measured}"
        yield f"saved to {event.path}; write with: charrnn sample -c {event.path}"


def novelties(symbols: list[str]) -> str:
    """What of a text is new to a trained model."""
    if not symbols:
        return "it knows every character of this text"
    named = ", ".join(symbols[:10]) + (" …" if len(symbols) > 10 else "")
    return f"{counted(len(symbols), 'character')} of this text are new to it: {named}"


def rescued(event: Rescued) -> str:
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
