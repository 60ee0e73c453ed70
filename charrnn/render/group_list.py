"""The cells of a report by feature, as a list of groups that open, without any script."""

from collections.abc import Iterator, Sequence

from charrnn.neurons.groups import ALIKE
from charrnn.neurons.report import Cell, Claim, Effect, Group, Report, number
from charrnn.render.document import text
from charrnn.render.learning_curves import over_time_card

Unit = tuple[int, int]

COLUMNS = (
    "unit", "feature", "score", "equal characters", "overlap", "untrained", "p", "bits",
    "bits where on", "alike", "what",
)  # fmt: skip


def group_list(report: Report, opened: Sequence[str]) -> Iterator[str]:
    """A card with a group for each feature that cells follow, and one of all other cells; `opened`
    groups are open, or else the first."""
    if not report.groups:
        return
    shown = {(unit.layer, unit.unit) for unit in report.units}
    claimed = [group for group in report.groups if group.claimed]
    names = list(opened) or [group.feature for group in claimed[:1]]
    yield '<section class="card groups"><h2>what cells follow</h2>'
    yield (
        '<p class="hint">Numbers come from the second half of the text; cells that have a link are '
        "on this page. Features that untrained networks follow as well come last.</p>"
    )
    for group in claimed:
        yield from _group(group, shown, is_open=group.feature in names)
    others = [cell for cell in report.table if not cell[2].is_explained]
    if others:
        opens = any(name not in {group.feature for group in claimed} for name in names)
        count = f"{len(others)} cell{'' if len(others) == 1 else 's'}"
        yield f"<details{' open' if opens or not claimed else ''}><summary><b>unexplained</b> "
        yield f"<span>{count} without a claim</span></summary>"
        yield from _table("unexplained cells", others, [None] * len(others), shown)
        yield "</details>"
    yield "</section>"
    if report.over_time is not None:
        yield from over_time_card(report.over_time, report.cells_in_table(len(report.groups)))


def _group(group: Group, shown: set[Unit], *, is_open: bool) -> Iterator[str]:
    layer, unit, best = group.cells[0]
    alike = group.near_duplicates
    parts = [
        f"{group.claimed} cell{'' if group.claimed == 1 else 's'}"
        + (f", {alike} alike" if alike else ""),
        f"best L{layer}:{unit} {best.score:+.2f}",
        f"untrained {best.untrained:.2f}",
        _cost("the best", best.effect),
        _cost("them all", group.effect) if group.claimed > 1 else "",
    ]
    yield f"<details{' open' if is_open else ''}><summary><b>{text(group.feature)}</b> "
    yield " ".join(f"<span>{text(part)}</span>" for part in parts)
    yield f'</summary><p class="hint">{text(_explained(group))}</p>'
    yield from _table(f"cells that follow {group.feature}", group.cells, group.alike, shown)
    yield "</details>"


def _cost(what: str, effect: Effect | None) -> str:
    if effect is None:
        return ""
    return f"without {what} {effect.bits:+.4f} bits{', used' if effect.used else ''}"


def _explained(group: Group) -> str:
    """The feature, and what it costs to be without its cells."""
    words = group.description
    if group.best.is_trivial:
        words += "; an untrained cell follows it, too"
    if group.effect is not None:
        on = number(group.effect.bits_on, "+.3f")
        many = "these cells" if group.claimed > 1 else "this cell"
        words += (
            f"; held at the mean, {many} cost{'' if group.claimed > 1 else 's'} "
            f"{group.effect.bits:+.4f} bits a character ({group.effect.low:+.4f} to "
            f"{group.effect.high:+.4f})" + (f", {on} where the feature is on" if on else "")
        )
    if group.near_duplicates:
        words += f"; alike: a cell with nearly the same activations (|r| > {ALIKE})"
    return words


def _table(
    caption: str, cells: Sequence[Cell], alike: Sequence[Unit | None], shown: set[Unit]
) -> Iterator[str]:
    yield f'<div class="scroll" tabindex="0" role="region" aria-label="{text(caption)}"><table>'
    yield f'<caption class="sr">{text(caption)}</caption><thead><tr>'
    yield from (f'<th scope="col">{name}</th>' for name in COLUMNS)
    yield "</tr></thead><tbody>"
    for (layer, unit, claim), other in zip(cells, alike, strict=True):
        name = f"L{layer}:{unit}"
        link = f'<a href="#{name}">{name}</a>' if (layer, unit) in shown else name
        yield f'<tr><th scope="row">{link}</th>{_cells(claim, other)}</tr>'
    yield "</tbody></table></div>"


def _cells(claim: Claim, other: Unit | None) -> str:
    effect = claim.effect
    cells = (
        claim.feature,
        number(claim.score, "+.2f"),
        number(claim.within_character, "+.2f"),
        number(claim.iou, ".2f"),
        number(claim.untrained, ".2f"),
        number(claim.p, ".3f"),
        number(effect.bits if effect else None, "+.4f"),
        number(effect.bits_on if effect else None, "+.3f"),
        f"L{other[0]}:{other[1]}" if other else "",
        claim.verdict,
    )
    return "".join(f"<td>{text(cell)}</td>" for cell in cells)
