"""The command line as a user sees it: exit code, standard output, standard error."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner

import charrnn
from charrnn.cli import main

TEXT = "".join(f"line {i} of the text, {i * i}.\n" for i in range(40))  # 1,024 characters
NETWORK = ("--hidden-size", "8", "--layers", "1", "--threads", "1")
SMALL = (*NETWORK, "--batch-size", "4", "--seq-length", "8")
WINDOWS = 28  # steps in an epoch of TEXT with SMALL: 921 characters to train on, 4 · 8 a step
COMMAND = (sys.executable, "-m", "charrnn")
ARRAYS = ("weights", "last", "moments", "state")


@dataclass(frozen=True)
class Outcome:
    code: int
    output: bytes
    errors: str

    @property
    def text(self) -> str:
        return self.output.decode()

    @property
    def lines(self) -> list[str]:
        """Of standard error."""
        return self.errors.splitlines()


def call(*arguments: str | Path, given: str | bytes | None = None) -> Outcome:
    """Run `charrnn` in this process, in the current folder, with `given` on standard input."""
    words = list(map(str, arguments))
    result = CliRunner().invoke(
        main, words, input=given, catch_exceptions=False, prog_name="charrnn"
    )
    return Outcome(result.exit_code, result.stdout_bytes, result.stderr)


def succeed(*arguments: str | Path, given: str | bytes | None = None) -> Outcome:
    """The same, where all must go well."""
    outcome = call(*arguments, given=given)
    assert outcome.code == 0, outcome.errors
    return outcome


def refuse(*arguments: str | Path, given: str | bytes | None = None) -> str:
    """The message with which `charrnn` refuses: one line, exit code 1, and nothing lost."""
    before = contents(Path())
    outcome = call(*arguments, given=given)
    assert outcome.code == 1, outcome
    assert outcome.output == b""
    message = only_line(outcome.errors)
    assert contents(Path()) == before, "nothing is lost, and nothing lies about"
    return message


def only_line(errors: str) -> str:
    """The one line of `charrnn: ...` of which `errors` consists, without that beginning."""
    assert errors.startswith("charrnn: "), errors
    assert errors.endswith("\n")
    line = errors.removeprefix("charrnn: ")[:-1]
    assert line.isprintable(), errors
    return line


def usage_error(*arguments: str | Path) -> str:
    """The message with which click refuses options that it cannot understand."""
    before = contents(Path())
    outcome = call(*arguments)
    assert outcome.code == 2, outcome
    assert outcome.output == b""
    assert outcome.errors.startswith("Usage: ")
    assert contents(Path()) == before
    return outcome.lines[-1]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, hidden ones too."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def closed(text: str) -> str:
    """A text as `charrnn sample` writes it: its last line has a line end."""
    return text if text.endswith("\n") else text + "\n"


def is_sample(output: str | bytes, length: int) -> bool:
    """Whether it is a text of so many characters (or bytes), as `charrnn sample` writes it."""
    text = output.decode("latin-1") if isinstance(output, bytes) else output
    return len(text) >= length and text == closed(text[:length])


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """For a process of its own, which is to find this charrnn from any folder."""
    package = Path(charrnn.__file__).resolve().parents[1]
    return {**os.environ, "PYTHONPATH": str(package), **(changes or {})}


def process(*arguments: str | Path, **options: Any) -> "subprocess.Popen[bytes]":
    """`charrnn` as a process of its own, its standard error in a pipe."""
    defaults: dict[str, Any] = {"stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    options = defaults | options | {"env": environment(options.get("env"))}
    return subprocess.Popen([*COMMAND, *map(str, arguments)], **options)


def run(*arguments: str | Path, given: bytes | None = None, **options: Any) -> Outcome:
    """Run `charrnn` in a process of its own, to its end."""
    options = {"stdout": subprocess.PIPE} | options
    if given is not None:
        options["stdin"] = subprocess.PIPE
    with process(*arguments, **options) as running:
        output, errors = running.communicate(given)
    return Outcome(running.returncode, output or b"", (errors or b"").decode(errors="replace"))


def shell(script: str) -> Outcome:
    """Run a line for a shell in which `charrnn` is this charrnn."""
    script = 'charrnn() { "$PYTHON" -m charrnn "$@"; }\n' + script
    env = environment({"PYTHON": sys.executable})
    done = subprocess.run(["sh", "-c", script], env=env, capture_output=True)
    return Outcome(done.returncode, done.stdout, done.stderr.decode())


def write(name: str, text: str | bytes = TEXT) -> Path:
    """A file in the current folder, or below it."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def header(path: str | Path) -> dict[str, Any]:
    """The header of a checkpoint."""
    with np.load(path, allow_pickle=False) as file:
        read: dict[str, Any] = json.loads(file["header"].tobytes())
        return read


def saved_step(path: str | Path) -> int:
    step: int = header(path)["training"]["step"]
    return step


def rewrite(path: Path, **changes: Any) -> None:
    """Write a checkpoint anew, with other entries in its header."""
    with np.load(path, allow_pickle=False) as file:
        entries = dict(file)
    text = json.dumps(header(path) | changes).encode()
    np.savez(path, **entries | {"header": np.frombuffer(text, np.uint8)})


def same_training(one: str | Path, other: str | Path) -> None:
    """Two checkpoints hold the same to the last bit, apart from the time that it took."""
    same_arrays(one, other)
    assert timeless(header(one)) == timeless(header(other))


def same_arrays(one: str | Path, other: str | Path) -> None:
    """Their arrays are the same to the last bit."""
    with np.load(one) as a, np.load(other) as b:
        assert set(a.files) == set(b.files)
        assert {"header", *ARRAYS} <= set(a.files)
        for name in ARRAYS:
            assert a[name].dtype == b[name].dtype
            assert a[name].tobytes() == b[name].tobytes(), f"{name} differs"


def timeless(value: Any) -> Any:
    """Without what depends on the speed of the machine."""
    if isinstance(value, list):
        return [timeless(item) for item in value]
    if isinstance(value, dict):
        times = {"seconds", "validation_seconds", "characters_per_second"}
        return {key: timeless(item) for key, item in value.items() if key not in times}
    return value
