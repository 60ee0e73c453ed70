"""The architecture page: what it quotes stands in the code, and its example of a cell is right."""

import sys
from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest

from charrnn import registries
from charrnn.nn.network import Network, NetworkConfig
from charrnn.registries import Entry
from documentation import ROOT, Page
from reference import numerical_gradient, random_ids, random_network

PAGE = Page(ROOT / "docs" / "architecture.md")
(CELL,) = [block for block in PAGE.blocks("python") if "(Cell)" in block]


def quoted() -> Iterator[tuple[str, str]]:
    """Each line of code that a diff on the page adds, after the name of its file."""
    for block in PAGE.blocks("diff"):
        path = ""
        for line in block.splitlines():
            if line.startswith("+"):
                yield path, line[1:]
            else:
                path = line


def test_something_is_quoted_of_each_kind() -> None:
    files = {path for path, _ in quoted()}
    assert len(PAGE.blocks("diff")) == 4
    assert {"charrnn/optim/optimizers.py", "charrnn/sampling/filters.py"} <= files
    assert "charrnn/neurons/features/registry.py" in files


@pytest.mark.parametrize("path", sorted({path for path, _ in quoted()}))
def test_what_is_quoted_stands_in_the_code(path: str) -> None:
    code = (ROOT / path).read_text(encoding="utf-8").splitlines()
    missing = [line for where, line in quoted() if where == path and line not in code]
    assert not missing


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name under which the example is registered."""
    module = ModuleType("example_of_a_cell")
    exec(CELL, module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    entry = Entry(f"{module.__name__}:InputGated")
    monkeypatch.setitem(registries.CELLS, "input-gated", entry)
    return "input-gated"


def test_the_example_of_a_cell_computes_its_equations(cell: str) -> None:
    rng = np.random.default_rng(1)
    network = random_network(rng, NetworkConfig(5, 4, 1, cell))
    W, U = network.parameters["W0"], network.parameters["U0"]
    assert W.shape == (4, 4)
    assert U.shape == (8, 6)
    ids, _ = random_ids(rng, network.config, 3, 2)
    workspace = network.workspace(3, 2)
    workspace.forward(ids)
    for b in range(2):
        h = np.zeros(4)
        for t in range(3):
            a = U[:, ids[t, b]] + U[:, -1]
            f, n = 1 / (1 + np.exp(-a[:4])), np.tanh(a[4:] + W @ h)
            h = f * h + (1 - f) * n
        np.testing.assert_allclose(workspace.state[0, 0, :, b], h, rtol=0, atol=1e-12)


@pytest.mark.parametrize("layers", [1, 2])
def test_the_gradient_of_the_example_of_a_cell_is_right(cell: str, layers: int) -> None:
    rng = np.random.default_rng(2)
    network: Network = random_network(rng, NetworkConfig(5, 4, layers, cell))
    ids, targets = random_ids(rng, network.config, 3, 2)
    workspace = network.workspace(3, 2, training=True)
    state = rng.normal(0, 0.5, workspace.state.shape)

    def loss() -> float:
        workspace.state = state
        return float(workspace.losses(ids, targets).sum())

    loss()
    gradient = network.parameters.zeros_like()
    workspace.backward(gradient, 1.0)
    expected = numerical_gradient(loss, network.parameters.flat)
    np.testing.assert_allclose(gradient.flat, expected, rtol=1e-6, atol=1e-8)
