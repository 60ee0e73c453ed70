"""Ways to damage a checkpoint: each takes the bytes of a whole one, and gives those of another. And
how a damaged one is refused."""

import copy
import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.errors import CheckpointError

WRONG_NUMBERS = (-1, 0, 10**400, float("nan"), -(10**30), "x", [1])
VALUES: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 2, 7, 255, 256, 2**31, 2**63, 10**30, -(10**30), 0.5, -0.5, 1e308,
    float("nan"), float("inf"), "", "x", "\x1b[31m", "lstm", "gru", "bytes", "é" * 999, [], {}, [0],
    [[]], {"a": 1}, [1, 1], list(range(70000)),
)  # fmt: skip


class Trap:
    """What a pickle may do to those who load it."""

    sprung = False

    def __reduce__(self) -> tuple[Any, ...]:
        return setattr, (Trap, "sprung", True)


Mutation = Callable[[bytes, random.Random], bytes]


def entries(whole: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def refusal(path: Path, read: Callable[[Path], object]) -> str:
    """The message with which a file is refused: one line that names it."""
    with pytest.raises(CheckpointError) as refused:
        read(path)
    message = str(refused.value)
    assert str(path) in message
    assert message.isprintable()
    return message


def packed(files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def array(content: bytes) -> Any:
    return np.load(io.BytesIO(content))


def some_array(whole: bytes, rng: random.Random) -> tuple[dict[str, bytes], str]:
    files = entries(whole)
    return files, rng.choice([name for name in files if name != "header.npy"])


def truncated(whole: bytes, rng: random.Random) -> bytes:
    """Cut off: anywhere, or near one of the borders of its parts."""
    borders = [0, 1, 4, 30, len(whole) // 2, len(whole) - 22, len(whole) - 1]
    start = 0
    while (start := whole.find(b"PK", start)) >= 0:
        borders.append(start)
        start += 2
    place = rng.choice([rng.randrange(len(whole)), rng.choice(borders) + rng.randrange(-3, 4)])
    return whole[: max(0, place)]


def flipped(whole: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(whole)
    for _ in range(rng.choice([1, 1, 2, 5, 50])):
        damaged[rng.randrange(len(damaged))] ^= rng.randrange(1, 256)
    return bytes(damaged)


def flipped_in_directory(whole: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(whole)
    start = whole.rfind(b"PK\x01\x02", 0, whole.find(b"PK\x05\x06")) - 200
    for _ in range(rng.choice([1, 2, 4])):
        damaged[rng.randrange(max(0, start), len(damaged))] = rng.randrange(256)
    return bytes(damaged)


def spliced(whole: bytes, rng: random.Random) -> bytes:
    """A part of it twice, elsewhere, or gone."""
    a, b = sorted(rng.randrange(len(whole)) for _ in range(2))
    place = rng.randrange(len(whole))
    return rng.choice(
        [whole[:a] + whole[b:], whole[:place] + whole[a:b] + whole[place:], whole[a:] + whole[:a]]
    )


def without_an_array(whole: bytes, rng: random.Random) -> bytes:
    files = entries(whole)
    for name in rng.sample(sorted(files), rng.choice([1, 1, 2])):
        del files[name]
    return packed(files)


def another_name(whole: bytes, rng: random.Random) -> bytes:
    files = entries(whole)
    name = rng.choice(sorted(files))
    other = rng.choice([*files, "../../etc/x.npy", "/abs.npy", "weights", "new.npy", "x/"])
    files[other] = files.pop(name)
    return packed(files)


def another_array(whole: bytes, rng: random.Random) -> bytes:
    """Another shape, type or order, or numbers that are none."""
    files, name = some_array(whole, rng)
    values = array(files[name])
    changes: list[Callable[[], Any]] = [
        lambda: values.reshape(-1)[: rng.randrange(values.size + 1)],
        lambda: values[np.newaxis],
        lambda: values.astype(
            rng.choice(["f8", "f2", ">f4", "i4", "c8", "S4", "M8[s]", "u1", "?"])
        ),
        lambda: np.asfortranarray(values),
        lambda: np.where(np.arange(values.size).reshape(values.shape) == 3, np.nan, values),
        lambda: np.where(np.arange(values.size).reshape(values.shape) == 5, np.inf, values),
        lambda: values * np.float32(rng.choice([0, 1e30, -1e38, 1e-40])),
        lambda: np.array([Trap()], dtype=object),
        lambda: np.array(3.0, np.float32),
        lambda: np.zeros(0, np.float32),
        lambda: np.zeros(4, [("a", "f4"), ("b", "i2")]),
    ]
    with np.errstate(all="ignore"):
        changed = np.asarray(rng.choice(changes)())
    if changed.dtype == np.float64:
        changed = changed.astype(np.float32)
    files[name] = npy(changed)
    return packed(files)


def lying_array(whole: bytes, rng: random.Random) -> bytes:
    """A description that promises more than there is, or makes no sense."""
    files, name = some_array(whole, rng)
    content = files[name]
    shape = rng.choice(
        ["(10000000000000,)", "(9223372036854775807,)", "(-1,)", "(1000000, 1000000)", "(0,)", "()",
         "(True,)", "(1.5,)", "None", "(" * 60 + ")" * 60, "(1,)" * 50, "('x',)", "(10**9,)"]
    )  # fmt: skip
    described = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    if rng.random() < 0.3:
        described = rng.choice(["", "{}", "{" * 3000, "__import__('os')", "[1]", "\x00" * 40])
    text = described.encode()
    text += b" " * (-(10 + len(text) + 1) % 64) + b"\n"
    data_start = 10 + int.from_bytes(content[8:10], "little")
    magic = rng.choice([b"\x93NUMPY\x01\x00", b"\x93NUMPY\x03\x00", b"\x93NUMPX\x01\x00"])
    files[name] = magic + len(text).to_bytes(2, "little") + text + content[data_start:]
    return packed(files)


def bomb(whole: bytes, rng: random.Random) -> bytes:
    """Little that unpacks to much."""
    files = entries(whole)
    name = rng.choice(["header.npy", "weights.npy", "moments.npy", "extra.npy"])
    size = 40 * 10**6
    if name == "header.npy":
        filling = rng.choice([b"[" * size, b" " * size, b"[[]" + b",[]" * (size // 3) + b"]"])
        files[name] = npy(np.frombuffer(filling, np.uint8))
    else:
        files[name] = npy(np.zeros(size // 4, np.float32))
    return packed(files, rng.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))


def pickled(whole: bytes, rng: random.Random) -> bytes:
    files = entries(whole)
    files[rng.choice(sorted(files))] = npy(np.array([Trap()], dtype=object))
    return packed(files)


def compressed(whole: bytes, rng: random.Random) -> bytes:
    return packed(entries(whole), rng.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA]))


def with_header(whole: bytes, change: Callable[[Any], Any]) -> bytes:
    files = entries(whole)
    header = json.loads(array(files["header.npy"]).tobytes())
    text = json.dumps(change(header)).encode()
    return packed(files | {"header.npy": npy(np.frombuffer(text, np.uint8))})


def another_header(whole: bytes, rng: random.Random) -> bytes:
    """Some values in the header replaced, left out or added."""

    def change(header: Any) -> Any:
        for _ in range(rng.choice([1, 1, 1, 2, 4])):
            parent = header
            while True:
                keys = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
                if not keys:
                    break
                key = rng.choice(keys)
                child = parent[key]
                if isinstance(child, dict | list) and child and rng.random() < 0.75:
                    parent = child
                    continue
                if rng.random() < 0.2:
                    del parent[key]
                else:
                    parent[key] = copy.deepcopy(rng.choice(VALUES))
                break
        return header

    return with_header(whole, change)


def another_vocabulary(whole: bytes, rng: random.Random) -> bytes:
    def change(header: Any) -> Any:
        symbols = header["vocabulary"]["symbols"]
        place = rng.randrange(len(symbols))
        symbols[place] = rng.choice([symbols[0], -1, 0xD800, 0x110000, 2**40, "a", 1.5, None, 10])
        if rng.random() < 0.3:
            symbols.reverse()
        if rng.random() < 0.2:
            header["vocabulary"]["kind"] = rng.choice(["bytes", "characters", "words"])
        return header

    return with_header(whole, change)


def another_network(whole: bytes, rng: random.Random) -> bytes:
    """Sizes that the arrays do not have, or that nobody could have."""

    def change(header: Any) -> Any:
        name = rng.choice(["hidden_size", "layers", "vocabulary_size", "cell"])
        header["network"][name] = rng.choice(
            [10**9, 10**5, 10**400, 1000, 0, -3, True, "8", 8.0, "lstm", "rnn", "gru", [8]]
        )
        return header

    return with_header(whole, change)


def another_json(whole: bytes, rng: random.Random) -> bytes:
    files = entries(whole)
    text = rng.choice(
        [b"[" * 100000, b'{"a":' * 5000, b"", b"\x00", b"null", b"{}", b"1" * 5000, b"\xff\xfe{}",
         b'{"format": "charrnn"}', b'{"format": "charrnn", "version": 1}',
         b'{"format": "charrnn", "version": ' + b"9" * 99 + b"}", b'"\\ud800"', b"NaN"]
    )  # fmt: skip
    files["header.npy"] = npy(np.frombuffer(text, np.uint8))
    return packed(files)


def something_else(whole: bytes, rng: random.Random) -> bytes:
    return rng.choice(
        [b"", b"\x00" * 5000, rng.randbytes(3000), b"PK\x03\x04", b"PK\x05\x06" + bytes(18),
         npy(np.zeros(3)), npy(np.array([Trap()], dtype=object)), b"a text\n" * 99,
         packed({"a.txt": b"x"}), rng.randbytes(100) + whole, whole + rng.randbytes(100)]
    )  # fmt: skip


def numbers(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all numbers in a JSON value."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from numbers(item, (*place, key))
    elif type(value) in (int, float):
        yield place


def with_value(whole: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A copy of a JSON value with another value at one place."""
    changed = parent = copy.deepcopy(whole)
    for key in place[:-1]:
        parent = parent[key]
    parent[place[-1]] = value
    return changed


def another_number(whole: bytes, rng: random.Random) -> bytes:
    """One number of the header replaced; those that stand alone as often as those in lists."""

    def change(header: Any) -> Any:
        places = list(numbers(header))
        alone = [place for place in places if not any(type(key) is int for key in place)]
        place = rng.choice(rng.choice([alone, places]))
        return with_value(header, place, rng.choice(WRONG_NUMBERS))

    return with_header(whole, change)


MUTATIONS: dict[Mutation, int] = {
    truncated: 12, flipped: 14, flipped_in_directory: 8, spliced: 8, without_an_array: 4,
    another_name: 4, another_array: 12, lying_array: 8, bomb: 1, pickled: 3, compressed: 1,
    another_header: 20, another_vocabulary: 6, another_network: 6, another_json: 4,
    something_else: 5, another_number: 13,
}  # fmt: skip
