"""Models as safetensors: there and back, and in PyTorch."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charrnn.checkpoints.safetensors_format import (
    read_model,
    read_safetensors,
    safetensors_bytes,
    shapes,
    tensors,
)
from charrnn.errors import CharRNNError, CheckpointError, OptionError
from charrnn.nn.single_step import Stepper
from documentation import ROOT, Page
from exported import TEXT, checkpoint

safetensors = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
LAYOUTS = ("rnn", "lstm", "gru")


@pytest.mark.parametrize("cell", LAYOUTS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("text", [TEXT, TEXT.encode()], ids=["characters", "bytes"])
def test_there_and_back(tmp_path: Path, cell: str, layers: int, text: str | bytes) -> None:
    model = checkpoint(cell, layers=layers, text=text)
    path = tmp_path / "a.safetensors"
    path.write_bytes(safetensors_bytes(model))
    found = read_model(path)
    assert (found.config, found.vocabulary) == (model.config, model.vocabulary)
    np.testing.assert_array_equal(found.weights, model.weights)
    assert (found.training, found.arrays) == ({}, {})
    assert {name: array.shape for name, array in tensors(model).items()} == shapes(model.config)


@pytest.mark.parametrize("cell", ["lstm-peephole", "lstm-coupled", "lstm-multiplicative"])
def test_cells_that_pytorch_does_not_have(cell: str) -> None:
    with pytest.raises(OptionError, match=f"the cell {cell} .*: PyTorch has no such cell, since"):
        safetensors_bytes(checkpoint(cell))


def torch_example() -> str:
    """The lines of the documentation that load a model in PyTorch."""
    blocks = Page(ROOT / "docs" / "export.md").blocks("python")
    (block,) = [block for block in blocks if "load_state_dict" in block]
    return block


@pytest.mark.parametrize("cell", LAYOUTS)
@pytest.mark.parametrize("layers", [1, 2])
def test_pytorch_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: str, layers: int
) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    monkeypatch.chdir(tmp_path)
    model = checkpoint(cell, layers=layers)
    Path("model.safetensors").write_bytes(safetensors_bytes(model))
    names: dict[str, Any] = {}
    exec(torch_example().replace("Prince Andrew", TEXT[:200].replace("\n", " ")), names)
    stepper = Stepper(model.network(), 1)
    logits = names["logits"].detach().numpy()
    ids = model.vocabulary.encode(TEXT[:200].replace("\n", " "))
    assert logits.shape == (len(ids), model.vocabulary.size)
    for id, found in zip(ids, logits, strict=True):
        np.testing.assert_allclose(found, stepper.step(np.array([id]))[:, 0], atol=1e-5)


@pytest.mark.parametrize("cell", LAYOUTS)
def test_two_biases_of_pytorch_become_one(tmp_path: Path, cell: str) -> None:
    """A model that PyTorch has trained has other numbers than zero in both."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    model = checkpoint(cell)
    size = model.config
    kind = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell]
    torch.manual_seed(1)
    network = torch.nn.ModuleDict(
        {
            "rnn": kind(size.vocabulary_size, size.hidden_size, size.layers),
            "output": torch.nn.Linear(size.hidden_size, size.vocabulary_size),
        }
    )
    arrays = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    path = tmp_path / "a.safetensors"
    path.write_bytes(safetensors.save(arrays, metadata=description(model)))
    stepper = Stepper(read_safetensors(path).network(), 1)
    ids = model.vocabulary.encode(TEXT[:100])
    one_hot = torch.nn.functional.one_hot(torch.tensor(ids.astype(int)), size.vocabulary_size)
    with torch.no_grad():
        logits = network["output"](network["rnn"](one_hot.float())[0]).numpy()
    for id, found in zip(ids, logits, strict=True):
        np.testing.assert_allclose(found, stepper.step(np.array([id]))[:, 0], atol=1e-5)


def description(model: Any, **changes: Any) -> dict[str, str]:
    whole = {"network": model.config.to_dict(), "vocabulary": model.vocabulary.to_json()}
    return {"charrnn": json.dumps(whole | changes)}


def without(name: str, arrays: dict[str, Any]) -> dict[str, Any]:
    return {key: array for key, array in arrays.items() if key != name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: without("output.bias", a), "output.bias is missing"),
        (lambda a: a | {"more": a["output.bias"]}, "more is not part of the model"),
        (lambda a: a | {"output.bias": a["output.bias"][1:]}, "output.bias has the shape"),
        (lambda a: a | {"output.bias": a["output.bias"] / 0}, "not finite"),
        (lambda a: a | {"output.bias": a["output.bias"] + np.float32(1e31)}, "beyond"),
    ],
)
def test_arrays_of_another_layout(tmp_path: Path, change: Any, message: str) -> None:
    model = checkpoint()
    path = tmp_path / "a.safetensors"
    with np.errstate(divide="ignore", invalid="ignore"):
        arrays = change(tensors(model))
    path.write_bytes(safetensors.save(arrays, metadata=description(model)))
    with pytest.raises(CheckpointError, match=re.escape(message)):
        read_safetensors(path)


def test_metadata_of_something_else(tmp_path: Path) -> None:
    model = checkpoint()
    path = tmp_path / "a.safetensors"
    network = model.config.to_dict()
    for metadata in (
        None,
        {"charrnn": "["},
        {"charrnn": "5"},
        {"charrnn": "{}"},
        description(model, network={"cell": 5}),
        description(model, network=network | {"hidden_size": 10**9}),
        description(model, network=network | {"cell": "lstm-peephole"}),
        description(model, network=network | {"vocabulary_size": 7}),
        description(model, vocabulary={"kind": "characters", "symbols": [3, 2]}),
        description(model, vocabulary={"kind": "characters", "symbols": [1]}),
    ):
        path.write_bytes(safetensors.save(tensors(model), metadata=metadata))
        with pytest.raises(CheckpointError, match=r"a\.safetensors is (not a model|damaged)"):
            read_safetensors(path)


def test_a_file_that_is_damaged(tmp_path: Path) -> None:
    whole = safetensors_bytes(checkpoint())
    path = tmp_path / "a.safetensors"
    for content in (b"", whole[:7], whole[:100], whole[:-1], b"\xff" * 100, b"PK" + whole):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=r"a\.safetensors is not a model"):
            read_safetensors(path)
    with pytest.raises(CheckpointError, match="cannot read"):
        read_safetensors(tmp_path / "b.safetensors")


def test_half_precision_is_read(tmp_path: Path) -> None:
    model = checkpoint()
    path = tmp_path / "a.safetensors"
    arrays = {name: array.astype(np.float16) for name, array in tensors(model).items()}
    path.write_bytes(safetensors.save(arrays, metadata=description(model)))
    expected = replace(model, weights=model.weights.astype(np.float16).astype(np.float32))
    np.testing.assert_array_equal(read_safetensors(path).weights, expected.weights)


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    for work in (
        lambda: safetensors_bytes(checkpoint()),
        lambda: read_safetensors(tmp_path / "a.safetensors"),
    ):
        with pytest.raises(CharRNNError, match=r"pip install 'charrnn-numpy\[safetensors\]'"):
            work()


def test_any_damage_is_noticed_or_harmless(tmp_path: Path) -> None:
    """Single bytes of the description that are other ones."""
    whole = safetensors_bytes(checkpoint(hidden_size=2, layers=1, text="ab\n"))
    path = tmp_path / "a.safetensors"
    length = 8 + int.from_bytes(whole[:8], "little")
    rng = np.random.default_rng(1)
    for place in range(length):
        damaged = bytearray(whole)
        damaged[place] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged)
        try:
            found = read_safetensors(path)
        except CheckpointError:
            continue
        assert found.weights.shape == (found.config.size,)
