"""Models as safetensors, in the layout of PyTorch's `nn.LSTM`, `nn.GRU` and `nn.RNN`.

| tensor           | what                                                       |
|------------------|------------------------------------------------------------|
| rnn.weight_ih_l0 | input weights of layer 0 (G·H, V), of others (G·H, H)      |
| rnn.weight_hh_l0 | recurrent weights (G·H, H)                                 |
| rnn.bias_ih_l0   | bias (G·H,)                                                |
| rnn.bias_hh_l0   | zeros (G·H,), but for the bias b′ of a GRU                 |
| output.weight    | output weights (V, H)                                      |
| output.bias      | output bias (V,)                                           |

All are float32. PyTorch adds its two biases, but where the reset gate of a GRU scales one; charrnn
has one bias, and b′. The metadata has the entry "charrnn": the network and the vocabulary as JSON.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from charrnn.checkpoints.format import Checkpoint, check_numbers, read_checkpoint
from charrnn.errors import CharRNNError, CheckpointError, OptionError
from charrnn.nn.network import NetworkConfig
from charrnn.nn.parameters import Parameters
from charrnn.text.vocabulary import Vocabulary
from charrnn.types import Array

ENDING = ".safetensors"
METADATA = "charrnn"
PYTORCH_GATES = {"rnn": ("a",), "lstm": ("i", "f", "g", "o"), "gru": ("r", "z", "n")}
"""PyTorch's order of the gates, by charrnn's names, in the input weights."""
PYTORCH_RECURRENT_GATES = PYTORCH_GATES | {"gru": ("r", "z", "q")}
"""The same in the recurrent weights."""
CANDIDATE = 2
"""The block of n among PyTorch's gates of a GRU."""
WHY_NOT = {
    "lstm-peephole": "its gates see the cell state",
    "lstm-coupled": "it has one gate for forgetting and for writing",
    "lstm-multiplicative": "its recurrent weights depend on the input",
}
"""Why PyTorch has no such cell."""


def safetensors_bytes(checkpoint: Checkpoint) -> bytes:
    """The content of a file with the model. Raises OptionError for a cell that PyTorch does not
    have, and CharRNNError where the package safetensors is missing."""
    config = checkpoint.config
    if config.cell not in PYTORCH_GATES:
        why = WHY_NOT.get(config.cell)
        raise OptionError(
            f"a model of the cell {config.cell} cannot be written as safetensors: PyTorch has no "
            f"such cell{f', since {why}' if why else ''}; train a model of the cell lstm to "
            "export one"
        )
    save: Callable[..., bytes] = _package().save
    description = {"network": config.to_dict(), "vocabulary": checkpoint.vocabulary.to_json()}
    metadata = {"format": "pt", METADATA: json.dumps(description, separators=(",", ":"))}
    return save(tensors(checkpoint), metadata=metadata)


def read_model(path: Path) -> Checkpoint:
    """The model in a checkpoint, or in a file whose name ends in .safetensors."""
    return read_safetensors(path) if path.suffix.lower() == ENDING else read_checkpoint(path)


def read_safetensors(path: Path) -> Checkpoint:
    """The model in `path`, without a record of its training. Raises CheckpointError where it has
    another layout, or is damaged, and CharRNNError where the package safetensors is missing."""
    load: Callable[[bytes], dict[str, Array]] = _package().load
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        found = load(content)
        config, vocabulary = _described(content)
        weights = _weights(config, found)
        check_numbers("weights", weights)
    except OptionError as error:
        raise CheckpointError(f"{path} is damaged: {error}") from error
    except Exception as error:  # the package has errors of its own, and others
        detail = str(error).strip().split("\n")[0] or type(error).__name__
        raise CheckpointError(
            f"{path} is not a model as `charrnn export` writes it ({detail})"
        ) from error
    return Checkpoint(config, vocabulary, weights, {}, {})


def tensors(checkpoint: Checkpoint) -> dict[str, Array]:
    """The arrays by PyTorch's names."""
    config, cell, found = checkpoint.config, checkpoint.config.cell_type, {}
    weights = Parameters(config.shapes(), flat=checkpoint.weights)
    for layer in range(config.layers):
        U = _in_order(weights[f"U{layer}"], cell.gates, PYTORCH_GATES[config.cell])
        W = _in_order(
            weights[f"W{layer}"], cell.recurrent_gates, PYTORCH_RECURRENT_GATES[config.cell]
        )
        bias_hh = np.zeros(len(U), np.float32)
        if config.cell == "gru":
            bias_hh[CANDIDATE * config.hidden_size :] = weights[f"P{layer}"][0]
        found[f"rnn.weight_ih_l{layer}"] = np.ascontiguousarray(U[:, :-1])
        found[f"rnn.weight_hh_l{layer}"] = W
        found[f"rnn.bias_ih_l{layer}"] = np.ascontiguousarray(U[:, -1])
        found[f"rnn.bias_hh_l{layer}"] = bias_hh
    found["output.weight"] = np.ascontiguousarray(weights["V"][:, :-1])
    found["output.bias"] = np.ascontiguousarray(weights["V"][:, -1])
    return found


def shapes(config: NetworkConfig) -> dict[str, tuple[int, ...]]:
    """The shapes of these arrays."""
    H, V = config.hidden_size, config.vocabulary_size
    rows = len(PYTORCH_GATES[config.cell]) * H
    found: dict[str, tuple[int, ...]] = {}
    for layer in range(config.layers):
        found[f"rnn.weight_ih_l{layer}"] = (rows, H if layer else V)
        found[f"rnn.weight_hh_l{layer}"] = (rows, H)
        found[f"rnn.bias_ih_l{layer}"] = found[f"rnn.bias_hh_l{layer}"] = (rows,)
    return found | {"output.weight": (V, H), "output.bias": (V,)}


def _weights(config: NetworkConfig, found: Mapping[str, Array]) -> Array:
    """The weights (P,), from the arrays by PyTorch's names. Raises ValueError where one is missing,
    is another one, or has another shape."""
    expected = shapes(config)
    if found.keys() != expected.keys():
        odd = sorted(found.keys() ^ expected.keys())[0]
        raise ValueError(f"{odd} is {'missing' if odd in expected else 'not part of the model'}")
    for name, shape in expected.items():
        if found[name].shape != shape:
            raise ValueError(f"{name} has the shape {found[name].shape}, not {shape}")
    weights, cell = Parameters(config.shapes()), config.cell_type
    read = {name: array.astype(np.float32) for name, array in found.items()}
    for layer in range(config.layers):
        bias, bias_hh = read[f"rnn.bias_ih_l{layer}"], read[f"rnn.bias_hh_l{layer}"]
        if config.cell == "gru":
            start = CANDIDATE * config.hidden_size
            weights[f"P{layer}"][0] = bias_hh[start:]
            bias_hh[start:] = 0
        U = np.column_stack([read[f"rnn.weight_ih_l{layer}"], bias + bias_hh])
        W = read[f"rnn.weight_hh_l{layer}"]
        weights[f"U{layer}"][:] = _in_order(U, PYTORCH_GATES[config.cell], cell.gates)
        weights[f"W{layer}"][:] = _in_order(
            W, PYTORCH_RECURRENT_GATES[config.cell], cell.recurrent_gates
        )
    weights["V"][:] = np.column_stack([read["output.weight"], read["output.bias"]])
    return weights.flat


def _in_order(rows: Array, gates: Sequence[str], wanted: Sequence[str]) -> Array:
    """The rows (G·H, …), with a block for each of the gates, in the wanted order of these."""
    blocks = dict(zip(gates, np.split(rows, len(gates)), strict=True))
    return np.concatenate([blocks[gate] for gate in wanted])


def _described(content: bytes) -> tuple[NetworkConfig, Vocabulary]:
    """Network and vocabulary, from the metadata: behind a length in 8 bytes there is a header of
    JSON."""
    length = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    described: dict[str, Any] = json.loads(metadata[METADATA])
    config = NetworkConfig(**described["network"])
    if config.cell not in PYTORCH_GATES:
        raise ValueError(f"PyTorch has no {config.cell}")
    vocabulary = Vocabulary.from_json(described["vocabulary"])
    if vocabulary.size != config.vocabulary_size:
        raise ValueError("the vocabulary does not fit the network")
    return config, vocabulary


def _package() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise CharRNNError(
            "files in the format safetensors need a package: pip install "
            "'charrnn-numpy[safetensors]'"
        ) from error
    return safetensors.numpy
