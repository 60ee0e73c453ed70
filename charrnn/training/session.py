"""A training from the lock on its output to its last checkpoint, for every way to start one.

The output is locked first, and checked only then: so no training can overwrite what another one
has written meanwhile.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from charrnn.checkpoints.format import read_checkpoint
from charrnn.checkpoints.lock import only_training
from charrnn.checkpoints.safetensors_format import read_model
from charrnn.errors import CheckpointError, OptionError
from charrnn.options import TRAINING_OPTIONS, TrainingOptions
from charrnn.text.corpus import Corpus, text_files
from charrnn.training.parallel.group import Group
from charrnn.training.parallel.sharded import start_workers
from charrnn.training.plan import TrainingPlan, plan_resumed, plan_training
from charrnn.training.trainer import Trainer


@contextlib.contextmanager
def open_training(
    read_text: Callable[[], Corpus],
    given: Mapping[str, Any],
    *,
    output: Path | None,
    resume: bool = False,
    overwrite: bool = False,
    init_from: Path | None = None,
    texts: Sequence[str] = (),
    group: Group | None = None,
) -> Iterator[Trainer]:
    """A training on the text that `read_text` reads, with the options of network and training that
    were `given` by name, ready to run. Until the context ends, nobody else trains to `output`.

    An output that exists is an error, unless the training in it is to `resume`, or it is to
    `overwrite`; one of the `texts` (files and folders that are read) is never overwritten.
    `init_from` names a checkpoint whose model goes on to learn this text. A `group` of ranks shares
    the work; `threads` is then the number of workers of each. Raises CharRNNError.
    """
    wanted = {name: value for name, value in given.items() if name in TRAINING_OPTIONS}
    asked = TrainingOptions(**wanted)  # wrong values are an error before anything is read
    if resume:
        _check_resume(output, overwrite=overwrite, init_from=init_from)
    if group is None and asked.depends_on_ranks:
        name = "compress" if asked.compress else "sync_every"
        raise OptionError(f"`{name}` is for several ranks: start them with mpiexec, and give `mpi`")
    if group is not None:
        given = {**given, **_threads_of_all(given, group, resume=resume)}
    with contextlib.nullcontext() if output is None else only_training(output):
        if output is not None:
            _check_output(output, texts, resume=resume, overwrite=overwrite)
        ranks = 1 if group is None else group.size
        start = start_workers if group is None else group.start
        # nothing here keeps the plan: the trainer drops the arrays of a checkpoint once it has them
        trainer = Trainer(_plan(read_text, given, output, init_from, ranks, resume=resume), start)
        trainer.snapshots.check_file(resume=resume, overwrite=overwrite)
        yield trainer


def _plan(
    read_text: Callable[[], Corpus],
    given: Mapping[str, Any],
    output: Path | None,
    init_from: Path | None,
    ranks: int,
    *,
    resume: bool,
) -> TrainingPlan:
    if resume and output is not None:
        checkpoint = read_checkpoint(output)
        return plan_resumed(checkpoint, read_text(), given, output=output, ranks=ranks)
    begin = None if init_from is None else read_model(init_from)
    return plan_training(read_text(), given, output=output, init_from=begin, ranks=ranks)


def _threads_of_all(given: Mapping[str, Any], group: Group, *, resume: bool) -> dict[str, int]:
    """The workers of all ranks together; where nothing says how many, those of a resumed training
    stay."""
    if given.get("threads") is not None:
        return {"threads": group.size * given["threads"]}
    return {} if resume else {"threads": group.size * group.usual_threads}


def _check_resume(output: Path | None, *, overwrite: bool, init_from: Path | None) -> None:
    """Raise OptionError for what does not go together with going on with a training."""
    if output is None:
        raise OptionError(
            "`resume` needs an `output`: the checkpoint of the training to go on with"
        )
    if overwrite or init_from is not None:
        other = "overwrite" if overwrite else "init_from"
        raise OptionError(f"`resume` goes on with a training, `{other}` begins one: choose")


def _check_output(path: Path, texts: Sequence[str], *, resume: bool, overwrite: bool) -> None:
    """Find out before the work whether the checkpoint can be written where it is wanted."""
    if not path.parent.is_dir():
        raise CheckpointError(
            f"the folder {path.parent} for the checkpoint does not exist: make it"
        )
    if path.exists() and not path.is_file():
        raise CheckpointError(f"{path} is not a regular file: name another `output`")
    files = [Path(file) for text in texts for file in text_files(text)] if path.exists() else []
    if any(file.exists() and path.samefile(file) for file in files):
        raise CheckpointError(f"{path} is one of the texts to read: name another `output`")
    if resume and not path.exists():
        raise CheckpointError(f"there is no {path} to resume: leave `resume` out to begin it")
    if path.exists() and not (resume or overwrite):
        raise CheckpointError(
            f"{path} exists already: go on with it (`resume`), overwrite it (`overwrite`), or name "
            "another `output`"
        )
