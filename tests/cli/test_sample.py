"""`charrnn sample`: what is written, with which model, and what chance has to do with it."""

import os
import re
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import click
import numpy as np
import pytest

from charrnn.cli import main
from charrnn.cli.writing import write_quietly
from charrnn.model import load
from cli_helpers import SMALL, TEXT, closed, is_sample, refuse, succeed, usage_error, write


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two models of characters and one of bytes."""
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write("english.txt")
        write("russian.txt", "Все счастливые семьи похожи друг на друга\r\n" * 20)
        write("raw.txt", bytes(range(0, 256, 5)) * 20)
        for name in ("english", "russian"):
            succeed("train", f"{name}.txt", *SMALL, "--epochs", "3", "-q")
        succeed("train", "raw.txt", "--bytes", *SMALL, "--epochs", "0.5", "-q")
    return folder


@pytest.fixture(autouse=True)
def _in_a_folder_with_one_model(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(models / "english.npz", "english.npz")


# The help


def test_the_help_shows_every_option_with_its_default() -> None:
    shown = succeed("sample", "-h").text
    assert shown.startswith("Usage: charrnn sample [OPTIONS]\n")
    records = re.split(r"\n  (?=-)", shown)
    told = {
        name: record for record in records for name in re.findall(r"^(?:-\w, )?(--\S+)", record)
    }
    options = [param for param in main.commands["sample"].params if isinstance(param, click.Option)]
    assert {option.opts[-1] for option in options} | {"--help"} == set(told)
    for option in options:
        if option.name not in ("prime", "prime_file") and not option.is_flag:
            assert "[default:" in told[option.opts[-1]], option.name
    assert max(record.count("[default:") for record in records) == 1
    assert "[default: 500]" in told["--length"]
    assert "[default: 1.0]" in told["--temperature"]


# What is written


def test_the_text_has_its_length_and_a_line_end() -> None:
    assert is_sample(succeed("sample").text, 500)
    for length in (1, 2, 33):
        text = succeed("sample", "-n", str(length)).text
        assert is_sample(text, length)
        assert set(text) <= set(TEXT)


def test_the_same_seed_writes_the_same_text() -> None:
    first, again, other = (succeed("sample", "--seed", seed).text for seed in ("7", "7", "8"))
    assert first == again != other


def test_without_a_seed_every_text_is_another() -> None:
    assert succeed("sample").text != succeed("sample").text


def test_temperature_0_always_takes_the_most_probable_character() -> None:
    first, again = (succeed("sample", "-t", "0", "--seed", seed).text for seed in ("1", "2"))
    assert first == again
    model = load("english.npz")
    by_hand, character = "", "\n"  # a text begins as after a line end
    for _ in range(30):
        probabilities = model.step(character)
        character = max(probabilities, key=lambda key: probabilities[key])
        by_hand += character
    assert first[:30] == by_hand


def test_a_low_temperature_is_safer_than_a_high_one() -> None:
    def surprise(temperature: str) -> float:
        """Mean nats per character of a text, as the model itself sees them."""
        options = ("--seed", "3", "-n", "200", "-t", temperature)
        text = "\n" + succeed("sample", *options).text[:-1]
        model = load("english.npz")
        return float(-np.mean(
            [np.log(model.step(a)[b]) for a, b in pairwise(text)]
        ))  # fmt: skip

    assert surprise("0.3") < surprise("1") < surprise("5")


def test_temperatures_beyond_all_numbers_are_quiet() -> None:
    safest = succeed("sample", "-t", "0").text
    tiny = succeed("sample", "-t", "1e-320", "-c", "english.npz")
    assert (tiny.text, tiny.errors) == (safest, "")
    assert is_sample(succeed("sample", "-t", "1e300").text, 500)


def test_the_prime_comes_first_and_is_gone_on_from() -> None:
    prime = "line 1"
    text = succeed("sample", "--prime", prime, "-n", "40", "--seed", "4").text
    model = load("english.npz")
    assert text == closed(prime + model.sample(40, seed=4, prime=prime))
    assert text != closed(prime + model.sample(40, seed=4, prime="4 ."))


def test_a_prime_may_come_from_the_command_line_a_file_or_a_pipe() -> None:
    prime = "of the\ntext, "
    write("prime.txt", prime)
    options = ("--seed", "5", "-n", "60")
    texts = [
        succeed("sample", *options, "--prime", prime).text,
        succeed("sample", *options, "--prime-file", "prime.txt").text,
        succeed("sample", *options, "--prime-file", "-", given=prime).text,
    ]
    assert texts[0].startswith(prime)
    assert texts[0] == texts[1] == texts[2]


def test_an_empty_prime_is_none() -> None:
    options = ("--seed", "5", "-n", "60")
    none = succeed("sample", *options).text
    assert succeed("sample", *options, "--prime", "").text == none
    assert succeed("sample", *options, "--prime-file", "-", given="").text == none


def test_two_primes_are_refused() -> None:
    write("prime.txt", "line")
    message = usage_error("sample", "--prime", "line", "--prime-file", "prime.txt")
    assert message == "Error: --prime and --prime-file exclude each other"
    assert "exclude" in usage_error("sample", "--prime", "", "--prime-file", "-")


def test_samples_are_told_apart() -> None:
    options = ("--samples", "3", "-n", "50", "--prime", "line ", "--seed", "6")
    text = succeed("sample", *options).text
    parts = re.split(r"^--- (\d of 3) ---\n", text, flags=re.MULTILINE)
    assert parts[0] == ""
    assert parts[1::2] == ["1 of 3", "2 of 3", "3 of 3"]
    texts = parts[2::2]
    assert all(is_sample(part, 55) and part.startswith("line ") for part in texts)
    assert all(part.endswith("\n") for part in texts)
    assert len(set(texts)) == 3, "they are different ones"
    assert succeed("sample", *options).text == text


def test_samples_without_end_are_refused() -> None:
    assert "--samples needs a --length" in usage_error("sample", "-n", "0", "--samples", "2")


def test_every_piece_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)  # where nothing has arrived, reading fails instead of waiting

    def pieces() -> Iterator[bytes]:
        for piece in (b"a", "я".encode(), b"\n"):
            yield piece
            assert os.read(reading, 100) == piece

    with open(writing, "w") as output:
        monkeypatch.setattr("sys.stdout", output)
        write_quietly(pieces())
    os.close(reading)


def test_russian_and_its_line_ends_come_out_in_utf_8(models: Path) -> None:
    outcome = succeed("sample", "-c", models / "russian.npz", "-n", "200", "--seed", "1")
    assert outcome.output.decode("utf-8") == outcome.text
    assert set(outcome.text) <= set("Все счастливые семьи похожи друг на друга\r\n")
    assert is_sample(outcome.text, 200), "the length counts characters"


def test_a_model_of_bytes_writes_bytes(models: Path) -> None:
    raw = models / "raw.npz"
    output = succeed("sample", "-c", raw, "-n", "300", "--seed", "1").output
    assert is_sample(output, 300)
    assert set(output[:-1]) <= set(range(0, 256, 5))
    assert max(output) > 127
    prime = bytes([250, 0, 255, 10])
    write("prime.bin", prime)
    output = succeed("sample", "-c", raw, "-n", "5", "--prime-file", "prime.bin").output
    assert output.startswith(prime)
    assert is_sample(output, 4 + 5)


def test_a_prime_for_bytes_is_its_utf_8(models: Path) -> None:
    raw = models / "raw.npz"
    prime = "\u1087"  # in UTF-8 E1 82 87, which the model knows
    output = succeed("sample", "-c", raw, "-n", "2", "--prime", prime).output
    assert output.startswith(prime.encode())
    message = refuse("sample", "-c", raw, "--prime", "я")
    assert "has bytes that the model does not know: 0x8F, 0xD1" in message


# Which model


def test_the_newest_model_of_the_folder_is_taken_and_named(models: Path) -> None:
    assert succeed("sample", "-n", "1").errors == "charrnn: writing with english.npz\n"
    shutil.copy(models / "russian.npz", "russian.npz")
    for newest, older in (("russian", "english"), ("english", "russian")):
        os.utime(f"{newest}.npz", (2e9, 2e9))
        os.utime(f"{older}.npz", (1e9, 1e9))
        outcome = succeed("sample", "-n", "30", "--seed", "1")
        assert outcome.errors == f"charrnn: writing with {newest}.npz\n"
        named = succeed("sample", "-n", "30", "--seed", "1", "-c", f"{newest}.npz")
        assert (named.text, named.errors) == (outcome.text, "")


def test_other_files_are_not_taken_for_a_model() -> None:
    np.savez("arrays.npz", a=np.zeros(3))
    write("text.npz", "no zip at all")
    write("empty.npz", b"")
    Path("folder.npz").mkdir()
    for name in ("arrays.npz", "text.npz", "empty.npz", "folder.npz"):
        os.utime(name, (2e9, 2e9))
    assert succeed("sample", "-n", "1").errors == "charrnn: writing with english.npz\n"


def test_without_a_model_there_is_advice() -> None:
    Path("english.npz").unlink()
    message = refuse("sample")
    assert message == (
        f"there is no checkpoint in {Path().resolve()}: train one with `charrnn train FILE`, "
        "or name one of another folder"
    )


# Characters that the model does not know


def test_unknown_characters_of_a_prime_are_named() -> None:
    message = refuse("sample", "-c", "english.npz", "--prime", "line Zß\x1b!")
    assert message.startswith("the text has characters that the model does not know: ")
    assert r"'\x1b', '!', 'Z', 'ß'" in message
    assert "set --unknown to skip" in message
    write("prime.txt", "line Zß\x1b!")
    assert refuse("sample", "-c", "english.npz", "--prime-file", "prime.txt") == message


def test_unknown_characters_can_be_skipped() -> None:
    options = ("-n", "30", "--seed", "2", "--unknown", "skip")
    known = succeed("sample", *options, "--prime", "line ").text
    assert succeed("sample", *options, "--prime", "liZneß! ").text == known
    nothing = succeed("sample", *options, "--prime", "ZZZ").text
    assert nothing == succeed("sample", *options).text
    assert "Invalid value for '--unknown'" in usage_error("sample", "--unknown", "guess")


def test_a_prime_file_that_is_not_utf_8_says_where() -> None:
    write("prime.txt", b"line " + "é".encode("latin-1"))
    message = refuse("sample", "-c", "english.npz", "--prime-file", "prime.txt")
    assert message == "prime.txt is not UTF-8 at byte 5: convert it first"
    write("prime.txt", "\ufeffline")
    message = refuse("sample", "-c", "english.npz", "--prime-file", "prime.txt")
    assert "U+FEFF" in message


# What is chosen, and where it ends


def test_only_what_is_allowed_is_written() -> None:
    one = ("sample", "-c", "english.npz", "-n", "200", "--seed", "1")
    assert set(succeed(*one, "--allow", "line").text) <= set("line\n")
    assert not set(succeed(*one, "--suppress", "et ").text) & set("et ")
    assert set(succeed(*one, "--allow", "li", "--suppress", "i").text) == set("l\n")
    message = refuse(*one, "--allow", "\u5b57")
    assert message == "no character is left to write: --suppress fewer characters, or --allow more"


def test_the_most_probable_only() -> None:
    one = ("sample", "-c", "english.npz", "-n", "60", "--seed", "1")
    greedy = succeed(*one, "-t", "0").text
    for rule in (("--top-k", "1"), ("--top-p", "1e-9"), ("--min-p", "1")):
        assert succeed(*one, *rule).text == greedy
    assert succeed(*one, "--top-k", "0", "--top-p", "1", "--min-p", "0").text == succeed(*one).text
    assert succeed(*one, "--typical-p", "1").text == succeed(*one).text
    assert succeed(*one, "--typical-p", "0.3").text != succeed(*one).text
    for rule in (("--top-k", "-1"), ("--top-p", "0"), ("--typical-p", "2"), ("--min-p", "2")):
        assert refuse(*one, *rule).startswith(f"{rule[0]} must be ")


def test_a_text_ends_before_a_stop() -> None:
    one = ("sample", "-c", "english.npz", "-n", "300", "--seed", "5")
    whole = succeed(*one).text
    for stop, text in (("e", "e"), ("\\n", "\n"), ("he", "he"), ("never there", "never there")):
        expected = closed(whole.partition(text)[0])
        assert succeed(*one, "--stop", stop).text == expected
    both = succeed(*one, "--stop", "i", "--stop", "e").text
    assert both == closed(min((whole.partition(stop)[0] for stop in "ie"), key=len))


def test_lines_end_a_text() -> None:
    one = ("sample", "-c", "english.npz", "-n", "500", "--seed", "5")
    whole = succeed(*one).text
    assert succeed(*one, "--lines", "2").text == "".join(whole.splitlines(True)[:2])
    assert "--lines" in usage_error(*map(str, one), "--lines", "0")


def test_a_text_that_ends_in_a_line_end_gets_no_other() -> None:
    one = ("sample", "-c", "english.npz", "-n", "0", "--seed", "5", "--lines", "20")
    assert succeed(*one).text.count("\n") == 20
    several = succeed(*one, "--samples", "2").text
    assert re.findall("--- . of 2 ---\n", several) == ["--- 1 of 2 ---\n", "--- 2 of 2 ---\n"]
    assert several.count("\n") == 2 * 20 + 2
    exactly = ("sample", "-c", "english.npz", "-n", "3", "--allow", "\n", "--prime", "line")
    assert succeed(*exactly).text == "line\n\n\n"
    nothing = ("sample", "-c", "english.npz", "--allow", "i", "--stop", "i")
    assert succeed(*nothing).text == "\n", "an empty text is an empty line"
    assert succeed(*nothing, "--prime", "line\n").text == "line\n"


def test_samples_end_each_for_itself() -> None:
    one = ("sample", "-c", "english.npz", "-n", "200", "--seed", "5", "--samples", "3")
    separator = r"^--- \d of 3 ---\n"
    whole = re.split(separator, succeed(*one).text, flags=re.MULTILINE)[1:]
    cut = re.split(separator, succeed(*one, "--stop", "e").text, flags=re.MULTILINE)[1:]
    assert [text.rstrip("\n") for text in cut] == [
        text.partition("e")[0].rstrip("\n") for text in whole
    ]
    endless = succeed(
        "sample", "-c", "english.npz", "-n", "0", "--seed", "5", "--samples", "3", "--stop", "e"
    )
    assert endless.text == succeed(*one, "--stop", "e").text
