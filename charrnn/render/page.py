"""What single units of a network do, as one self-contained HTML page to explore.

The text comes as it is shown (`charrnn.text.display`), escaped, and coloured without any script.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from charrnn.neurons.report import Claim, FeatureTrack, Report, ShownUnit, quantized
from charrnn.neurons.report_json import as_json
from charrnn.render.document import (
    SHADES,
    base64_of,
    document,
    embedded_json,
    legend,
    part,
    shade_class,
    shade_rules,
    text,
)
from charrnn.render.group_list import group_list

SCRIPTS = ("elements.js", "text_view.js", "page.js")


def page(report: Report, opened: Sequence[str] = ()) -> str:
    """The page, on which the groups of the `opened` features are open, or else the first one; the
    same report makes the same page."""
    return document(
        title=f"{report.title} · neurons",
        style=part("page.css") + shade_rules(report.palette),
        body=_body(report, opened),
        data=[("data", "application/json", embedded_json(_data(report)))],
        script="\n".join(part(name) for name in SCRIPTS),
    )


def _body(report: Report, opened: Sequence[str]) -> Iterator[str]:
    facts = " · ".join(f"{name.replace('_', ' ')} {value}" for name, value in report.model.items())
    first = report.units[0]
    yield "<header>"
    yield f"<h1>{text(report.title)}</h1>"
    yield (
        f'<p class="facts">{text(facts)} · shown: {text(report.state)}, −1 to 1 · '
        f"{report.explained:.0%} of {len(report.table)} units explained</p>"
    )
    yield from (f'<p class="note">{text(note)}</p>' for note in report.notes)
    yield '<div class="controls" data-live hidden>'
    yield '<label>feature below the text <select id="feature"></select></label>'
    yield '<label><input type="checkbox" id="marks"> mark the sign</label>'
    yield '<button type="button" id="theme">light or dark</button>'
    yield f'<span class="legend">−1 {legend()} 1</span>'
    yield "</div></header>"
    yield '<div class="layout"><aside aria-label="units" data-live hidden>'
    yield '<label>search <input type="search" id="search" placeholder="quotes, L1:4 …"></label>'
    yield '<p class="hint" id="found" aria-live="polite"></p>'
    yield '<ol id="units"></ol></aside><main>'
    yield '<section class="card" aria-labelledby="heading">'
    yield f'<h2 id="heading">unit <span id="which">L{first.layer}:{first.unit}</span></h2>'
    yield f'<p class="facts" id="about">{text(_about(first.claim))}</p>'
    yield (
        '<p class="hint" data-live hidden>Point at a character, or use ← → in the text and ↑ ↓ for '
        "other units; / searches.</p>"
    )
    yield (
        '<div id="text" tabindex="0" role="group" '
        'aria-label="the text; arrow keys move through it">'
        f"{''.join(_spans(report))}</div></section>"
    )
    yield from _in_words(report)
    yield from _LIVE
    yield from group_list(report, opened)
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
    '<section class="card"><h2>highest values</h2>',
    '<ol class="peaks" id="highest"></ol></section>',
    '<section class="card"><h2>lowest values</h2>',
    '<ol class="peaks" id="lowest"></ol></section>',
    '<section class="card" id="saturation"><h2>gates closed and open</h2>',
    '<label>gate <select id="gate"></select></label><div id="scatter"></div>',
    '<details><summary>as a table</summary><div class="scroll" tabindex="0" role="region" '
    'aria-label="gates as a table"><table><caption>share of time below 0.1 and above 0.9</caption>',
    '<thead><tr><th scope="col">unit</th><th scope="col">gate</th><th scope="col">closed</th>',
    '<th scope="col">open</th></tr></thead><tbody id="saturation-rows"></tbody></table></div>',
    "</details></section></div>",
)


def _in_words(report: Report) -> Iterator[str]:
    """The explanation of the first unit, and a place for those of the others."""
    if all(unit.explanation is None for unit in report.units):
        return
    first = report.units[0].explanation
    hidden = " hidden" if first is None else ""
    yield f'<section class="card" id="explanation" aria-labelledby="in-words"{hidden}>'
    yield '<h2 id="in-words">in words</h2><dl id="words">'
    for heading, words in first.paragraphs() if first is not None else ():
        yield f"<dt>{text(heading)}</dt><dd>{text(words)}</dd>"
    yield '</dl><p class="hint">Descriptions, measured on text on which nothing was chosen.</p>'
    yield "</section>"


def _spans(report: Report) -> Iterator[str]:
    """The first unit's text, as it stands without any script."""
    first = report.units[0]
    track = _first_track(report)
    for place, (symbol, q) in enumerate(zip(report.characters, shades(first.values), strict=True)):
        sign = " plus" if q > 0 else " minus" if q < 0 else ""
        below = "" if track is None else _track_class(track, place)
        yield f'<span class="c {shade_class(q)}{sign}{below}">{text(symbol)}</span>'
        if report.ends_line[place]:
            yield "<br>"


def shades(values: ArrayLike) -> list[int]:
    """The shades (N,) of values in [−1, 1], from −`SHADES` to `SHADES`: of the whole numbers that
    the page's data has for them, rounded half up as its script does."""
    whole = quantized(values).astype(np.int64) * SHADES
    found: list[int] = np.floor(whole / 127 + 0.5).astype(np.int64).tolist()
    return found


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


def _about(claim: Claim | None) -> str:
    if claim is None:
        return "no search was made"
    return f"{claim.label} · {claim.feature} {claim.score:+.2f}"


def _words(unit: ShownUnit) -> list[tuple[str, str]]:
    return [] if unit.explanation is None else unit.explanation.paragraphs()


def _data(report: Report) -> dict[str, Any]:
    """What the script reads: numbers as bytes in base64."""
    whole = as_json(report)
    symbols = sorted({symbol for row in report.predictions for symbol, _ in row})
    place = {symbol: number for number, symbol in enumerate(symbols)}
    top = max((len(row) for row in report.predictions), default=0)
    return {
        "units": [
            entry | {"values": base64_of(quantized(unit.values)), "explanation": _words(unit)}
            for entry, unit in zip(whole["units"], report.units, strict=True)
        ],
        "features": [
            entry | {"track": base64_of(_packed(feature))}
            for entry, feature in zip(whole["features"], report.features, strict=True)
        ],
        "saturation": whole["saturation"],
        "length": len(report.characters),
        "top": top,
        "symbols": symbols,
        "predicted": base64_of(
            np.array([[place[s] for s, _ in row] for row in report.predictions], "<u2")
        ),
        "chances": base64_of(
            np.rint([[p * 255 for _, p in row] for row in report.predictions]).astype(np.uint8)
        ),
    }
