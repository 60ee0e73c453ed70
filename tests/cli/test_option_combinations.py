"""Any combination of options ends sanely: with what was asked for and exit code 0, or with 1 or 2
and a message that says why."""

import json
import os
import shutil
from pathlib import Path
from typing import Any, NoReturn

import click
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from charrnn.checkpoints.format import newest_checkpoint, read_checkpoint
from charrnn.cli import main
from charrnn.cli.mixing import Weighted
from cli_helpers import SMALL, contents, succeed, write

FILES = ("a.npz", "b.npz", "a.txt", "other.txt", "raw.bin", "empty.txt", "no.such", ".", "-", "")
NUMBERS = ("-1", "0", "1", "2", "7", "0.5", "1e-9", "1e308", "nan", "inf", "-inf", "1e400", "x")
WHOLE = ("-1", "0", "1", "2", "3", "8", "99", str(2**31), str(10**30), str(10**400), "0x10", "")
TEXTS = ("", "a", "line", "\\n", "\n", "ß", "\x1b[31m", "é" * 50, "L0:1=0.5", "L0:1", "v=[aeiou]")
BOUNDS = {
    "train": ("--epochs", "0.1", "--sample-every", "7"),
    "sample": ("-n", "5"),
    "visualize-neurons": ("--characters", "600"),
    "score": (),
    "info": (),
}
"""Given last, so that nothing runs for long."""
ENDLESS = {"train": {"epochs", "minutes"}, "sample": {"length"}}


def values(parameter: click.Parameter) -> st.SearchStrategy[str]:
    kind = parameter.type
    if isinstance(kind, click.Choice):
        return st.sampled_from([*map(str, kind.choices), "none"])
    if isinstance(kind, click.types.IntParamType):
        return st.sampled_from(WHOLE)
    if isinstance(kind, click.types.FloatParamType):
        return st.sampled_from(NUMBERS)
    if isinstance(kind, click.Path):
        return st.sampled_from([*FILES, "out.npz", "no/out.npz"])
    return st.one_of(st.sampled_from(TEXTS), st.text(max_size=8))


def option(command: str, parameter: click.Option) -> st.SearchStrategy[tuple[str, ...]]:
    name = st.sampled_from(parameter.opts)
    if parameter.is_flag:
        return name.map(lambda text: (text,))
    return st.tuples(name, values(parameter))


@st.composite
def command_lines(draw: Any, command: str) -> list[str]:
    parameters = [
        parameter
        for parameter in main.commands[command].params
        if isinstance(parameter, click.Option) and parameter.name not in ENDLESS.get(command, ())
    ]
    chosen = draw(st.lists(st.sampled_from(parameters), max_size=5))
    words = [word for parameter in chosen for word in draw(option(command, parameter))]
    arguments = draw(st.lists(st.sampled_from(FILES), min_size=0, max_size=2))
    return [command, *words, *BOUNDS[command], "--", *arguments]


def check_product(words: list[str], output: str, before: dict[str, bytes]) -> None:
    """Raise AssertionError unless a command that went well in the current folder, in which there
    were the files `before`, has made what its options ask for."""
    with main.commands[words[0]].make_context(words[0], words[1:]) as context:
        options = context.params
    check = {
        "train": trained, "sample": sampled, "score": scored, "info": described,
        "visualize-neurons": shown,
    }[words[0]]  # fmt: skip
    check(options, output, before)


def trained(options: dict[str, Any], output: str, before: dict[str, bytes]) -> None:
    assert output == ""
    written = {name for name, content in contents(Path()).items() if before.get(name) != content}
    (name,) = written - {str(options["log"])}
    record = read_checkpoint(Path(name)).training
    assert record["finished"]
    assert record["step"] > 0
    assert options["output"] in (None, Path(name))


def sampled(options: dict[str, Any], output: str, _: dict[str, bytes]) -> None:
    if options["form"] == "jsonl":
        assert all(isinstance(strict_json(line)["text"], str) for line in output.splitlines())
        return
    shaped = ("prime", "prime_file", "stop", "lines", "input_lines", "allow", "suppress")
    if options["samples"] > 1 or any(options[name] for name in shaped):
        return
    model = read_checkpoint(named(options["checkpoints"]) or newest_checkpoint(Path()))
    text = output if output.endswith("\n") else f"{output}\n"
    assert len(text) in (range(2, 7) if model.vocabulary.is_bytes else (5, 6)), output


def named(checkpoints: tuple[Path, ...]) -> Path | None:
    """The first checkpoint that was named, without its weight."""
    return Weighted.parsed(str(checkpoints[0])).path if checkpoints else None


def scored(options: dict[str, Any], output: str, _: dict[str, bytes]) -> None:
    lines = output.splitlines()
    assert len(lines) >= len(options["texts"])
    if options["as_json"] and not options["heat"]:
        assert all(strict_json(line) for line in lines)
    elif options["per_char"] or options["lines"]:
        assert all("\t" in line for line in lines)
    elif not options["heat"]:
        assert " bits" in output
        assert "nan" not in output


def described(options: dict[str, Any], output: str, _: dict[str, bytes]) -> None:
    if options["system"]:
        assert "NumPy " in output
        return
    paths = options["checkpoints"] or (newest_checkpoint(Path()),)
    if options["as_json"]:
        lines = output.splitlines()
        for path, line in zip(dict.fromkeys(paths), lines, strict=True):
            assert strict_json(line) == read_checkpoint(path).header()
        return
    assert output.count("  network     ") == len(set(paths))
    assert ("gradient of the loss" in output) == options["gradient_flow"]
    assert options["picture"] is None or options["picture"].stat().st_size > 0


def shown(options: dict[str, Any], output: str, _: dict[str, bytes]) -> None:
    files = [options[name] for name in ("html", "json_file", "npz", "svg") if options[name]]
    for path in files:
        if str(path) == "-":
            assert output
        else:
            assert Path(path).stat().st_size > 0
    assert output or files


def strict_json(line: str) -> Any:
    """JSON as others read it: without NaN."""
    return json.loads(line, parse_constant=refuse_constant)


def refuse_constant(name: str) -> NoReturn:
    raise AssertionError(f"{name} is no JSON")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write("a.txt")
        write("other.txt", "Another text, of \r\n other things: ßäö\n" * 20)
        write("raw.bin", bytes(range(256)))
        write("empty.txt", "")
        succeed("train", "a.txt", *SMALL, "--epochs", "0.5", "-q")
        succeed("train", "other.txt", "--bytes", *SMALL, "--epochs", "0.5", "-q", "-o", "b.npz")
    return folder


@pytest.mark.parametrize("command", BOUNDS)
def test_any_options(command: str, models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "here"

    @given(words=command_lines(command), given_text=st.sampled_from([b"", b"line\n", b"\xff"]))
    @settings(
        max_examples=int(os.environ.get("CHARRNN_EXAMPLES", "60")),
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    def run(words: list[str], given_text: bytes) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(models, folder)
        os.chdir(folder)
        files = contents(folder)
        result = CliRunner().invoke(main, words, input=given_text, prog_name="charrnn")
        assert result.exit_code in (0, 1, 2), result.stderr
        if result.exit_code == 0 and not {"-h", "--help"} & set(words):
            output = result.stdout_bytes.decode("utf-8", "replace")
            check_product(words, output, {Path(p).name: data for p, data in files.items()})
        if result.exit_code:
            assert isinstance(result.exception, SystemExit), repr(result.exception)
        if result.exit_code == 1:
            line = result.stderr.splitlines()[-1]
            assert line.startswith("charrnn: "), result.stderr
            assert len(line) > 20
        if result.exit_code == 2:
            assert "Error: " in result.stderr
        assert "\x1b" not in result.stderr
        assert "Traceback" not in result.stderr
        for name in ("a.npz", "b.npz"):  # nothing is lost
            assert (folder / name).exists()

    before = Path.cwd()
    try:
        run()
    finally:
        os.chdir(before)
