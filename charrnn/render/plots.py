"""Plots of a training, drawn by matplotlib, which is an optional dependency."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from charrnn.errors import CharRNNError, OptionError

FORMATS = (".svg", ".png")


def check_plot(picture: Path) -> None:
    """Raise OptionError for a file name without a known format, and CharRNNError without
    matplotlib."""
    if picture.suffix.lower() not in FORMATS:
        raise OptionError(f"`picture` {picture}: name a file that ends in {' or '.join(FORMATS)}")
    try:
        import matplotlib  # noqa: F401  # is it installed?
    except ImportError as error:
        raise CharRNNError(
            "`picture` needs matplotlib: install it with pip install 'charrnn-numpy[plot]'"
        ) from error


def plot(
    path: Path,
    histories: Mapping[str, Sequence[Mapping[str, Any]]],
    flows: Mapping[str, NDArray[np.float64]],
) -> None:
    """Draw losses over characters and over time, and the learning rate, for several models by name.

    With `flows`, also draw the gradient norms (L, K + 1) of each model. Raises CharRNNError where
    the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 11 if flows else 9), layout="constrained")
    FigureCanvasAgg(figure)
    over_characters, over_time, rate, *more = figure.subplots(4 if flows else 3)
    for number, (name, history) in enumerate(histories.items()):
        _draw_history((over_characters, over_time, rate), name, history, f"C{number}")
    rate.set_xlabel("characters")
    rate.set_ylabel("learning rate")
    over_characters.set_title("training (pale) and validation loss")
    for axes in more:
        _draw_flows(axes, flows)
    for axes in figure.axes:
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize="small")
    try:
        # without the date, the same data give the same file
        metadata = {"Date": None} if path.suffix.lower() == ".svg" else None
        figure.savefig(path, metadata=metadata)
    except OSError as error:
        raise CharRNNError(f"cannot write {path}: {error.strerror or error}") from error


def _draw_history(
    figure: tuple[Any, Any, Any], name: str, history: Sequence[Mapping[str, Any]], color: str
) -> None:
    over_characters, over_time, rate = figure
    characters = [entry["characters"] for entry in history]
    minutes = [entry["seconds"] / 60 for entry in history]
    losses = [entry["loss"] for entry in history]
    validations = [n for n, entry in enumerate(history) if entry["validation_loss"] is not None]
    held_out = [history[n]["validation_loss"] for n in validations]
    for axes, unit, x in (
        (over_characters, "characters", characters),
        (over_time, "minutes", minutes),
    ):
        axes.plot(x, losses, color=color, alpha=0.5, lw=1)
        axes.plot([x[n] for n in validations], held_out, color=color, marker=".", label=name)
        axes.set_xlabel(unit)
        axes.set_ylabel("nats per character")
    rate.plot(characters, [e["learning_rate"] for e in history], color=color, label=name)


def _draw_flows(axes: Any, flows: Mapping[str, NDArray[np.float64]]) -> None:
    for number, (name, norms) in enumerate(flows.items()):
        for layer, of_layer in enumerate(norms):
            style = ("-", "--", ":", "-.")[layer % 4]
            label = f"{name} layer {layer}"
            axes.semilogy(of_layer, style, color=f"C{number}", label=label)
    axes.set_xlabel("k, characters before the one that is predicted")
    axes.set_ylabel("‖∂ loss(t) / ∂ h(t − k)‖")
