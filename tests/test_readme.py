"""The README and the other pages: what they say is there, and what they say to type works."""

import inspect
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

import charrnn
import documentation
import options_reference
from charrnn import registries
from charrnn.checkpoints.snapshot_file import snapshots_path
from charrnn.cli import main
from charrnn.nn.network import NetworkConfig
from cli_helpers import SMALL, call, contents, environment, succeed, write
from documentation import PAGES, ROOT, Page, commands, is_command, is_plain, small, tokens

PACKAGE = Path(charrnn.__file__).parent
README = PAGES[0].text
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ALL = "\n".join(page.text for page in PAGES)
LINES = list(dict.fromkeys(line for page in PAGES for line in page.command_lines))
COMMANDS = commands(LINES)
by_name = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def test_the_readme_is_short() -> None:
    assert README.count("\n") <= 200
    tour = README.partition("\n## Tour\n")[2].partition("\n## ")[0]
    assert 0 < tour.count("\n") <= 100


def test_there_are_commands_to_check() -> None:
    names = [words[1] for words in COMMANDS if words[0] == "charrnn" and len(words) > 1]
    assert len(names) > 55
    assert {*main.commands} <= {*names}


@by_name
def test_no_command_escapes(page: Page) -> None:
    """Each line of a block that speaks of the program is one that is recognised, and run below."""
    assert page.text.count("\n```") % 2 == 0
    assert page.prose.count("`") % 2 == 0
    for line in page.indented:
        if re.search(r"(?<!import )\bcharrnn [a-z-]+", line):
            assert is_command(line), line


# Running what stands there, in a folder with stand-ins for all files that are named

SAID = (
    '"Well, Prince Andrew," Anna said quietly, "Dear me (so it is)!"\n'
    'He queued; #{n} * {n}. Then "no more of it", she hummed.\n\n'
)
WORDS = "".join(SAID.replace("{n}", str(n)) for n in range(60))
TEXTS = shlex.split(
    "war_and_peace.txt book.txt letters/one.txt letters/two.txt music.abc names.txt dump.bin "
    "a.txt b.txt letter.txt letters.txt unknown.txt other.txt passage.txt beginnings.txt "
    "tinyshakespeare.txt shuffled.txt held_out.txt new.txt FILE corpora/wiki.txt"
)
MODELS = shlex.split("english.npz russian.npz war_and_peace.npz")
RUN_ELSEWHERE = {
    "python3": "by .ci/run, as it stands; `test_the_commands_of_the_set_up_lines_are_accepted`",
    "pip": "by .ci/run; `test_every_extra_exists`",
    "mpiexec": "by tests/training/parallel/test_ranks.py and tests/cli/test_mpi.py",
    "--explain": "on a longer text, by tests/cli/test_visualize.py",
}
NEEDS = {
    "--novelty": "pydivsufsort",
    "--plot": "matplotlib",
    "model.safetensors": "safetensors",
    "weights.safetensors": "safetensors",
}


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all files that the pages name, and `bin/charrnn`, whose trainings are short."""
    folder = tmp_path_factory.mktemp("stand_ins")
    before = Path.cwd()
    os.chdir(folder)
    try:
        for name in TEXTS:
            write(name, "\n".join(["Prince", "Anna"] * 4) if name == "beginnings.txt" else WORDS)
        size = shlex.split(
            "--hidden-size 72 --layers 2 --batch-size 16 --seq-length 16 --threads 1"
        )
        course = shlex.split("--epochs 0.5 --validation-fraction 0.5 --keep 9 --quiet")
        for cell in ("rnn", "gru", "lstm"):
            succeed("train", "book.txt", *size, *course, "--cell", cell, "-o", f"{cell}.npz")
        for name in MODELS:
            shutil.copy("lstm.npz", name)
            shutil.copy("lstm.snapshots.npz", snapshots_path(Path(name)))
        if find_spec("safetensors"):
            succeed("export", "lstm.npz", "model.safetensors")
        source = "import sys; from charrnn.cli import main; from documentation import small\n"
        source += "main(small(sys.argv[1:]) if sys.argv[1:] else [], prog_name='charrnn')\n"
        write("bin/run.py", source)
        write("bin/charrnn", f'#!/bin/sh\nexec "{sys.executable}" "{folder}/bin/run.py" "$@"\n')
        Path("bin/charrnn").chmod(0o755)
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def folder(stand_ins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, as the current folder."""
    copy = tmp_path / "folder"
    shutil.copytree(stand_ins, copy)
    monkeypatch.chdir(copy)
    newest = copy / MODELS[-1]
    os.utime(newest, (newest.stat().st_atime, newest.stat().st_mtime + 1))
    return copy


def is_run(line: str) -> bool:
    """Whether a line is to be run: all that call `charrnn` with some argument."""
    words = tokens(line)
    if not RUN_ELSEWHERE.keys().isdisjoint(words):
        return False
    return "charrnn" in " ".join(words) and not is_name(line)


def is_name(line: str) -> bool:
    """Whether a line only names a command, or an option of one, that needs something more."""
    words = tokens(line)
    if words[0] != "charrnn" or len(words) > 3 or "COMMAND" in words:
        return "COMMAND" in words
    try:
        main.commands[words[1]].make_context(words[1], words[2:])
    except (click.MissingParameter, click.BadOptionUsage):
        return True
    return False


@pytest.mark.parametrize("line", [line for line in LINES if is_run(line)])
def test_every_command_works(line: str, folder: Path) -> None:
    words = tokens(line)
    for option, module in NEEDS.items():
        if option in words:
            pytest.importorskip(module)
    before = contents(folder)
    if is_plain(line) and words[0] == "charrnn":
        outcome = call(*small(words[1:]))
        code, output, errors = outcome.code, outcome.output, outcome.errors
    else:
        if "fish" in line:  # where there is no fish, what it would read
            line = line.partition("|")[0]
        needed = {words[0] for words in commands([line])} - {"charrnn", "eval", "_CHARRNN_COMPLETE"}
        missing = sorted(name for name in needed if "=" not in name and not shutil.which(name))
        if missing:
            pytest.skip(f"there is no {', '.join(missing)} on this machine")
        path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        tests = os.pathsep.join([environment()["PYTHONPATH"], str(ROOT / "tests")])
        env = environment({"PATH": path}) | {"PYTHONPATH": tests}
        line += "; complete -p charrnn" if words[0] == "eval" else ""
        shell = ["bash", "-c", line + "\nexit $((${PIPESTATUS[@]/%/ +} 0))"]
        done = subprocess.run(shell, env=env, capture_output=True)
        code, output, errors = done.returncode, done.stdout, done.stderr.decode()
        if "head" in needed and code == 128 + signal.SIGPIPE:
            code = 0  # `head` has seen enough before `sort` was through
    assert code == 0, errors
    done_anything = output or "--force" in words or contents(folder) != before
    assert done_anything, "it writes something: to standard output, or to a file"


def test_every_command_that_is_named_exists() -> None:
    named = {words[1] for words in COMMANDS if words[0] == "charrnn" and len(words) > 1}
    assert named - {"COMMAND"} == set(main.commands)
    for line in filter(is_name, LINES):
        _, name, *rest = tokens(line)
        assert name == "COMMAND" or set(rest) <= options(main.commands[name])
    for name in main.commands:
        assert f"charrnn {name}" in README


@by_name
def test_every_option_that_is_named_exists(page: Page) -> None:
    """Also those that stand between backticks without a command: `--dropout 0.3 --layers 2`."""
    programs = {words[1] for words in commands(page.command_lines) if words[0] == "python"}
    sources = "".join((ROOT / path).read_text(encoding="utf-8") for path in programs)
    for words in page.quoted:
        if words.startswith("--"):
            option, *rest = tokens(words)
            homes = [name for name, command in main.commands.items() if option in options(command)]
            assert homes or f'"{option}"' in sources, words
            if homes and rest and not any(word.isupper() or word[0] == "[" for word in rest):
                accepted = [name for name in homes if accepts(name, [option, *rest])]
                assert accepted, words


def options(command: click.Command) -> set[str]:
    return {
        name
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for name in (*parameter.opts, *parameter.secondary_opts, "--help")
    }


def accepts(name: str, words: list[str]) -> bool:
    """Whether a command can read these options."""
    arguments = {"train": ["text.txt"], "score": ["text.txt"]}
    try:
        main.commands[name].make_context(name, [*arguments.get(name, []), *words])
    except click.UsageError:
        return False
    return True


def test_every_program_and_its_options_exist() -> None:
    """Benchmarks and long tests, which are not run here."""
    programs = [words[1:] for words in COMMANDS if words[0] == "python"]
    assert len(programs) > 8
    for path, *rest in programs:
        source = (ROOT / path).read_text(encoding="utf-8")
        for word in rest:
            if re.fullmatch(r"--[a-z]+|list|get", word):
                assert f'"{word}"' in source, (path, word)
    names = {rest[2] for rest in programs if rest[:2] == ["corpora/public.py", "get"]}
    listed = tomllib.loads((ROOT / "corpora" / "public.toml").read_text(encoding="utf-8"))
    assert names <= set(listed)
    for words in COMMANDS:
        for option, value in pairwise(words):
            if option == "--only":
                assert f'"{value}"' in (ROOT / words[1]).read_text(encoding="utf-8")


@pytest.mark.parametrize("line", [line for line in LINES if "corpora/wiki.py" in line])
def test_the_generator_works(line: str, tmp_path: Path) -> None:
    """For a short text."""
    words = commands([line])[0]
    words = [sys.executable, str(ROOT / words[1]), *words[2:], "--characters", "3000"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stderr
    size = len(done.stdout) or (tmp_path / "big.txt").stat().st_size
    assert 3000 <= size < 5000


def test_the_list_of_corpora_works() -> None:
    done = subprocess.run([sys.executable, ROOT / "corpora/public.py", "list"], capture_output=True)
    assert done.returncode == 0
    assert b"tinyshakespeare" in done.stdout


def test_everything_that_is_chosen_by_name_is_explained() -> None:
    guide = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    for names in (registries.CELLS, registries.OPTIMIZERS, registries.SCHEDULES):
        assert [name for name in names if not re.search(rf"\b{name}`", guide)] == []


def test_every_entry_of_the_json_of_neurons_is_explained(folder: Path) -> None:
    page = (ROOT / "docs" / "neurons.md").read_text(encoding="utf-8")
    report = json.loads(succeed("visualize-neurons", "lstm.npz", "--json", "-").text)
    tables = [report, report["units"][0], report["table"][0], report["features"][0]]
    tables += [report["saturation"][0]]
    assert [name for table in tables for name in table if f"`{name}`" not in page] == []


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
    assert ALL.count("python3 -m venv") == 2


def test_what_the_set_up_lines_need_is_there() -> None:
    (first,) = re.findall(r"/charrnn train (\S+) --minutes", README)
    assert (ROOT / first).stat().st_size > 100_000
    assert any(need.startswith("pytest") for need in PROJECT["optional-dependencies"]["test"])
    assert PROJECT["scripts"] == {"charrnn": "charrnn.cli:main"}
    assert PROJECT["requires-python"] == ">=3.11"
    assert "Python 3.11 or newer" in README


def test_the_commands_of_the_set_up_lines_are_accepted() -> None:
    """They are run, as they stand, by `.ci/run`."""
    lines = [line for line in LINES if line.startswith("python3 -m venv")]
    own = [words[1:] for words in commands(lines) if words[0] == ".venv/bin/charrnn"]
    assert [name for name, *_ in own] == ["train", "sample"]
    for name, *rest in own:
        main.commands[name].make_context(name, rest)


# Files, links, targets


def test_every_target_of_make_exists() -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    mentioned = [words[1] for words in COMMANDS if words[0] == "make"]
    assert mentioned
    assert set(mentioned) <= set(targets)


def test_every_extra_exists() -> None:
    extras = set(re.findall(r"\.\[(\w+)\]", ALL))
    assert extras == set(PROJECT["optional-dependencies"])


def test_the_distribution_has_a_name_of_its_own() -> None:
    assert PROJECT["name"] == "charrnn-numpy"
    assert "`charrnn-numpy`" in README
    assert "charrnn-numpy[test]" in PROJECT["optional-dependencies"]["dev"]


@by_name
def test_every_link_leads_somewhere(page: Page) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.unfenced)
    for link in links:
        path, _, anchor = link.partition("#")
        target = (page.path.parent / path) if path else page.path
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link


def anchors(path: Path) -> set[str]:
    """The names of a page's headings, as a browser of repositories makes them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@by_name
def test_every_file_that_is_named_exists(page: Page) -> None:
    """A path from the root of the project, or the end of one."""
    files = [path.relative_to(ROOT).as_posix() for path in tracked()]
    folders = {Path(file).parent.as_posix() + "/" for file in files}
    folders |= {f"{parent.as_posix()}/" for file in files for parent in Path(file).parents}
    for words in page.quoted:
        if re.fullmatch(r"[\w./-]+\.(py|md|toml|css|js)|[\w./-]*/\w+/|\.ci/\w+", words):
            there = any(f"/{path}".endswith(f"/{words}") for path in (*files, *folders))
            near = (page.path.parent / words).exists()
            assert there or near, words


def tracked() -> list[Path]:
    """The files of the project."""
    homes = ["charrnn", "docs", "tests", "benchmarks", "corpora", ".ci"]
    found = [path for home in homes for path in (ROOT / home).rglob("*") if path.is_file()]
    return [*found, *(path for path in ROOT.glob("*") if path.is_file())]


def test_every_page_is_reached_from_the_readme() -> None:
    for page in PAGES[1:]:
        assert f"({page.name})" in README


def test_every_picture_is_shown_and_small() -> None:
    pictures = sorted((ROOT / "docs" / "pictures").iterdir())
    assert {path.suffix for path in pictures} == {".png", ".svg"}
    for path in pictures:
        assert f"pictures/{path.name})" in ALL
        assert path.stat().st_size <= 300_000


@by_name
def test_figures_and_pages_name_no_place_of_a_single_machine(page: Page) -> None:
    assert not re.search(r"/(tmp|home|root|work|usr)/", page.text)


def test_the_reference_is_what_the_program_says() -> None:
    written = options_reference.PAGE.read_text(encoding="utf-8")
    assert options_reference.reference() == written, "run: python tests/options_reference.py"
    for name, command in main.commands.items():
        assert f"## charrnn {name} [OPTIONS]" in written
        for option in command.params:
            if isinstance(option, click.Option):
                assert all(text in written for text in option.opts)


# The examples in Python

PYTHON = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(page.blocks("python"))
]


@pytest.mark.parametrize("block", PYTHON)
def test_every_block_of_python_is_python(block: str) -> None:
    compile(block, "page", "exec")


def test_the_example_of_the_checkpoint_format_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    succeed("train", write("war_and_peace.txt"), *SMALL, "--epochs", "1", "-q")
    (block,) = [block for page in PAGES for block in page.blocks("python") if "np.load" in block]
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


LIBRARY = [block for page in PAGES for block in page.blocks("python") if "charrnn.load" in block]


@pytest.mark.parametrize("block", LIBRARY)
def test_the_examples_of_the_library_work(
    block: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With smaller and shorter trainings than they ask for."""
    Path("war_and_peace.npz").rename("trained.npz")
    train, load, calls = charrnn.train, charrnn.load, []

    def short(*arguments: Any, **options: Any) -> charrnn.Model:
        bound = inspect.signature(train).bind(*arguments, **options)
        calls.append(bound.arguments)
        epochs = 1.5 if options.get("resume") else 0.5  # a resumed run goes on for longer
        smaller = {"epochs": epochs, "minutes": None, "hidden_size": 8, "layers": 1, "threads": 1}
        return train(**bound.arguments | smaller)

    monkeypatch.setattr(charrnn, "train", short)
    monkeypatch.setattr(charrnn, "load", lambda _: load("trained.npz"))
    names: dict[str, Any] = {}
    exec(block, names)
    assert isinstance(names["model"], charrnn.Model)
    assert calls


def test_there_are_examples_of_the_library() -> None:
    assert len(LIBRARY) == 2
    assert "charrnn.load" in "".join(PAGES[0].blocks("python"))


# The table of folders


def test_architecture_names_every_folder_of_the_package_and_no_other() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `(\w+)/` \|", page, re.MULTILINE)
    there = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert sorted(named) == sorted(there)
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    layers = [
        name.removeprefix("charrnn.") for name in tools["importlinter"]["contracts"][0]["layers"]
    ]
    assert named == [name for name in reversed(layers) if name in there], (
        "the order of the contract"
    )


def modules() -> list[str]:
    """The modules of the package that say something."""
    paths = [path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")]
    return [path for path in paths if not path.endswith(("__init__.py", "__main__.py"))]


def test_only_the_command_line_knows_click_and_prints() -> None:
    for path in modules():
        source = (PACKAGE / path).read_text(encoding="utf-8")
        if not path.startswith("cli/"):
            for name in ("click", "tqdm", *(() if path.startswith("render/") else ("rich",))):
                assert not re.search(rf"^\s*(import|from) {name}\b", source, re.MULTILINE), path
            assert "sys.exit" not in source, path


# The helpers of these tests


def test_lines_are_cut_as_a_shell_cuts_them() -> None:
    line = "cat a.txt | charrnn train - -o b.npz > 'c d'"
    assert commands([line]) == [["cat", "a.txt"], ["charrnn", "train", "-", "-o", "b.npz"]]
    assert not is_plain(line)
    assert is_plain("charrnn sample --stop '\\n'")
    assert documentation.without_comment("charrnn info    # what") == "charrnn info"
