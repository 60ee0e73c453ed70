"""How cells came to follow their features: sparklines for a terminal, curves for a page."""

import math
from collections.abc import Iterator, Sequence

from charrnn.neurons.claims import SMALLEST_SCORE
from charrnn.neurons.report import Cell, OverTime
from charrnn.render.columns import feature_column
from charrnn.render.document import text
from charrnn.render.sparklines import shares, sparkline

STEP, HEIGHT, MARGIN = 6, 22, 2
"""Of a curve, in pixels: between two values, from the lowest to the highest, around it."""


def over_time_lines(over_time: OverTime, cells: Sequence[Cell]) -> Iterator[str]:
    """A line for each of the cells, with its score in all snapshots and in the model; then one for
    the loss."""
    yield ""
    yield f"score in {_snapshots(over_time)}, bars from 0 to 1"
    for layer, unit, claim in cells:
        bars = sparkline(over_time.scores[layer, unit], 0, 1)
        yield (
            f"{feature_column(claim.feature)}  {f'L{layer}:{unit}':>7}  {bars}  "
            f"{_since(over_time, layer, unit)}"
        ).rstrip()
    loss = feature_column("loss on this text")
    yield f"{loss}  {'':>7}  {sparkline(over_time.losses)}  {_fall(over_time)}"
    yield ""


def over_time_card(over_time: OverTime, cells: Sequence[Cell]) -> Iterator[str]:
    """The same as a part of a page."""
    yield '<section class="card over-time"><h2>when it was learned</h2>'
    yield f'<p class="hint">score in {text(_snapshots(over_time))}, from 0 to 1</p><ul>'
    for layer, unit, claim in cells:
        yield f"<li><span>{text(claim.feature)}</span><span>L{layer}:{unit}</span>"
        yield score_curve(over_time, layer, unit)
        yield f"<span>{text(_since(over_time, layer, unit))}</span></li>"
    losses = ", ".join(f"{loss:.2f}" for loss in over_time.losses)
    yield "<li><span>loss on this text</span><span></span>"
    yield curve(over_time.losses, None, None, f"loss over time, in bits: {losses}")
    yield f"<span>{text(_fall(over_time))}</span></li></ul></section>"


def score_curve(over_time: OverTime, layer: int, unit: int) -> str:
    """The score of a cell as an element of a page."""
    scores = over_time.scores[layer, unit]
    listed = ", ".join(f"{score:.2f}" for score in scores)
    return curve(scores, 0, 1, f"score of L{layer}:{unit} over time: {listed}")


def curve(values: Sequence[float], low: float | None, high: float | None, label: str) -> str:
    """A line through the values as an element of a page, with a text for those who cannot see it;
    values that are not finite are left out."""
    points = " ".join(
        f"{n * STEP + MARGIN},{MARGIN + HEIGHT * (1 - share):.1f}"
        for n, share in enumerate(shares(values, low, high))
        if math.isfinite(share)
    )
    width = max(len(values) - 1, 1) * STEP + 2 * MARGIN
    return (
        f'<svg class="curve" viewBox="0 0 {width} {HEIGHT + 2 * MARGIN}" width="{width}" '
        f'height="{HEIGHT + 2 * MARGIN}" role="img" aria-label="{text(label)}">'
        f'<polyline points="{points}"/></svg>'
    )


def _snapshots(over_time: OverTime) -> str:
    count = len(over_time.steps)
    first, last = over_time.steps[0], over_time.steps[-1]
    if count == 1:
        return f"a snapshot of step {first:,}, and in the model"
    return f"{count} snapshots, of step {first:,} to {last:,}, and in the model"


def _since(over_time: OverTime, layer: int, unit: int) -> str:
    """When the cell had come to follow its feature."""
    step = over_time.since(layer, unit)
    return "" if step is None else f"{SMALLEST_SCORE} or more from step {step:,} on"


def _fall(over_time: OverTime) -> str:
    return f"{over_time.losses[0]:.2f} to {over_time.losses[-1]:.2f} bits per character"
