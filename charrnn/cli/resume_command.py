"""What to type to go on with a training."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from charrnn.training.parallel.group import Group


def resume_command(
    texts: tuple[str, ...],
    output: Path | None,
    encoding: str,
    as_bytes: bool,
    group: "Group | None" = None,
) -> str:
    """What to type to go on with a training, in a group of ranks if there is one."""
    # a name that looks like an option, and is none
    names = [f"./{text}" if text.startswith("-") and text != "-" else text for text in texts]
    words = ["mpiexec", "-n", str(group.size)] if group else []
    words += ["charrnn", "train", *names, "--resume"]
    words += ["-o", str(output)] if output else []
    words += ["--bytes"] if as_bytes else ["--encoding", encoding] if encoding != "utf-8" else []
    words += ["--mpi"] if group else []
    return shlex.join(words)
