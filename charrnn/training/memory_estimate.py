"""What memory a training needs, and whether the machine has it.

Some systems grant more memory than they have, and kill the program without a message when it is
used.
"""

from charrnn.errors import OptionError
from charrnn.machine.memory_limit import GIGABYTE, available
from charrnn.nn.network import NetworkConfig
from charrnn.nn.one_hot_input import ROWS_AT_ONCE
from charrnn.optim.optimizers import OPTIMIZERS
from charrnn.options import TrainingOptions
from charrnn.text.batches import fit_shape


def needed(config: NetworkConfig, options: TrainingOptions, symbols: int, ranks: int = 1) -> int:
    """About how many bytes a training on a text of `symbols` takes, beside the text: for the
    weights, their gradients and moments and the copies that are kept of them, and for windows of T
    steps in B streams. With several ranks, those of rank 0."""
    batch, steps = fit_shape(symbols, options.batch_size, options.seq_length)
    H, L, V, cell = config.hidden_size, config.layers, config.vocabulary_size, config.cell_type
    G, K, R = len(cell.gates), len(cell.blocks), len(cell.recurrent_gates)
    moments = len(OPTIMIZERS[options.optimizer].state_names)
    shards = -(-min(options.threads, batch) // ranks)
    batch = -(-batch // ranks)
    # the weights, the best, and the good ones; the moments; a gradient for each shard; a part of
    # the gradients of all ranks, and what is sent of them in 16 bits
    vectors = 3 + moments + shards + (ranks > 1) * (1 + options.compress)
    # for each layer its tape, its c and its outputs, these once more for dropout, and its scaled h;
    # for one layer the input of its gates, and the gradient of its outputs
    numbers = (L * (K + 2 + (options.dropout > 0) + cell.scales_h) + K + 1) * H
    numbers += V  # the logits
    places = shards * -(-batch // shards) * (steps + 1)
    # W in tiles, twice; the table of the gates' input for each symbol, and rows of its gradient; W
    # and its mask for recurrent dropout
    tables = shards * H * (2 * R * H + G * V + K * ROWS_AT_ONCE)
    tables += shards * L * 2 * R * H * H if options.recurrent_dropout else 0
    return 4 * (vectors * config.size + numbers * places + tables)


def check_memory(
    config: NetworkConfig, options: TrainingOptions, symbols: int, ranks: int = 1
) -> None:
    """Raise OptionError where a training on that text needs more memory than there is."""
    wanted, there = needed(config, options, symbols, ranks), available()
    if there is not None and wanted > there:
        raise OptionError(
            f"this training would need about {wanted // GIGABYTE:,} GB of memory, and there are "
            f"{there // GIGABYTE:,} GB: choose a smaller `hidden_size`, `batch_size` or "
            "`seq_length`, or `as_bytes` for a text of very many different characters"
        )
