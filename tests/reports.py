"""Reports on neurons that are made up, for what shows them."""

from typing import Any

import numpy as np

from charrnn.neurons.explain.explanation import Explanation
from charrnn.neurons.explain.memory import Memory
from charrnn.neurons.explain.rule import Rule
from charrnn.neurons.explain.switches import Switch
from charrnn.neurons.report import (
    Claim,
    Effect,
    FeatureTrack,
    Group,
    OverTime,
    Peak,
    Report,
    Saturation,
    ShownUnit,
)
from charrnn.text.display import shown

HOSTILE = (
    "</script><script>document.title='owned'</script>\n"
    "<img src=x onerror=\"document.title='owned'\">\n"
    "<!-- & &amp; \x00\x1b[31m\t\r\n"
    "\u202eevil\u202c\u2066x\u2069 \u2028\u2029 e\u0301 🙂 𝄞 \ud800 ]]>\n"
)


def explanation(where: str = 'at ‘"’') -> Explanation:
    """An explanation that is made up, with a switch."""
    return Explanation(
        is_claimed=True,
        has_gates=True,
        layer=0,
        layers=1,
        saturated_at=None,
        switches=[Switch(where, 1.21, 33, "input gate", 0.9, forgets=False)],
        rule=Rule(-0.5, ["+1.40 inside quotes"], 0.97, 0.3, 0.6),
        memory=Memory(34.2, 2.1, 0.8),
        effect=None,
        sources=[],
        readers=[],
        output=[],
    )


def over_time(units: int = 3) -> OverTime:
    """Three snapshots; the cells come to follow their features one after the other."""
    rows = ([0.1, 0.6, 0.8, 0.9], [0.2, 0.7, 0.4, 0.6], [-0.2, 0.1, 0.2, 0.1])
    return OverTime(
        [0, 100, 2000], [6.0, 4.0, 3.0, 2.5], {(0, unit): rows[unit % 3] for unit in range(units)}
    )


def report(text: str = 'He said "no".\n' * 4, units: int = 3, **changes: Any) -> Report:
    """A report on a text, with a few units of one layer."""
    rng = np.random.default_rng(131)
    N = len(text)
    quotes = np.cumsum([character == '"' for character in text]) % 2 == 1
    effect = Effect(0.01, 0.005, 0.02, 0.1, 0.05, 0.2, used=True)
    claims = [
        Claim("quotes", "flag", 0.9, 0.8, 0.7, 0.005, 0.3, "state cell", "", effect),
        Claim("line position", "number", -0.6, -0.5, None, 0.01, 0.2, "state cell", "", None),
        Claim("quotes", "flag", 0.1, None, None, None, 0.3, "unexplained", "too small", None),
    ]
    peak = Peak(0.9, "bef<ore", "&", "after</b>")
    shown_units = [
        ShownUnit(
            layer=0,
            unit=unit,
            values=rng.uniform(-1, 1, N).astype(np.float32),
            claim=claims[unit % 3],
            histogram_on=rng.integers(9, size=40).tolist(),
            histogram_off=rng.integers(9, size=40).tolist(),
            highest=[peak] * 10,
            lowest=[peak] * 10,
        )
        for unit in range(units)
    ]
    characters = [shown(character) for character in text]
    table = [(unit.layer, unit.unit, claims[number % 3]) for number, unit in enumerate(shown_units)]
    quote_cells, position_cells = (
        [cell for cell in table if cell[2] is claims[number]] for number in (0, 1)
    )
    repeats = [None, *[(0, 0)] * (len(quote_cells) - 1)]
    together = Effect(0.03, 0.02, 0.04, 0.3, 0.2, 0.4, used=True)
    groups = [
        Group("quotes", "in quotes", quote_cells, repeats, together),
        Group("line position", "", position_cells, [None] * len(position_cells), None),
    ]
    values: dict[str, Any] = {
        "title": "a.npz: a.txt",
        "model": {"cell": "lstm", "layers": 1, "hidden_size": units, "weights": 1234},
        "state": "tanh(c)",
        "characters": characters,
        "ends_line": [character == "\n" for character in text],
        "predictions": [
            [(symbol, p) for symbol, p in zip("e<&·↵", (0.6, 0.2, 0.1, 0.05, 0.01), strict=True)]
            for _ in text
        ],
        "units": shown_units,
        "features": [
            FeatureTrack("quotes", "flag", "in quotes", quotes.astype(np.float32)),
            FeatureTrack("line position", "number", "", np.arange(N, dtype=np.float32) % 14),
        ],
        "table": table,
        "groups": [group for group in groups if group.cells],
        "saturation": [Saturation(0, gate, rng.random(units), rng.random(units)) for gate in "ifo"],
        "explained": 0.5,
        "notes": ["a note <b>"],
        "palette": "blue-red",
    }
    return Report(**values | changes)
