"""One self-contained HTML page: it needs no network, and runs no code but its own.

The text comes as it is shown (`charrnn.text.display`), escaped; the data as JSON in which nothing
can end the element that it stands in. A content security policy allows the page's own style and
script by their hashes, and nothing else at all.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from charrnn.neurons.report import Claim, FeatureTrack, Report, number, quantized
from charrnn.render.palettes import color, ink

SHADES = 20
"""Of a colour, to either side of the middle."""


def page(report: Report) -> str:
    """The page; the same report makes the same page."""
    style = _read("page.css") + "\n".join(_shades(report.palette)) + "\n"
    script = _read("page.js")
    policy = (
        "default-src 'none'; "
        f"style-src 'sha256-{_hash(style)}'; script-src 'sha256-{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_text(report.title)} · neurons</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            *_body(report),
            f'<script type="application/json" id="data">{_embedded(_data(report))}</script>',
            f"<script>{script}</script>",
            "</body>",
            "</html>",
            "",
        )
    )


def _body(report: Report) -> Iterator[str]:
    facts = " · ".join(f"{name.replace('_', ' ')} {value}" for name, value in report.model.items())
    first = report.units[0]
    yield "<header>"
    yield f"<h1>{_text(report.title)}</h1>"
    yield (
        f'<p class="facts">{_text(facts)} · shown: {_text(report.state)}, −1 to 1 · '
        f"{report.explained:.0%} of {len(report.table)} units explained</p>"
    )
    yield from (f'<p class="note">{_text(note)}</p>' for note in report.notes)
    yield '<div class="controls" data-live hidden>'
    yield '<label>feature below the text <select id="feature"></select></label>'
    yield '<label><input type="checkbox" id="marks"> mark the sign</label>'
    yield '<button type="button" id="theme">light or dark</button>'
    yield f'<span class="legend">−1 {_legend()} 1</span>'
    yield "</div></header>"
    yield '<div class="layout"><aside aria-label="units" data-live hidden>'
    yield '<label>search <input type="search" id="search" placeholder="quotes, L1:4 …"></label>'
    yield '<p class="hint" id="found" aria-live="polite"></p>'
    yield '<ol id="units"></ol></aside><main>'
    yield '<section class="card" aria-labelledby="heading">'
    yield f'<h2 id="heading">unit <span id="which">L{first.layer}:{first.unit}</span></h2>'
    yield f'<p class="facts" id="about">{_text(_about(first.claim))}</p>'
    yield (
        '<p class="hint" data-live hidden>Point at a character, or use ← → in the text and ↑ ↓ for '
        "other units; / searches.</p>"
    )
    yield (
        '<div id="text" tabindex="0" role="group" '
        'aria-label="the text; arrow keys move through it">'
        f"{''.join(_spans(report))}</div></section>"
    )
    yield from _LIVE
    yield from _table(report)
    yield "</main></div>"


_LIVE = (
    '<section class="card" id="now" aria-label="at this character" data-live hidden>',
    '<dl><dt>character</dt><dd id="character"></dd><dt>place</dt><dd id="place"></dd>',
    '<dt>value</dt><dd id="value"></dd><dt>features</dt><dd id="follows"></dd></dl>',
    '<div><p class="hint">what may come next</p><ol id="predictions"></ol></div></section>',
    '<p class="sr" id="said" aria-live="polite"></p>',
    '<div class="two" data-live hidden>',
    '<section class="card"><h2>its values, feature on and off</h2><div id="histogram"></div>',
    '<p class="hint">on the second half of the text; heights are roots of counts</p></section>',
    '<section class="card"><h2>highest moments</h2>',
    '<ol class="moments" id="highest"></ol></section>',
    '<section class="card"><h2>lowest moments</h2>',
    '<ol class="moments" id="lowest"></ol></section>',
    '<section class="card" id="saturation"><h2>gates shut and open</h2>',
    '<label>gate <select id="gate"></select></label><div id="scatter"></div>',
    '<details><summary>as a table</summary><div class="scroll" tabindex="0" role="region" '
    'aria-label="gates as a table"><table><caption>share of time below 0.1 and above 0.9</caption>',
    '<thead><tr><th scope="col">unit</th><th scope="col">gate</th><th scope="col">shut</th>',
    '<th scope="col">open</th></tr></thead><tbody id="saturation-rows"></tbody></table></div>',
    "</details></section></div>",
)


def _spans(report: Report) -> Iterator[str]:
    """The first unit's text, as it stands without any script."""
    first = report.units[0]
    track = _first_track(report)
    for place, (symbol, q) in enumerate(zip(report.characters, shades(first.values), strict=True)):
        sign = " plus" if q > 0 else " minus" if q < 0 else ""
        below = "" if track is None else _track_class(track, place)
        yield f'<span class="c {shade_class(q)}{sign}{below}">{_text(symbol)}</span>'
        if report.ends_line[place]:
            yield "<br>"


def shades(values: ArrayLike) -> list[int]:
    """The shades (N,) of values in [−1, 1], from −`SHADES` to `SHADES`: of the whole numbers that
    the page's data has for them, rounded half up as its script does."""
    whole = quantized(values).astype(np.int64) * SHADES
    found: list[int] = np.floor(whole / 127 + 0.5).astype(np.int64).tolist()
    return found


def shade_class(shade: int) -> str:
    return f"v{shade}" if shade >= 0 else f"vm{-shade}"


def _first_track(report: Report) -> FeatureTrack | None:
    claim = report.units[0].claim
    named = [f for f in report.features if claim is not None and f.name == claim.feature]
    return named[0] if named else None


def _track_class(feature: FeatureTrack, number: int) -> str:
    if feature.kind == "flag":
        return " on" if feature.track[number] else ""
    value = int(_track_bytes(feature)[number])
    return f" t{min(4, 1 + (value >> 6))}" if value else ""


def _track_bytes(feature: FeatureTrack) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A track (N,) as bytes: flags as 0 and 1, numbers as shares of their largest, 0 to 255."""
    if feature.kind == "flag":
        return feature.track.astype(np.uint8)
    largest = max(float(feature.track.max(initial=0)), 1.0)
    return np.ceil(feature.track.clip(0) / largest * 255).astype(np.uint8)


def _packed(feature: FeatureTrack) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The bytes of a track, eight flags in one."""
    track = _track_bytes(feature)
    return np.packbits(track, bitorder="little") if feature.kind == "flag" else track


def _legend() -> str:
    return "".join(f'<i class="{shade_class(q)}"></i>' for q in range(-SHADES, SHADES + 1, 5))


def _table(report: Report) -> Iterator[str]:
    if not report.table:
        return
    shown = {(unit.layer, unit.unit) for unit in report.units}
    yield '<section class="card"><h2>all units</h2><div class="scroll" tabindex="0" role="region" '
    yield 'aria-label="all units"><table>'
    yield (
        "<caption>Numbers come from the second half of the text; units that have a link are on "
        "this page.</caption><thead><tr>"
    )
    for name in (
        "unit", "feature", "score", "equal characters", "overlap", "fresh", "p", "bits",
        "bits where on", "what",
    ):  # fmt: skip
        yield f'<th scope="col">{name}</th>'
    yield "</tr></thead><tbody>"
    for layer, unit, claim in report.table:
        name = f"L{layer}:{unit}"
        link = f'<a href="#{name}">{name}</a>' if (layer, unit) in shown else name
        yield f'<tr><th scope="row">{link}</th>{_cells(claim)}</tr>'
    yield "</tbody></table></div></section>"


def _cells(claim: Claim) -> str:
    effect = claim.effect
    cells = (
        claim.feature,
        number(claim.score, "+.2f"),
        number(claim.within_character, "+.2f"),
        number(claim.iou, ".2f"),
        number(claim.twins, ".2f"),
        number(claim.p, ".3f"),
        number(effect.bits if effect else None, "+.4f"),
        number(effect.bits_on if effect else None, "+.3f"),
        claim.verdict,
    )
    return "".join(f"<td>{_text(cell)}</td>" for cell in cells)


def _about(claim: Claim | None) -> str:
    if claim is None:
        return "no search was made"
    return f"{claim.label} · {claim.feature} {claim.score:+.2f}"


def _data(report: Report) -> dict[str, Any]:
    """What the script reads: numbers as bytes in base64."""
    whole = report.to_json()
    symbols = sorted({symbol for row in report.predictions for symbol, _ in row})
    place = {symbol: number for number, symbol in enumerate(symbols)}
    top = max((len(row) for row in report.predictions), default=0)
    return {
        "units": [
            entry | {"values": _base64(quantized(unit.values))}
            for entry, unit in zip(whole["units"], report.units, strict=True)
        ],
        "features": [
            entry | {"track": _base64(_packed(feature))}
            for entry, feature in zip(whole["features"], report.features, strict=True)
        ],
        "saturation": whole["saturation"],
        "length": len(report.characters),
        "top": top,
        "symbols": symbols,
        "predicted": _base64(
            np.array([[place[s] for s, _ in row] for row in report.predictions], "<u2")
        ),
        "chances": _base64(
            np.rint([[p * 255 for _, p in row] for row in report.predictions]).astype(np.uint8)
        ),
    }


def _base64(array: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(array.tobytes()).decode("ascii")


def _embedded(data: dict[str, Any]) -> str:
    """JSON of plain ASCII in which nothing opens or ends an element or a comment."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _text(text: str) -> str:
    """Text as HTML shows it, without what UTF-8 does not have."""
    return escape(text.encode("utf-8", "replace").decode("utf-8"))


def _shades(palette: str) -> Iterator[str]:
    """The colours of all shades, light and dark."""
    dark = ':root:not([data-theme="light"])'
    light_rules: list[tuple[str, str, str]] = []
    dark_rules: list[tuple[str, str, str]] = []
    for q in range(-SHADES, SHADES + 1):
        for rules, is_dark in ((light_rules, False), (dark_rules, True)):
            ground = color(q / SHADES, palette, dark=is_dark)
            rules.append((shade_class(q), _hex(ground), _hex(ink(ground))))
    yield from (f".{name}{{background:{ground};color:{on}}}" for name, ground, on in light_rules)
    yield "@media (prefers-color-scheme: dark) {"
    yield from (f"{dark} .{name}{{background:{g};color:{on}}}" for name, g, on in dark_rules)
    yield "}"
    chosen = ':root[data-theme="dark"]'
    yield from (f"{chosen} .{name}{{background:{g};color:{on}}}" for name, g, on in dark_rules)


def _hex(ground: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*ground)


def _read(name: str) -> str:
    return (files("charrnn.render") / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
