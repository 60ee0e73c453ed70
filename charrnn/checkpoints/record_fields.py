"""The record of a training as a table: every field with its kind, its range and its default.

A field is one line of `RECORD`, or of a table that it refers to. Numbers outside their range are
damage: no training writes them, and none could go on with them.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from charrnn.errors import OptionError
from charrnn.options import TrainingOptions

Check = Callable[[str, Any], None]
"""Takes the name of a value and the value; raises ValueError for a value that does not fit."""

MOST_STEPS = 10**15
"""A million steps a second for thirty years."""
MOST_RANKS = 10**6
MOST_CHARACTERS = 10**18
MOST_SECONDS = 1e12
"""Thirty thousand years; a budget has at most 1e9 minutes."""
MOST_HALVINGS = 10_000
"""0.5 to the power of 1,075 is 0."""
LONGEST_TEXT = 100_000
"""Characters of a name or a path."""
LARGEST = sys.float_info.max


def whole(lowest: int, highest: int) -> Check:
    def check(name: str, value: Any) -> None:
        if type(value) is not int or not lowest <= value <= highest:
            raise ValueError(f"{name} is not a whole number from {lowest} to {highest:.3g}")

    return check


def number(lowest: float, highest: float = LARGEST) -> Check:
    def check(name: str, value: Any) -> None:
        # NaN is not in any range
        if type(value) not in (int, float) or not lowest <= value <= highest:
            raise ValueError(f"{name} is not a number from {lowest:g} to {highest:.3g}")

    return check


def text(name: str, value: Any) -> None:
    if type(value) is not str or len(value) > LONGEST_TEXT:
        raise ValueError(f"{name} is not a text of at most {LONGEST_TEXT} characters")


def true_or_false(name: str, value: Any) -> None:
    if type(value) is not bool:
        raise ValueError(f"{name} is neither true nor false")


def or_null(check: Check) -> Check:
    def check_or_null(name: str, value: Any) -> None:
        if value is not None:
            check(name, value)

    return check_or_null


def list_of(check: Check) -> Check:
    def check_list(name: str, value: Any) -> None:
        if type(value) is not list:
            raise ValueError(f"{name} is not a list")
        for index, item in enumerate(value):
            check(f"{name}[{index}]", item)

    return check_list


def options(name: str, value: Any) -> None:
    """The options of a training; those that only a newer version knows are passed over."""
    if type(value) is not dict:
        raise ValueError(f"{name} is not an object")
    known = {field.name for field in fields(TrainingOptions)} & set(value)
    try:
        TrainingOptions(**{name: value[name] for name in known})
    except (OptionError, TypeError) as error:
        raise ValueError(f"its options make no sense: {error}") from error


REQUIRED = object()
"""Instead of a default: no training can go on without the field."""
LEFT_OUT = object()
"""Instead of a default: the field may be missing, and stays so."""


@dataclass(frozen=True)
class Field:
    """An entry of an object in the header, and what older versions mean by leaving it out."""

    name: str
    check: Check
    default: Any = REQUIRED


def complete(table: tuple[Field, ...]) -> Check:
    """An object with all the fields of the table that have no default, each within its range."""

    def check(name: str, value: Any) -> None:
        if type(value) is not dict:
            raise ValueError(f"{name} is not an object")
        for field in table:
            if field.name in value:
                field.check(f"{name}.{field.name}", value[field.name])
            elif field.default is REQUIRED:
                raise ValueError(f"{name} has no {field.name}")

    return check


CORPUS = (
    Field("name", text),
    Field("sha256", text),
    Field("symbols", whole(2, MOST_CHARACTERS)),
    Field("encoding", or_null(text), None),
    Field("sources", list_of(text), []),
)

HISTORY_ENTRY = (
    Field("step", whole(1, MOST_STEPS)),
    Field("characters", whole(1, MOST_CHARACTERS)),
    Field("epoch", number(0)),
    Field("progress", number(0, 1), LEFT_OUT),
    Field("loss", number(0)),
    Field("validation_loss", or_null(number(0))),
    Field("learning_rate", number(0)),
    Field("gradient_norm", number(0), LEFT_OUT),
    Field("characters_per_second", number(0)),
    Field("seconds", number(0, MOST_SECONDS)),
)

SNAPSHOT = (
    Field("step", whole(0, MOST_STEPS)),
    Field("sha256", text),
)

RECORD = (
    Field("corpus", complete(CORPUS)),
    Field("options", options),
    Field("ranks", whole(1, MOST_RANKS), 1),
    Field("step", whole(0, MOST_STEPS)),
    Field("seconds", number(0, MOST_SECONDS)),
    Field("history", list_of(complete(HISTORY_ENTRY))),
    Field("best_loss", or_null(number(0))),
    Field("validation_loss", or_null(number(0))),
    Field("validation_seconds", number(0, MOST_SECONDS)),
    Field("stale_looks", whole(0, MOST_STEPS)),
    Field("test_loss", or_null(number(0))),
    Field("finished", true_or_false, True),
    Field("smoothed", or_null(number(0))),
    Field("best_step", whole(0, MOST_STEPS), LEFT_OUT),
    Field("good_step", whole(0, MOST_STEPS), LEFT_OUT),
    Field("moments_since", whole(0, MOST_STEPS), LEFT_OUT),
    Field("optimizer_steps", whole(0, MOST_STEPS), LEFT_OUT),
    Field("halvings", whole(0, MOST_HALVINGS)),
    Field("rescues", whole(0, MOST_HALVINGS)),
    Field("watch_recent", or_null(number(0)), None),
    Field("watch_lowest", or_null(number(0)), None),
    Field("snapshots", list_of(complete(SNAPSHOT)), []),
)
"""What a training writes down about itself. Losses are in nats per symbol."""
EARLIER_STEPS = ("best_step", "good_step", "moments_since")
"""Fields that name a step of the past."""


def check_fields(record: Mapping[str, Any]) -> None:
    """Raise ValueError for a record with a field that does not fit. Fields may be missing, as in
    the header of a model without its training."""
    for field in RECORD:
        if field.name in record:
            field.check(field.name, record[field.name])
    step = record.get("step", MOST_STEPS)
    for name in EARLIER_STEPS:
        if record.get(name, 0) > step:
            raise ValueError(f"{name} is beyond step, {step}")
    if "step" in record and record.get("optimizer_steps", step) != step:
        raise ValueError(f"optimizer_steps is not the same as step, {step}")


def with_defaults(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with what older versions leave out. Raises ValueError where a field is missing
    that every version writes."""
    filled = dict(record)
    for field in RECORD:
        if field.name in filled or field.default is LEFT_OUT:
            continue
        if field.default is REQUIRED:
            raise ValueError(f"there is no {field.name}")
        filled[field.name] = field.default
    return filled
