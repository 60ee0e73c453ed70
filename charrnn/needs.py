"""What memory a training needs, and whether the machine has it.

A system that hands out more memory than there is ends the program without a word when it is used.
"""

import sys

from charrnn.batches import fit_shape
from charrnn.errors import OptionError
from charrnn.machine import GIGABYTE, available
from charrnn.network import NetworkConfig
from charrnn.optimizers import OPTIMIZERS
from charrnn.options import TrainingOptions


def needed(config: NetworkConfig, options: TrainingOptions, symbols: int) -> int:
    """About how many bytes a training on so many symbols takes, beside its text: for the weights,
    their gradients and moments and the copies that are kept of them, and for windows of T steps in
    B streams."""
    batch, steps = fit_shape(symbols, options.batch_size, options.seq_length)
    H, L, V, G = config.hidden_size, config.layers, config.vocabulary_size, config.cell_type.gates
    moments = OPTIMIZERS[options.optimizer].moments
    # the weights, the best, and a state to go back to with its moments; a gradient a thread
    vectors = 3 + 2 * moments + min(options.threads, batch)
    # the tape of each layer and its outputs, twice; what goes into the gates of one layer, and the
    # gradients between layers
    columns = (L * (G + 2) + G + 1) * H + V
    return 4 * (vectors * config.size + columns * batch * steps)


def check_samples(config: NetworkConfig, samples: int) -> None:
    """Raise OptionError where texts side by side need more memory than there is."""
    H, L, V, G = config.hidden_size, config.layers, config.vocabulary_size, config.cell_type.gates
    wanted, there = 4 * samples * (2 * V + L * (G + 4) * H), available()
    if wanted > (sys.maxsize if there is None else there):
        raise OptionError(
            f"{samples:,} samples side by side would need about {wanted // GIGABYTE:,} GB of "
            "memory: ask for fewer"
        )


def check_memory(config: NetworkConfig, options: TrainingOptions, symbols: int) -> None:
    """Raise OptionError where a training on so many symbols needs more memory than there is."""
    wanted, there = needed(config, options, symbols), available()
    if there is not None and wanted > there:
        raise OptionError(
            f"this training would need about {wanted // GIGABYTE:,} GB of memory, and there are "
            f"{there // GIGABYTE:,} GB: choose a smaller --hidden-size, --batch-size or "
            "--seq-length, or --bytes for a text of very many different characters"
        )
