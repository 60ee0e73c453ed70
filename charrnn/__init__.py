"""A character-level recurrent network in NumPy that learns to write like any text it is given.

>>> import charrnn
>>> model = charrnn.train("hello " * 100, epochs=20, hidden_size=32, layers=1)  # doctest: +SKIP
>>> model.sample(20, temperature=0.5)  # doctest: +SKIP
'hello hello hello he'
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from charrnn.analysis.activations import activations
    from charrnn.api import train
    from charrnn.errors import CharRNNError
    from charrnn.mixed_model import mix
    from charrnn.model import Model, load
    from charrnn.sampling.options import SamplingOptions

__version__ = "0.1.0"
__all__ = [
    "CharRNNError",
    "Model",
    "SamplingOptions",
    "__version__",
    "activations",
    "load",
    "mix",
    "train",
]

_HOMES = {
    "train": "api",
    "CharRNNError": "errors",
    "Model": "model",
    "load": "model",
    "mix": "mixed_model",
    "SamplingOptions": "sampling.options",
    "activations": "analysis.activations",
}


def __getattr__(name: str) -> Any:
    # the command line starts in a fraction of the time when NumPy's share comes only with its use
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
