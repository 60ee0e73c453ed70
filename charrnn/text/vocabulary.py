"""The vocabulary of a model: its symbols, and the conversion between text and ids.

A vocabulary is the sorted set of the symbols of a corpus; the id of a symbol is its index in it.
A symbol is a character (a Unicode code point), or a byte where a model reads raw bytes.
"""

import unicodedata
from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import UnknownSymbolError

Ids = NDArray[np.unsignedinteger[Any]]

_CODE_POINTS = 0x110000
_SURROGATES = 0xD800, 0xE000
_MOST_NAMED = 10  # unknown symbols that an error message spells out
_UNKNOWN = -1


def code_points(text: str) -> NDArray[np.uint32]:
    """The code points of `text`, of shape (N,); lone surrogates are passed on as they are."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))


def symbol_name(symbol: int, *, is_bytes: bool = False) -> str:
    r"""The printable name of a symbol: safe on a terminal, on one line, different for each.

    >>> symbol_name(97), symbol_name(10), symbol_name(0x301), symbol_name(233, is_bytes=True)
    ("'a'", "'\\n'", 'U+0301', '0xE9')
    """
    if symbol < 128:
        return repr(chr(symbol))
    if is_bytes:
        return f"0x{symbol:02X}"
    character = chr(symbol)
    # a combining mark would melt into the quote before it
    if character.isprintable() and not unicodedata.category(character).startswith("M"):
        return repr(character)
    return f"U+{symbol:04X}"


class Vocabulary:
    """The sorted set of symbols of a corpus: V characters, or V bytes. It never changes.

    >>> vocabulary = Vocabulary(np.array([10, 97, 98], np.uint32))
    >>> vocabulary.encode("ab\\n")
    array([1, 2, 0], dtype=uint8)
    >>> vocabulary.decode(np.array([2, 1]))
    'ba'
    """

    __slots__ = ("_known", "_lookup", "_symbols", "_translation", "dtype", "is_bytes", "size")

    def __init__(self, symbols: NDArray[np.uint32], *, is_bytes: bool = False) -> None:
        """Take `symbols`, of shape (V,): strictly increasing code points, or byte values.

        Raises ValueError where they are none, out of order, or out of range.
        """
        _check(symbols, is_bytes)
        self.is_bytes = is_bytes
        self.size = len(symbols)
        # the smallest type that holds every id
        self.dtype: np.dtype[Any] = np.min_scalar_type(self.size - 1)
        self._symbols = symbols.astype("<u4")  # a copy
        self._symbols.flags.writeable = False
        # ASCII characters come first in the order, so their ids fit into a byte in any vocabulary
        low = self._symbols[self._symbols < (256 if is_bytes else 128)]
        self._known = low.astype(np.uint8).tobytes()
        self._translation = bytes.maketrans(self._known, bytes(range(len(low))))
        self._lookup: NDArray[np.int32] | None = None

    @property
    def symbols(self) -> NDArray[np.uint32]:
        """The code points or byte values, of shape (V,), in the order of their ids; read-only."""
        return self._symbols

    def __len__(self) -> int:
        return self.size

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary):
            return NotImplemented
        return self.is_bytes == other.is_bytes and np.array_equal(self._symbols, other._symbols)

    def __hash__(self) -> int:
        return hash((self.is_bytes, self._symbols.tobytes()))

    def __repr__(self) -> str:
        return f"<Vocabulary of {self.size} {self.kind}>"

    @property
    def kind(self) -> str:
        """What its symbols are: "bytes" or "characters"."""
        return "bytes" if self.is_bytes else "characters"

    def includes(self, other: "Vocabulary") -> bool:
        """Whether it has every symbol of `other`, and both are of characters or both of bytes."""
        same_kind = self.is_bytes == other.is_bytes
        return same_kind and bool(np.isin(other._symbols, self._symbols).all())

    def missing(self, other: "Vocabulary") -> tuple[str, ...]:
        """The printable names of the symbols of `other` that it does not have."""
        is_new = ~np.isin(other._symbols, self._symbols)
        return tuple(other.symbol(id) for id in np.flatnonzero(is_new).tolist())

    def union(self, other: "Vocabulary") -> "Vocabulary":
        """The symbols of both. Raises ValueError where one has bytes, and the other characters."""
        if self.is_bytes != other.is_bytes:
            raise ValueError("a vocabulary has either bytes or characters")
        return Vocabulary(np.union1d(self._symbols, other._symbols), is_bytes=self.is_bytes)

    def symbol(self, id: int) -> str:
        r"""The printable name of the symbol `id`: `'a'`, `'\n'`, `U+0301`, or for a byte `0xE9`."""
        return symbol_name(int(self._symbols[id]), is_bytes=self.is_bytes)

    def encode(self, text: str | bytes, *, unknown: Literal["error", "skip"] = "error") -> Ids:
        """The ids of the symbols of `text`, of shape (N,) and type `dtype`.

        In a vocabulary of bytes a `str` stands for its UTF-8 bytes. Symbols that are not in the
        vocabulary raise UnknownSymbolError, or are left out with `unknown="skip"`. Raises TypeError
        for `bytes` in a vocabulary of characters.
        """
        if unknown not in ("error", "skip"):
            raise ValueError(f"unknown is 'error' or 'skip', not {unknown!r}")
        if isinstance(text, str):
            if not self.is_bytes and not text.isascii():
                return self._encode_points(code_points(text), unknown == "skip")
            text = _utf8(text)
        elif not self.is_bytes:
            raise TypeError("a vocabulary of characters encodes str, not bytes")
        return self._encode_bytes(text, unknown == "skip")

    def _encode_bytes(self, data: bytes, skip: bool) -> Ids:
        # bytes.translate is several times as fast as NumPy's take
        strange = data.translate(None, self._known)
        if strange:
            if not skip:
                raise self._unknown(sorted(set(strange)))
            data = data.translate(None, bytes(set(strange)))
        return np.frombuffer(data.translate(self._translation), np.uint8).astype(self.dtype)

    def _encode_points(self, points: NDArray[np.uint32], skip: bool) -> Ids:
        if self._lookup is None:
            # one more entry than the largest symbol needs: whatever is beyond is clipped to it
            lookup = np.full(int(self._symbols[-1]) + 2, _UNKNOWN, np.int32)
            lookup[self._symbols] = np.arange(self.size)
            self._lookup = lookup
        ids = np.take(self._lookup, points, mode="clip")
        strange = ids == _UNKNOWN
        if strange.any():
            if not skip:
                raise self._unknown(np.unique(points[strange]).tolist())
            ids = ids[~strange]
        return ids.astype(self.dtype)

    def _unknown(self, symbols: Sequence[int]) -> UnknownSymbolError:
        names = [symbol_name(symbol, is_bytes=self.is_bytes) for symbol in symbols[:_MOST_NAMED]]
        listed = ", ".join(names)
        if more := len(symbols) - len(names):
            listed += f" and {more:,} more"
        return UnknownSymbolError(
            f"the text has {self.kind} that the model does not know: {listed}; "
            "leave them out, or set `unknown` to skip"
        )

    def decode(self, ids: NDArray[np.integer[Any]] | Sequence[int]) -> str:
        """The text of `ids`; bytes are read as UTF-8, with U+FFFD for what is not valid.

        Raises IndexError for an id that is not below V.
        """
        if self.is_bytes:
            return self.decode_bytes(ids).decode("utf-8", "replace")
        return self._take(ids).tobytes().decode("utf-32-le")

    def decode_bytes(self, ids: NDArray[np.integer[Any]] | Sequence[int]) -> bytes:
        """The raw bytes of `ids`; characters as UTF-8."""
        if self.is_bytes:
            return self._take(ids).astype(np.uint8).tobytes()
        return self.decode(ids).encode("utf-8")

    def _take(self, ids: NDArray[np.integer[Any]] | Sequence[int]) -> NDArray[np.uint32]:
        array = np.asarray(ids)
        return self._symbols[array] if array.size else self._symbols[:0]

    def to_json(self) -> dict[str, Any]:
        """What `from_json` takes: the kind, and the symbols as numbers."""
        return {"kind": self.kind, "symbols": self._symbols.tolist()}

    @classmethod
    def from_json(cls, data: object) -> Self:
        """The vocabulary that `to_json` has described; raises ValueError for anything else."""
        if not isinstance(data, dict) or set(data) != {"kind", "symbols"}:
            raise ValueError('a vocabulary is an object with "kind" and "symbols"')
        kind, symbols = data["kind"], data["symbols"]
        if kind not in ("characters", "bytes"):
            raise ValueError(f'the kind of a vocabulary is "characters" or "bytes", not {kind!r}')
        if not isinstance(symbols, list) or not all(
            type(symbol) is int and 0 <= symbol < _CODE_POINTS for symbol in symbols
        ):
            raise ValueError("the symbols of a vocabulary are a list of code points or bytes")
        return cls(np.array(symbols, np.uint32), is_bytes=kind == "bytes")


def _utf8(text: str) -> bytes:
    try:
        # undoes what Python does to bytes on the command line that are not valid UTF-8
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        name = symbol_name(ord(text[error.start]))
        raise UnknownSymbolError(
            f"the text has the lone surrogate {name}, which has no bytes; leave it out"
        ) from error


def _check(symbols: NDArray[np.uint32], is_bytes: bool) -> None:
    if symbols.ndim != 1 or symbols.dtype.kind not in "iu":
        raise ValueError("the symbols of a vocabulary are one row of integers")
    if not len(symbols):
        raise ValueError("a vocabulary has at least one symbol")
    if not (symbols[:-1] < symbols[1:]).all():
        raise ValueError("the symbols of a vocabulary are strictly increasing")
    limit = 256 if is_bytes else _CODE_POINTS
    if symbols[0] < 0 or symbols[-1] >= limit:
        raise ValueError(f"a symbol of this vocabulary lies outside 0 to {limit - 1:#x}")
    if not is_bytes:
        first, end = np.searchsorted(symbols, _SURROGATES)
        if first != end:
            raise ValueError(f"the surrogate U+{int(symbols[first]):04X} is not a character")
