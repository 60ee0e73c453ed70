"""Groups of characters, and what moves at them."""

import numpy as np

from charrnn.neurons.explain.symbol_groups import PairTable, Sets
from charrnn.text.corpus import Corpus
from charrnn.text.vocabulary import Vocabulary

TEXT = 'a b "cd" 12.\nAb'


def vocabulary() -> Vocabulary:
    return Corpus.from_text(TEXT).vocabulary


def found(moves_at: dict[str, float], sign: int) -> list[str]:
    """The groups for moves at some pairs of symbols in a random text, with a little noise."""
    rng = np.random.default_rng(201)
    symbols = vocabulary()
    ids = rng.integers(symbols.size, size=20_000)
    text = symbols.decode(ids)
    moves = np.array([moves_at.get(text[t - 1 : t + 1], 0.0) for t in range(1, len(text))])
    moves += 0.01 * rng.normal(size=len(moves))
    table = PairTable(ids[:-1], ids[1:], moves, symbols.size)
    sets = Sets.of(symbols)
    return [
        group.name
        for group in table.best_groups(sets, sign, most=3, fewest=20, smallest=0.1, simpler=0.8)
    ]


def test_a_symbol_after_another() -> None:
    assert found({' "': 1.0, 'c"': -1.0}, 1) == ['at ‘"’ after a space']
    assert found({' "': 1.0, 'c"': -1.0}, -1) == ['at ‘"’ after ‘c’']


def test_a_symbol_wherever_it_is() -> None:
    moves = {f'{symbol}"': 1.0 for symbol in vocabulary().decode(np.arange(11))}
    assert found(moves, 1) == ['at ‘"’']


def test_a_class_and_the_best_first() -> None:
    letters = {f"{one}{other}": 0.5 for one in " .\n" for other in "abcd"}
    assert found(letters | {"1.": 2.0}, 1) == ["at ‘.’ after ‘1’", *found(letters, 1)]
    assert found(letters, 1)[0].startswith("at a small letter after")


def test_nothing_moves() -> None:
    assert found({}, 1) == []


def test_groups_hold_for_pairs() -> None:
    symbols = vocabulary()
    ids = symbols.encode('a "b"')
    moves = np.ones(30)
    pairs = np.repeat(symbols.encode(' "'), 30).reshape(2, 30)
    table = PairTable(pairs[0], pairs[1], moves, symbols.size)
    sets = Sets.of(symbols)
    (group,) = table.best_groups(sets, 1, most=1, fewest=20, smallest=0.1, simpler=0.8)
    assert group.holds(ids[:-1], ids[1:]).tolist() == [False, True, False, True]
