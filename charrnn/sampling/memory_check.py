"""How much memory generated texts need, and whether the machine has it."""

import sys
from collections.abc import Sequence

from charrnn.errors import OptionError
from charrnn.machine.memory_limit import GIGABYTE, available
from charrnn.nn.network import NetworkConfig


def needed(config: NetworkConfig, samples: int) -> int:
    """About how many bytes the streams of `samples` texts take: for each stream the gates and
    states of its layers, G·H and more, and its V probabilities, some of them in float64."""
    H, L, V = config.hidden_size, config.layers, config.vocabulary_size
    G = len(config.cell_type.gates)
    return 4 * samples * (8 * V + (L * (2 * G + 5) + G) * H)


def check_samples(configs: Sequence[NetworkConfig], samples: int) -> None:
    """Raise OptionError for less than one text, and for more than there is memory for."""
    if samples < 1:
        raise OptionError(f"`samples` must be at least 1, not {samples}")
    wanted = sum(needed(config, samples) for config in configs)
    there = available()
    if wanted > (sys.maxsize if there is None else there):
        raise OptionError(
            f"{samples:,} samples side by side would need about {wanted // GIGABYTE:,} GB of "
            "memory: ask for fewer `samples`"
        )
