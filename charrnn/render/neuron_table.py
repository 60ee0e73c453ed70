"""The table of a report on cells in lines of text: a line for each feature, or all cells of one."""

import textwrap
from collections.abc import Iterator, Sequence

from charrnn.neurons.claims import SMALLEST_SCORE
from charrnn.neurons.groups import ALIKE
from charrnn.neurons.report import Effect, Group, Report, number
from charrnn.render.columns import NAME_WIDTH, feature_column
from charrnn.render.learning_curves import over_time_lines


def table(report: Report, rows: int, width: int, opened: Sequence[str] = ()) -> Iterator[str]:
    """The groups of a report, in lines of at most `width` characters (80 at least): `rows` of them,
    or all cells of those that are `opened`, by the names of their features. A legend follows, and
    the notes of the report."""
    if opened:
        of_feature = {group.feature: group for group in report.groups}
        for name in opened:
            yield from _cells(name, of_feature.get(name), width)
    else:
        yield _HEADER
        yield from (_line(group) for group in report.groups_in_table[:rows])
    if report.over_time is not None:
        cells = report.cells_in_table(rows, opened)
        yield from over_time_lines(report.over_time, cells)
    for paragraph in (_legend(report, opened), *report.notes):
        yield from textwrap.wrap(paragraph, width)
    yield ""


_HEADER = (
    f"{'feature':{NAME_WIDTH}}  {'cells':>5}  {'alike':>5}  {'best':>7}  {'score':>5}  "
    f"{'untrained':>9}  {'cost':>8}  {'all cost':>8}"
)


def _line(group: Group) -> str:
    layer, unit, best = group.cells[0]
    return (
        f"{feature_column(group.feature)}  {group.claimed:>5}  {group.near_duplicates or '':>5}  "
        f"{f'L{layer}:{unit}':>7}  {best.score:>+5.2f}  {best.untrained:>9.2f}  "
        f"{_cost(best.effect):>8}  {_cost(group.effect):>8}"
    ).rstrip()


def _cost(effect: Effect | None) -> str:
    """The bits that an ablation costs, with a star where its interval lies above 0."""
    return "" if effect is None else f"{effect.bits:+.4f}{'*' if effect.low > 0 else ' '}"


def _cells(name: str, group: Group | None, width: int) -> Iterator[str]:
    """All cells of a group."""
    if group is None:
        yield from textwrap.wrap(
            f"{name}: no cell follows it better than all other features", width
        )
        yield ""
        return
    together = ""
    if group.effect is not None:
        on = number(group.effect.bits_on, "+.3f")
        together = f"; held at their means together they cost {group.effect.bits:+.4f} bits"
        together += f", {on} where it is on" if on else ""
    yield from textwrap.wrap(f"{name} ({group.description}){together}", width)
    yield (
        f"{'unit':>7}  {'score':>5}  {'within':>6}  {'IoU':>4}  {'p':>5}  {'bits':>7}  "
        f"{'bits on':>7}  {'alike':>7}  verdict"
    )
    for (layer, unit, claim), other in zip(group.cells, group.alike, strict=True):
        effect = claim.effect
        yield (
            f"{f'L{layer}:{unit}':>7}  {claim.score:>+5.2f}  "
            f"{number(claim.within_character, '+.2f'):>6}  {number(claim.iou, '.2f'):>4}  "
            f"{number(claim.p, '.3f'):>5}  {number(effect.bits if effect else None, '+.4f'):>7}  "
            f"{number(effect.bits_on if effect else None, '+.3f'):>7}  "
            f"{f'L{other[0]}:{other[1]}' if other else '':>7}  {claim.verdict}"
        )


def _legend(report: Report, opened: Sequence[str]) -> str:
    """What the columns mean, and how much was found."""
    claimed = sum(group.claimed > 0 for group in report.groups)
    claims = sum(claim.is_explained for _, _, claim in report.table)
    legend = (
        f"{claims} of {len(report.table)} units explained ({report.explained:.0%}), by {claimed} "
        f"{'feature' if claimed == 1 else 'features'}. "
    )
    if opened:
        return legend + (
            "score: on the second half; within: among equal characters; IoU: overlap of the "
            "feature with the cell above a threshold; bits: what ablation costs per character, "
            "overall and where the feature is on; alike: a cell with nearly the same activations "
            f"(|r| > {ALIKE})"
        )
    return legend + (
        f"cells: those that follow the feature; alike: those of them that are near-duplicates of a "
        f"better one (|r| > {ALIKE}); score: of the best cell, on the second half; untrained: the "
        "best cell of untrained networks; cost: bits per character that it costs to hold the best "
        "cell, or all of them at once, at the mean (* where its interval lies above 0). Features "
        f"that an untrained cell follows by {SMALLEST_SCORE} or more come last. --feature NAME "
        "lists the cells of a feature."
    )
