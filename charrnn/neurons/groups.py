"""Findings grouped by feature: the cells that follow the same thing, and what they cost together.

The groups with claims come first; of these, features that are not trivial for untrained networks
(`charrnn.neurons.report.Claim.is_trivial`); of these, the group with the largest score.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from charrnn.model import Model
from charrnn.neurons import effects
from charrnn.neurons.claims import Finding
from charrnn.neurons.features.registry import Feature
from charrnn.neurons.report import Claim, Effect, Group
from charrnn.neurons.scores import Floats
from charrnn.neurons.search import Search, characters
from charrnn.types import IdArray

ALIKE = 0.9
"""|r| between the activations of near-duplicates, more than."""
LARGEST_MEAN = 0.999
"""At which a unit is held: a cell state c is held by its tanh, which never is 1."""


def reported(effect: effects.Effect | None) -> Effect | None:
    return None if effect is None else Effect(**vars(effect), used=effect.is_used)


def claim(finding: Finding, effect: effects.Effect | None) -> Claim:
    """A finding with the effect of its ablation, for the report."""
    return Claim(
        feature=finding.feature.name,
        kind=finding.feature.kind,
        score=finding.score,
        within_character=finding.within,
        iou=finding.overlap,
        p=finding.p,
        untrained=finding.untrained,
        label=finding.label,
        reason=finding.reason,
        effect=reported(effect),
    )


def by_feature(found: Search) -> list[list[Finding]]:
    """The findings of each feature, the best first, in the order of the groups. Units without a
    claim count only where no unit of the feature has one."""
    members: dict[str, list[Finding]] = {}
    for finding in found.ranked():  # claims come first
        group = members.setdefault(finding.feature.name, [])
        if finding.is_claim or not group or not group[0].is_claim:
            group.append(finding)
    return sorted(members.values(), key=lambda group: _rank(group[0]))


def _rank(best: Finding) -> tuple[bool, bool, float]:
    return not best.is_claim, claim(best, None).is_trivial, -abs(best.score)


def groups(
    found: Search, model: Model, ids: IdArray, values: Floats, rng: np.random.Generator
) -> list[Group]:
    """The groups of all findings, with the effects of ablating all claimed cells of each at once,
    on the second half of the text `ids` (N,). `values` (L, N′, H) are the activations in that half,
    between −1 and 1."""
    members = by_feature(found)
    together = _joint_effects(found, model, ids, members, values, rng)
    return [
        Group(
            feature=group[0].feature.name,
            description=group[0].feature.description,
            cells=[
                (*found.place(one.unit), claim(one, found.effects.get(one.unit))) for one in group
            ],
            alike=_alike(found, group, values),
            effect=reported(together.get(group[0].feature.name)),
        )
        for group in members
    ]


def _alike(found: Search, group: Sequence[Finding], values: Floats) -> list[tuple[int, int] | None]:
    """The cell of which each cell of a group is a near-duplicate; None without claims."""
    if not group[0].is_claim:
        return [None] * len(group)
    places = _places(found, group)
    layers, units = zip(*places, strict=True)
    same = near_duplicates(values[list(layers), :, list(units)])
    return [None if number is None else places[number] for number in same]


def near_duplicates(values: Floats) -> list[int | None]:
    """For each unit of (U, N), the first one before it with |r| > `ALIKE` that is no near-duplicate
    itself; None if there is none. r is Pearson's correlation."""
    centred = values - values.mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
    norms = np.sqrt(np.einsum("un,un->u", centred, centred, dtype=np.float64))
    products = np.abs(centred @ centred.T)
    alike = products > ALIKE * np.outer(norms, norms)  # a constant is like nothing
    found: list[int | None] = []
    for unit in range(len(values)):
        originals = [n for n in range(unit) if found[n] is None and alike[unit, n]]
        found.append(originals[0] if originals else None)
    return found


def _joint_effects(
    found: Search,
    model: Model,
    ids: IdArray,
    members: Sequence[Sequence[Finding]],
    values: Floats,
    rng: np.random.Generator,
) -> dict[str, effects.Effect]:
    """The effect of holding all claimed cells of a feature at their means, by its name; empty where
    the effects of single cells were not measured."""
    if not found.effects:
        return {}
    half, text = found.halves[1], characters(model, ids)
    claimed = {group[0].feature.name: group for group in members if group[0].is_claim}
    alone = {
        name: found.effects[group[0].unit] for name, group in claimed.items() if len(group) == 1
    }
    joint = {name: group for name, group in claimed.items() if len(group) > 1}
    held = [
        {place: _mean(values, place) for place in _places(found, group)} for group in joint.values()
    ]
    tracks = [_flag(group[0].feature, text, half) for group in joint.values()]
    measured = effects.effects(model.network, ids[half], held, tracks, rng)
    return alone | dict(zip(joint, measured, strict=True))


def _flag(feature: Feature, text: str, half: slice) -> NDArray[np.bool_] | None:
    """Where the feature is on in that half; None for a number."""
    return feature.track(text)[half].astype(np.bool_) if feature.kind == "flag" else None


def _places(found: Search, group: Sequence[Finding]) -> list[tuple[int, int]]:
    return [found.place(one.unit) for one in group]


def _mean(values: Floats, place: tuple[int, int]) -> float:
    layer, unit = place
    mean = float(values[layer, :, unit].mean(dtype=np.float64))
    return min(max(mean, -LARGEST_MEAN), LARGEST_MEAN)
