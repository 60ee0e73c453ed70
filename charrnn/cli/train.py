"""`charrnn train`."""

import shlex
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from charrnn.cli.command import Command
from charrnn.errors import CheckpointError, OptionError
from charrnn.options import (
    DEFAULT_CELL,
    DEFAULT_EPOCHS,
    DEFAULT_HIDDEN_SIZE,
    DEFAULT_LAYERS,
    DEFAULT_MINUTES,
    DEFAULT_OPTIMIZER,
    DEFAULT_SCHEDULE,
    DEFAULT_STEPS,
    TrainingOptions,
    spoken,
    usable_threads,
)
from charrnn.registries import CELLS, OPTIMIZERS, SCHEDULES

if TYPE_CHECKING:
    from charrnn.checkpoints.format import Checkpoint
    from charrnn.text.corpus import Corpus
    from charrnn.training.trainer import Trainer

DEFAULTS = TrainingOptions()
NETWORK_OPTIONS = ("cell", "hidden_size", "layers")
TRAINING_OPTIONS = tuple(DEFAULTS.to_json())


def usual(option: str) -> str:
    """The default of an option for each optimizer that has one of its own."""
    values = {name: entry.defaults.get(option) for name, entry in OPTIMIZERS.items()}
    return ", ".join(f"{name} {value:g}" for name, value in values.items() if value is not None)


@click.command(cls=Command)
@click.argument("texts", nargs=-1, required=True, metavar="TEXT...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Checkpoint to write.  [default: the name of the first text, with .npz, in this folder]",
)
@click.option("--resume", is_flag=True, help="Go on with the training saved in the output.")
@click.option("--force", is_flag=True, help="Overwrite an existing output.")
@click.option(
    "--init-from",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Begin with the model in this checkpoint, which learns the new characters of the text.  "
    "[default: fresh weights]",
)
@click.option("--encoding", default="utf-8", help="Encoding of the texts.")
@click.option("--bytes", "as_bytes", is_flag=True, help="Learn bytes instead of characters.")
@click.option(
    "--cell",
    type=click.Choice(list(CELLS)),
    default=DEFAULT_CELL,
    help="What a unit is: a simple recurrent one, or one with gates.",
)
@click.option(
    "--hidden-size",
    type=int,
    help=f"Units in a layer.  [default: {DEFAULT_HIDDEN_SIZE}, or more where there is the time]",
)
@click.option(
    "--layers",
    type=int,
    help=f"Layers, one above the other.  [default: {DEFAULT_LAYERS}]",
)
@click.option(
    "--seq-length",
    type=int,
    default=DEFAULTS.seq_length,
    help="Characters through which the gradient flows back.",
)
@click.option(
    "--batch-size",
    type=int,
    default=DEFAULTS.batch_size,
    help="Places of the text that are read side by side.",
)
@click.option(
    "--epochs",
    type=float,
    help=f"End when the text was read so often.  [default: {DEFAULT_EPOCHS:g}, and at least "
    f"{DEFAULT_STEPS} steps, without --minutes]",
)
@click.option(
    "--minutes",
    type=float,
    help=f"End after so many minutes.  [default: {DEFAULT_MINUTES:g}, without --epochs]",
)
@click.option(
    "--optimizer",
    type=click.Choice(list(OPTIMIZERS)),
    default=DEFAULT_OPTIMIZER,
    help="How the gradient moves the weights.",
)
@click.option(
    "--learning-rate",
    type=float,
    help=f"The highest one.  [default: {usual('learning_rate')}]",
)
@click.option(
    "--schedule",
    type=click.Choice(list(SCHEDULES)),
    default=DEFAULT_SCHEDULE,
    help="How the rate falls: along a cosine over the run, after a short rise; by 3 % an epoch "
    "from the tenth on; not at all; by half where the validation loss stalls.",
)
@click.option(
    "--weight-decay",
    type=float,
    help="Share of the weights, times the learning rate, that a step takes away."
    f"  [default: {usual('weight_decay')}; without --optimizer, the more, the more often there is "
    "the time to read the text; else 0]",
)
@click.option(
    "--clip",
    type=float,
    default=DEFAULTS.clip,
    help="Longest gradient (Euclidean norm); 0 leaves it alone.",
)
@click.option(
    "--clip-value",
    type=float,
    default=DEFAULTS.clip_value,
    help="Largest number in the gradient, either way; 0 leaves it alone.",
)
@click.option(
    "--dropout",
    type=float,
    help="Share of a layer's outputs that what stands above it does not see.  [default: the more, "
    "the more often there is the time to read the text]",
)
@click.option(
    "--recurrent-dropout",
    type=float,
    help="Share of the weights from step to step that are left out for a window.  [default: the "
    "more, the more often there is the time to read the text]",
)
@click.option(
    "--patience",
    type=int,
    default=DEFAULTS.patience,
    help="End early when so many looks in a row at the held-out text, of 20 in a run, brought "
    "nothing better; 0 for never.",
)
@click.option(
    "--validation-fraction",
    type=float,
    default=DEFAULTS.validation_fraction,
    help="Share of the text, at its end, that is held out to measure the loss and to choose the "
    "best weights.",
)
@click.option(
    "--test-fraction",
    type=float,
    default=DEFAULTS.test_fraction,
    help="Share behind that on which nothing is chosen: its loss is measured at the end.",
)
@click.option("--seed", type=int, default=DEFAULTS.seed, help="Seed of the first weights.")
@click.option(
    "--threads",
    type=int,
    help="Threads that share the batch; a run repeats to the bit for the same number."
    "  [default: all processors]",
)
@click.option(
    "--sample-every",
    type=int,
    help="Steps between samples of what was learned; 0 for none."
    "  [default: after 100, 300, 500, 700, 1200, 2000 and every further 2000]",
)
@click.option(
    "--log",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Append reports to this file, one JSON object a line.",
)
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@click.pass_context
def train(
    ctx: click.Context,
    /,
    texts: tuple[str, ...],
    output: Path | None,
    resume: bool,
    force: bool,
    init_from: Path | None,
    encoding: str,
    as_bytes: bool,
    sample_every: int | None,
    log: Path | None,
    quiet: bool,
    **_: Any,
) -> None:
    """Learn to write like TEXT: files, folders (their *.txt) or - for standard input.

    The model is saved to a checkpoint every half minute and at the end. Ctrl-C ends the training
    early and saves it; --resume goes on from there, as if it had never stopped.
    """
    from charrnn.cli.progress import watch
    from charrnn.text.corpus import read_corpus

    if resume and force:
        raise click.UsageError("--resume goes on with a checkpoint, --force replaces it: choose")
    if resume and init_from is not None:
        raise click.UsageError("--init-from begins a training, --resume goes on with one: choose")
    if sample_every is not None and sample_every < 0:
        raise OptionError(f"--sample-every must be 0 or more, not {sample_every}")
    path = default_output(texts[0]) if output is None else output
    check_output(path, texts, resume=resume, force=force)
    given = given_options(ctx)
    usual_values = OPTIMIZERS[given.get("optimizer", DEFAULT_OPTIMIZER)].defaults
    defaults = {"threads": usable_threads(), **usual_values}
    options = TrainingOptions(**defaults | training_part(given))
    corpus = read_corpus(texts, encoding=encoding, as_bytes=as_bytes)
    chosen: list[str] = []
    if resume:
        trainer = resumed(path, corpus, given)
    else:
        trainer, chosen = started(path, corpus, options, given, init_from)
    again = resume_command(texts, path if output else None, encoding, as_bytes)
    sys.exit(
        watch(
            trainer,
            wished=options,
            chosen=shlex.join(chosen),
            sample_every=sample_every,
            log=log,
            quiet=quiet,
            resume_command=again,
        )
    )


def resume_command(
    texts: tuple[str, ...], output: Path | None, encoding: str, as_bytes: bool
) -> str:
    """What to type to go on with a training."""
    # a name that looks like an option, and is none
    names = [f"./{text}" if text.startswith("-") and text != "-" else text for text in texts]
    words = ["charrnn", "train", *names, "--resume"]
    words += ["-o", str(output)] if output else []
    words += ["--bytes"] if as_bytes else ["--encoding", encoding] if encoding != "utf-8" else []
    return shlex.join(words)


def default_output(text: str) -> Path:
    """Where the model of `text` goes: its name with .npz, in the current folder."""
    return Path("stdin.npz" if text == "-" else Path(text).resolve().stem + ".npz")


def check_output(path: Path, texts: tuple[str, ...], *, resume: bool, force: bool) -> None:
    """Find out before the work whether the checkpoint can be written where it is wanted."""
    if not path.parent.is_dir():
        raise CheckpointError(
            f"the folder {path.parent} for the checkpoint does not exist: make it"
        )
    if path.exists() and not path.is_file():
        raise CheckpointError(f"{path} is not a file of the usual kind: name another --output")
    if path.exists() and any(Path(text).exists() and path.samefile(text) for text in texts):
        raise CheckpointError(f"{path} is the text itself: name another --output")
    if resume and not path.exists():
        raise CheckpointError(f"there is no {path} to resume: leave --resume out to begin it")
    if path.exists() and not (resume or force):
        raise CheckpointError(
            f"{path} is there already: go on with it (--resume), overwrite it (--force), "
            "or name another --output"
        )


def given_options(ctx: click.Context) -> dict[str, Any]:
    """The options of network and training that the user has set, with their values."""
    from click.core import ParameterSource

    return {
        name: ctx.params[name]
        for name in (*NETWORK_OPTIONS, *TRAINING_OPTIONS)
        if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT
        and ctx.params[name] is not None
    }


def training_part(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in TRAINING_OPTIONS}


def started(
    path: Path,
    corpus: "Corpus",
    options: TrainingOptions,
    given: dict[str, Any],
    model: Path | None,
) -> tuple["Trainer", list[str]]:
    """A new training, of the model in a checkpoint if there is one; and the options that were
    chosen for it because the user gave none."""
    from charrnn.training.sizing import for_training
    from charrnn.training.trainer import Trainer

    network = {name: given.get(name) for name in NETWORK_OPTIONS}
    checkpoint = None
    if model is not None:
        checkpoint = checkpoint_for(model, given)
        network = {name: getattr(checkpoint.config, name) for name in NETWORK_OPTIONS}
    cell = network.pop("cell") or DEFAULT_CELL
    # what decay suits an optimizer that the user has chosen, that optimizer knows
    decay = options.weight_decay if "optimizer" in given else given.get("weight_decay")
    regularisation = {name: given.get(name) for name in ("dropout", "recurrent_dropout")}
    wishes = network | regularisation | {"weight_decay": decay}
    size = asdict(for_training(corpus, options, cell=cell, **wishes))
    chosen = {name: value for name, value in size.items() if wishes[name] is None}
    options = replace(
        options, **{name: size.pop(name) for name in (*regularisation, "weight_decay")}
    )
    if checkpoint is not None:
        trainer = Trainer.start_from(checkpoint, corpus, options, output=path)
    else:
        trainer = Trainer.start(corpus, options, cell=cell, output=path, **size)
    return trainer, [word for name, value in chosen.items() for word in (spoken(name), str(value))]


def resumed(path: Path, corpus: "Corpus", given: dict[str, Any]) -> "Trainer":
    from charrnn.training.trainer import Trainer

    return Trainer.resume(checkpoint_for(path, given), corpus, training_part(given), output=path)


def checkpoint_for(path: Path, given: dict[str, Any]) -> "Checkpoint":
    """The checkpoint to go on with, if it is of the kind that the user asks for."""
    from charrnn.checkpoints.safetensors_format import read_model

    checkpoint = read_model(path)
    for name in NETWORK_OPTIONS:
        saved = getattr(checkpoint.config, name)
        if given.get(name, saved) != saved:
            raise OptionError(
                f"{spoken(name)} {given[name]} does not fit {path}, which has {saved}: leave the "
                "option out, or train anew with another --output"
            )
    return checkpoint
