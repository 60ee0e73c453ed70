"""The pages that people read, and what of them can be run."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = (
    "charrnn",
    "python",
    "python3",
    "make",
    "pip",
    ".ci/run",
    "cat",
    "eval",
    "source",
    "mpiexec",
)
"""What a line of a shell begins with, here."""
OPERATORS = set("|&;()<>")


@dataclass(frozen=True)
class Page:
    """A page in Markdown."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def blocks(self, language: str) -> list[str]:
        """The fenced blocks of a language."""
        return re.findall(rf"^```{language}\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL)

    @property
    def unfenced(self) -> str:
        return re.sub(r"^```.*?^```$", "", self.text, flags=re.MULTILINE | re.DOTALL)

    @property
    def indented(self) -> list[str]:
        """The lines of the indented blocks: commands, formulas, drawings."""
        return [line.strip() for line in self.unfenced.splitlines() if line.startswith("    ")]

    @property
    def prose(self) -> str:
        """All but the blocks."""
        return re.sub(r"^    .*$", "", self.unfenced, flags=re.MULTILINE)

    @property
    def quoted(self) -> list[str]:
        """What stands between backticks, on one line or on two."""
        return [" ".join(words.split()) for words in re.findall(r"`([^`]+)`", self.prose)]

    @property
    def command_lines(self) -> list[str]:
        """Every line for a shell, without its comment."""
        lines = "".join(self.blocks("sh")).splitlines() + self.indented
        quoted = [words for words in self.quoted if words.split()[0] in PROGRAMS and " " in words]
        return [without_comment(line) for line in lines if is_command(line)] + quoted


def is_command(line: str) -> bool:
    first = line.split()[0] if line.strip() else ""
    return first in PROGRAMS or first.startswith("_CHARRNN")


def without_comment(line: str) -> str:
    return re.sub(r"\s{2,}#.*$", "", line)


def tokens(line: str) -> list[str]:
    """A line as a shell cuts it into words and operators."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    return list(lexer)


def is_plain(line: str) -> bool:
    """Whether a line is one command, without pipes, files or substitutions."""
    return "$(" not in line and not any(set(word) <= OPERATORS for word in tokens(line))


def commands(lines: list[str]) -> list[list[str]]:
    """The single commands of some lines, as lists of words."""
    found: list[list[str]] = []
    for line in lines:
        words: list[str] = []
        before = ""
        for word in [*tokens(line), ";"]:
            if set(word) <= set("|&;()"):
                if words:
                    found.append(words)
                words = []
            elif not set(word) <= set("<>") and not set(before or "-") <= set("<>"):
                words.append(word)  # else to or from a file
            before = word
    return found


PAGES = [
    Page(path)
    for path in [
        ROOT / "README.md",
        *sorted((ROOT / "docs").glob("*.md")),
        ROOT / "corpora" / "README.md",
    ]
]


def small(words: list[str]) -> list[str]:
    """The words of a `charrnn` command, with options behind them that make a training short.

    Of an option that is given twice, the last one counts.
    """
    if words[0] != "train":
        return words
    shorter = shlex.split("--batch-size 4 --seq-length 8 --threads 1 --epochs 0.1 --quiet")
    if "--resume" in words:
        return [*words, *shlex.split("--epochs 0.6 --quiet")]
    if "--init-from" not in words:
        shorter += shlex.split("--hidden-size 8 --layers 1")
    return [*words, *shorter, *([] if "--force" in words else ["--force"])]
