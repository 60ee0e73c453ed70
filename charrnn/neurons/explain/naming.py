"""The names of characters in a sentence."""

from collections.abc import Iterable, Sequence

from charrnn.text.display import shown_symbols
from charrnn.text.vocabulary import Vocabulary

_NAMED = {" ": "a space", "\n": "a line end", "\t": "a tab", "\r": "a carriage return"}


def symbol_names(vocabulary: Vocabulary) -> list[str]:
    """What each symbol is called, in the order of their ids: a name, or itself in quotes.

    For example: a space, ‘a’, ‘b’.
    """
    shown = shown_symbols(vocabulary)
    codes = vocabulary.symbols.tolist()
    return [_NAMED.get(chr(code), f"‘{shown[n]}’") for n, code in enumerate(codes)]


def listed(names: Iterable[str], joint: str = "or") -> str:
    """Names in one phrase.

    >>> listed(["a", "b", "c"])
    'a, b or c'
    """
    found: Sequence[str] = list(names)
    if len(found) < 2:
        return "".join(found)
    return f"{', '.join(found[:-1])} {joint} {found[-1]}"
