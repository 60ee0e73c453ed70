"""The README: its commands exist, its examples work, and its table knows every folder."""

import inspect
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

import charrnn
import options_reference
from charrnn.cli import main
from charrnn.nn.network import NetworkConfig
from cli_helpers import SMALL, TEXT, succeed, write

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(charrnn.__file__).parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BEFORE_REFERENCE, _, REST = README.partition(options_reference.BEGIN)
WRITTEN = BEFORE_REFERENCE + REST.partition(options_reference.END)[2]
"""Without what is generated."""
UNFENCED = re.sub(r"^```.*?^```$", "", WRITTEN, flags=re.MULTILINE | re.DOTALL)


def code(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def indented() -> list[str]:
    """The lines of the indented blocks, outside of the fenced ones."""
    return [line.strip() for line in UNFENCED.splitlines() if line.startswith("    ")]


def commands() -> Iterator[list[str]]:
    """Every command in a block or between backticks, as a shell would cut it into words."""
    lines = "".join(code("sh")).splitlines() + indented()
    lines += re.findall(r"`([^`\n]+)`", UNFENCED)
    for line in lines:
        if "─" in line:
            continue  # a drawing
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        tokens = [*lexer, ";"]
        for before, word in zip(["", *tokens], tokens, strict=False):
            if set(word) <= set("<>") or set(before or "-") <= set("<>"):
                continue  # to or from a file
            if set(word) <= set("|&;()"):
                if words:
                    yield words
                words = []
            else:
                words.append(word)


CHARRNN = [
    words[1:]
    for words in commands()
    if words[0].removeprefix(".venv/bin/") == "charrnn" and len(words) > 1
]


def test_there_are_commands_to_check() -> None:
    assert len(CHARRNN) > 12
    assert {words[0] for words in CHARRNN} >= {"train", "sample"}


@pytest.mark.parametrize("words", CHARRNN, ids=" ".join)
def test_every_command_and_its_options_exist(words: list[str]) -> None:
    name, *rest = words
    assert name in main.commands
    rest = [word for word in rest if word not in ("-h", "--help")]
    command = main.commands[name]
    if rest or name != "train":
        command.make_context(name, rest)  # raises for an option, or a value, that there is not


def test_every_option_that_is_named_exists() -> None:
    own = {
        name
        for command in (main, *main.commands.values())
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for name in parameter.opts
    }
    prose = re.sub(r"^    .*$|`python [^`]*`", "", UNFENCED, flags=re.MULTILINE)
    named = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", prose))
    assert len(named) > 5
    assert named - {"--help"} <= own


def test_every_benchmark_and_its_options_exist() -> None:
    benchmarks = re.findall(r"`python (benchmarks/\w+\.py)([^`]*)`", README)
    assert len(benchmarks) > 5
    for path, rest in benchmarks:
        source = (ROOT / path).read_text()
        for option in re.findall(r"--[a-z]+", rest):
            assert f'"{option}"' in source


def test_every_command_is_described() -> None:
    for name in main.commands:
        assert f"charrnn {name}" in README


# The two lines


@pytest.mark.parametrize("mark", ["first text", "all tests"])
def test_each_set_up_line_is_there_once_and_is_one_line(mark: str) -> None:
    assert README.count(f"<!-- {mark} -->") == 1
    (block,) = re.findall(rf"^<!-- {mark} -->\n```sh\n(.*?)^```$", README, re.M | re.S)
    assert block.count("\n") == 1
    assert not block.rstrip("\n").endswith("\\")
    assert block.startswith("python3 -m venv .venv && .venv/bin/pip install ")
    assert README.count(block) == 1


def test_there_are_no_other_set_up_lines() -> None:
    assert README.count("python3 -m venv") == 2


def test_what_the_set_up_lines_need_is_there() -> None:
    (first,) = re.findall(r"/charrnn train (\S+) --minutes", README)
    assert (ROOT / first).stat().st_size > 100_000
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert any(need.startswith("pytest") for need in project["optional-dependencies"]["test"])
    assert project["scripts"] == {"charrnn": "charrnn.cli:main"}
    assert project["requires-python"] == ">=3.11"
    assert "Python 3.11 or newer" in README


def test_every_target_of_make_and_every_file_exists() -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    mentioned = [words[1] for words in commands() if words[0] == "make"]
    assert mentioned
    assert set(mentioned) <= set(targets)
    for path in re.findall(r"`(corpora/[\w.]+|\.ci/\w+)`|^    (\.ci/\w+)", README, re.MULTILINE):
        assert (ROOT / (path[0] or path[1])).is_file()


def test_every_extra_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = set(re.findall(r"\.\[(\w+)\]", README))
    assert extras == set(project["optional-dependencies"])


def test_the_reference_is_what_the_program_says() -> None:
    assert options_reference.written(README) == README, "run: python tests/options_reference.py"
    for name, command in main.commands.items():
        assert f"### charrnn {name} [OPTIONS]" in README
        for option in command.params:
            if isinstance(option, click.Option):
                assert all(text in README for text in option.opts)


# The examples in Python


def test_every_block_of_python_is_python() -> None:
    blocks = code("python")
    assert len(blocks) >= 2
    for block in blocks:
        compile(block, "README.md", "exec")


def test_the_example_of_the_checkpoint_format_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    succeed("train", write("war_and_peace.txt"), *SMALL, "--epochs", "1", "-q")
    (block,) = [block for block in code("python") if "np.load" in block]
    names: dict[str, Any] = {}
    exec(block, names)
    promised = re.search(r"# network, vocabulary, options, progress, history", block)
    assert promised
    described = names["header"]
    assert {"network", "vocabulary"} <= set(described)
    assert {"options", "step", "history"} <= set(described["training"])
    weights = names["weights"]
    assert (weights.ndim, weights.dtype) == (1, np.float32)
    shapes = NetworkConfig(**described["network"]).shapes().values()
    assert weights.size == sum(rows * columns for rows, columns in shapes)
    model = charrnn.load("war_and_peace.npz")
    assert np.array_equal(model.network.parameters.flat, weights)


def test_the_example_of_the_library_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With smaller and shorter trainings than it asks for."""
    monkeypatch.chdir(tmp_path)
    write("war_and_peace.txt", TEXT + "Prince Andrew; queue")
    succeed("train", "war_and_peace.txt", *SMALL, "--epochs", "1", "-q")
    train, calls = charrnn.train, []

    def short(*arguments: Any, **options: Any) -> charrnn.Model:
        bound = inspect.signature(train).bind(*arguments, **options)
        calls.append(bound.arguments)
        smaller = {"epochs": 0.5, "minutes": None, "hidden_size": 8, "layers": 1, "threads": 1}
        return train(**bound.arguments | smaller)

    monkeypatch.setattr(charrnn, "train", short)
    (block,) = [block for block in code("python") if "charrnn.load" in block]
    names: dict[str, Any] = {}
    exec(block, names)
    assert isinstance(names["model"], charrnn.Model)
    assert len(calls) == 2


# The table of modules


def folders() -> list[str]:
    """The folders of the package that the README names."""
    return re.findall(r"^\| `(\w+)/` \|", README, re.MULTILINE)


def modules() -> list[str]:
    """The modules of the package that say something."""
    paths = [path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")]
    return [path for path in paths if not path.endswith(("__init__.py", "__main__.py"))]


def test_the_readme_names_every_folder_of_the_package_and_no_other() -> None:
    there = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert sorted(folders()) == sorted(there)


def test_only_the_command_line_knows_click_and_prints() -> None:
    for path in modules():
        source = (PACKAGE / path).read_text(encoding="utf-8")
        if not path.startswith("cli/"):
            for name in ("click", "tqdm", *(() if path.startswith("render/") else ("rich",))):
                assert not re.search(rf"^\s*(import|from) {name}\b", source, re.MULTILINE), path
            assert "sys.exit" not in source, path
