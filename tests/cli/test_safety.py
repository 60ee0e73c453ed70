"""Nothing that the user had is lost, and nothing that lies beside a text is executed."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli_helpers import SMALL, TEXT, call, contents, environment, only_line, process, run, write

QUICK = (*SMALL, "--epochs", "0.2", "-q")


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("a.txt")


def wait_for(path: Path, program: "subprocess.Popen[bytes]") -> None:
    while not path.exists():
        assert program.poll() is None


@pytest.mark.parametrize("resumed", [False, True])
def test_a_training_that_still_waits_for_its_text_owns_its_output(resumed: bool) -> None:
    """It has seen that there is no output, or what is in it: nobody may change that meanwhile."""
    if resumed:
        assert run("train", "-", "-o", "x.npz", *QUICK, given=TEXT.encode()).code == 0
    before = contents(Path())
    more = ("--resume", "--epochs", "0.4") if resumed else ()
    with process("train", "-", "-o", "x.npz", *QUICK, *more, stdin=subprocess.PIPE) as waiting:
        wait_for(Path(".x.npz.lock"), waiting)
        other = run("train", "a.txt", "-o", "x.npz", *QUICK, "--force")
        assert other.code == 1
        assert "another training" in only_line(other.errors)
        assert {name: data for name, data in contents(Path()).items() if "lock" not in name} == (
            before
        )
        waiting.communicate(TEXT.encode())
    assert waiting.returncode == 0
    again = run("train", "a.txt", "-o", "x.npz", *QUICK)
    assert "x.npz exists already" in only_line(again.errors)


@pytest.mark.parametrize("output", ["books/a.txt", "books/../books/a.txt", "link.npz"])
def test_a_text_in_a_folder_that_is_read_is_not_overwritten(output: str) -> None:
    Path("books").mkdir()
    write("books/a.txt")
    Path("link.npz").symlink_to("books/a.txt")
    refused = call("train", "books", "-o", output, *QUICK, "--force")
    assert refused.code == 1
    assert "is one of the texts to read" in only_line(refused.errors)
    assert Path("books/a.txt").read_text() == TEXT


def test_a_module_beside_the_text_is_not_executed() -> None:
    for name in ("json", "struct", "numpy", "signal"):
        write(f"{name}.py", f"open('executed-{name}', 'w').close(); raise SystemExit(9)\n")
    # as the installed program does, and unlike python -m, which looks in the current folder itself
    start = "import sys; sys.path.remove(''); from charrnn.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", start, "train", "a.txt", *SMALL, "--epochs", "1", "--threads", "2"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "2 threads" in done.stderr
    assert not list(Path().glob("executed-*"))


@pytest.mark.parametrize("megabytes", [400, 600, 750, 900, 1300])
@pytest.mark.parametrize("threads", ["1", "2"])
def test_memory_that_is_refused_is_one_line(megabytes: int, threads: str) -> None:
    """Wherever the limit is met: in the workspace, in a worker, in the memory that they share."""

    def limit() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20,) * 2)

    size = ("--hidden-size", "1024", "--layers", "2", "--threads", threads, "--epochs", "0.01")
    done = subprocess.run(
        [sys.executable, "-m", "charrnn", "train", "a.txt", *size, "-q"],
        env=environment() | {"OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        assert "Traceback" not in done.stderr
    if done.returncode and "OpenBLAS" not in done.stderr:  # whose own message nobody can prevent
        assert "memory" in only_line(done.stderr)
