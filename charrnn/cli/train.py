"""`charrnn train`."""

import contextlib
import sys
from pathlib import Path
from typing import Any

import click

from charrnn.cli.command import Command
from charrnn.cli.last_words import last_words
from charrnn.cli.mpi import mpi_options, ranks
from charrnn.cli.resume_command import resume_command
from charrnn.errors import OptionError
from charrnn.options import (
    BETA1_OF_FEW_STEPS,
    CELL_OF_FEW_STEPS,
    DEFAULT_CELL,
    DEFAULT_EPOCHS,
    DEFAULT_HIDDEN_SIZE,
    DEFAULT_LAYERS,
    DEFAULT_MINUTES,
    DEFAULT_OPTIMIZER,
    DEFAULT_SCHEDULE,
    DEFAULT_STEPS,
    NETWORK_OPTIONS,
    TRAINING_OPTIONS,
    TrainingOptions,
)
from charrnn.registries import CELLS, OPTIMIZERS, SCHEDULES

DEFAULTS = TrainingOptions()
BY_PASSES = "chosen by the number of epochs"
"""The default of options that counter overfitting (`charrnn.training.sizing`)."""


def defaults_by_optimizer(option: str) -> str:
    """The default of an option for each optimizer that has one of its own."""
    values = {name: entry.defaults.get(option) for name, entry in OPTIMIZERS.items()}
    return ", ".join(f"{name} {value:g}" for name, value in values.items() if value is not None)


def steps(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """Numbers of steps with commas between them."""
    try:
        return None if value is None else tuple(map(int, value.split(",")))
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not a list such as 100,1000,10000") from error


@click.command(cls=Command, short_help="Train a model on texts.")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Checkpoint to write.  [default: the name of the first text, with .npz, in this folder]",
)
@click.option("--resume", is_flag=True, help="Continue the training saved in the output.")
@click.option("--force", "overwrite", is_flag=True, help="Overwrite an existing output.")
@click.option(
    "--init-from",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Start from the model in this checkpoint or .safetensors file (fine-tuning); characters "
    "that are new to it are added.  [default: random weights]",
)
@click.option("--encoding", default="utf-8", help="Encoding of the texts.")
@click.option("--bytes", "as_bytes", is_flag=True, help="Learn bytes instead of characters.")
@click.option(
    "--cell",
    type=click.Choice(list(CELLS)),
    help=f"Kind of recurrent cell.  [default: {DEFAULT_CELL}; {CELL_OF_FEW_STEPS} for a run of few "
    "steps and few epochs, if neither hidden size nor layers are given]",
)
@click.option(
    "--hidden-size",
    type=int,
    help=f"Hidden units in each layer.  [default: {DEFAULT_HIDDEN_SIZE}; 512 for a long text and "
    "enough time; in one layer of lstm-multiplicative 448 and 768]",
)
@click.option(
    "--layers",
    type=int,
    help=f"Stacked recurrent layers.  [default: {DEFAULT_LAYERS}; 1 of lstm-multiplicative]",
)
@click.option(
    "--seq-length",
    type=int,
    help="Time steps of truncated backpropagation, in characters.  "
    f"[default: {DEFAULTS.seq_length}; 32 or 16 for a run of few steps]",
)
@click.option(
    "--batch-size",
    type=int,
    default=DEFAULTS.batch_size,
    help="Parallel streams of the text in each step.",
)
@click.option(
    "--epochs",
    type=float,
    help="Stop after this many epochs (passes over the text).  "
    f"[default: {DEFAULT_EPOCHS:g}, but at least {DEFAULT_STEPS} steps; no limit with --minutes]",
)
@click.option(
    "--minutes",
    type=float,
    help=f"Stop after this many minutes.  [default: {DEFAULT_MINUTES:g}; no limit with --epochs]",
)
@click.option(
    "--optimizer",
    type=click.Choice(list(OPTIMIZERS)),
    default=DEFAULT_OPTIMIZER,
    help="Optimization algorithm.",
)
@click.option(
    "--learning-rate",
    type=float,
    help=f"Peak learning rate.  [default: {defaults_by_optimizer('learning_rate')}]",
)
@click.option(
    "--beta1",
    type=float,
    help="Decay of the mean of gradients, in adam, adamw and lion.  "
    f"[default: {DEFAULTS.beta1:g}; {BETA1_OF_FEW_STEPS:g} for a run of few steps, if --optimizer "
    "is not given]",
)
@click.option(
    "--schedule",
    type=click.Choice(list(SCHEDULES)),
    default=DEFAULT_SCHEDULE,
    help="Learning-rate schedule. cosine: a short warm-up, then down along a cosine to the end of "
    "the run; step: 3 % lower with each epoch from the tenth on; constant: always the same; "
    "plateau: halved when the validation loss stalls.",
)
@click.option(
    "--weight-decay",
    type=float,
    help="Decoupled weight decay: each step shrinks the weights by this times the learning rate.  "
    f"[default: {BY_PASSES}; if --optimizer is given, {defaults_by_optimizer('weight_decay')}, "
    "others 0]",
)
@click.option(
    "--clip",
    type=float,
    default=DEFAULTS.clip,
    help="Clip the gradient to this Euclidean norm; 0 for no clipping.",
)
@click.option(
    "--clip-value",
    type=float,
    default=DEFAULTS.clip_value,
    help="Clip each component of the gradient to this size; 0 for no clipping.",
)
@click.option(
    "--dropout",
    type=float,
    help=f"Dropout rate of layer outputs.  [default: {BY_PASSES}]",
)
@click.option(
    "--recurrent-dropout",
    type=float,
    help=f"Dropout rate of recurrent weights (DropConnect).  [default: {BY_PASSES}]",
)
@click.option(
    "--patience",
    type=int,
    default=DEFAULTS.patience,
    help="Early stopping: stop after this many validations in a row without improvement; 0 for "
    "never. A run has up to 20 validations.",
)
@click.option(
    "--validation-fraction",
    type=float,
    default=DEFAULTS.validation_fraction,
    help="Fraction of the text that is held out for validation: the loss on it chooses the best "
    "weights. It is the end of the text, or comes before that of --test-fraction.",
)
@click.option(
    "--test-fraction",
    type=float,
    default=DEFAULTS.test_fraction,
    help="Fraction of the text that is held out for one final test: its very end, after the part "
    "for validation.",
)
@click.option("--seed", type=int, default=DEFAULTS.seed, help="Seed of weights and dropout.")
@click.option(
    "--threads",
    type=int,
    help="Workers that share each batch. A run repeats exactly only with the same number.  "
    "[default: all processors]",
)
@mpi_options
@click.option(
    "--sample-every",
    type=int,
    help="Show a sample every this many steps; 0 for none.  "
    "[default: after 100, 300, 500, 700, 1200, 2000 and every further 2000]",
)
@click.option(
    "--keep",
    type=int,
    default=DEFAULTS.keep,
    metavar="EVERY",
    help="Keep a snapshot of the weights every this many steps, for visualize-neurons --over-time; "
    "as the run grows, every second one is dropped. They stand beside the output, in a file that "
    "ends in .snapshots.npz. 0 for none.",
)
@click.option(
    "--keep-at",
    callback=steps,
    metavar="STEP,STEP,...",
    help="Keep snapshots after these steps, for good.  [default: none]",
)
@click.option(
    "--log",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Append progress reports to this file as JSON lines.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
@click.pass_context
def train(
    ctx: click.Context,
    /,
    texts: tuple[str, ...],
    output: Path | None,
    resume: bool,
    overwrite: bool,
    init_from: Path | None,
    encoding: str,
    as_bytes: bool,
    mpi: bool,
    sample_every: int | None,
    log: Path | None,
    quiet: bool,
    **_: Any,
) -> None:
    """Train a model to write like TEXT: files, folders (their *.txt) or - for standard input.

    The model is saved to a checkpoint every half minute and at the end. Ctrl-C stops the training
    early and saves it; --resume continues it as if it had never stopped.
    """
    check_options(resume, overwrite, init_from, sample_every)
    with ranks(mpi=mpi) as group:
        # only now: they load NumPy, whose threads are bounded where there are ranks
        from charrnn.cli.progress import watch
        from charrnn.text.corpus import read_corpus
        from charrnn.training.session import open_training

        with open_training(
            lambda: read_corpus(texts, encoding=encoding, as_bytes=as_bytes),
            given_options(ctx),
            output=default_output(texts[0]) if output is None else output,
            resume=resume,
            overwrite=overwrite,
            init_from=init_from,
            texts=texts,
            group=group,
        ) as trainer:
            again = resume_command(texts, output, encoding, as_bytes, group)
            notices = group.notices(trainer.options.threads) if group else []
            if group:  # now, in case that mpiexec takes nothing more when a machine has failed
                notices.append(f"if a process or a machine fails, go on with: {again}")
            lost = f"a process or a machine of this training has ended; go on with: {again}"
            with last_words(lost) if group else contextlib.nullcontext():
                code = watch(
                    trainer, sample_every, log, quiet=quiet, resume_command=again, notices=notices
                )
    sys.exit(code)


def check_options(
    resume: bool, overwrite: bool, init_from: Path | None, sample_every: int | None
) -> None:
    """Raise UsageError or OptionError for what only the command line knows."""
    if resume and (overwrite or init_from is not None):
        other = "--force" if overwrite else "--init-from"
        raise click.UsageError(f"--resume goes on with a training, {other} begins one: choose")
    if sample_every is not None and sample_every < 0:
        raise OptionError(f"`sample_every` must be 0 or more, not {sample_every}")


def default_output(text: str) -> Path:
    """Where the model of `text` goes: its name with .npz, in the current folder."""
    return Path("stdin.npz" if text == "-" else Path(text).resolve().stem + ".npz")


def given_options(ctx: click.Context) -> dict[str, Any]:
    """The options of network and training that the user has set, with their values."""
    from click.core import ParameterSource

    return {
        name: ctx.params[name]
        for name in (*NETWORK_OPTIONS, *TRAINING_OPTIONS)
        if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT
        and ctx.params[name] is not None
    }
