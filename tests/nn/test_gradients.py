"""The backward pass against slopes of the forward pass, and against PyTorch's gradients."""

from collections.abc import Callable

import numpy as np
import pytest

from charrnn.machine import activation, matmul
from charrnn.nn.cells import CELLS
from charrnn.nn.network import Network, NetworkConfig
from charrnn.nn.parameters import Parameters
from charrnn.types import Array
from reference import directional_derivative, numerical_gradient, random_ids, random_network
from toy_cells import ALL_CELLS

pytestmark = pytest.mark.usefixtures("toy_cells")

SCALE = 0.7


class Problem:
    """A random network, window and carried state: the scaled loss, and its gradient."""

    def __init__(self, config: NetworkConfig, steps: int, batch: int, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.network = random_network(self.rng, config)
        self.weights = self.network.parameters
        self.ids, self.targets = random_ids(self.rng, config, steps, batch)
        self._workspace = self.network.workspace(steps, batch, training=True)
        self.state: Array = self.rng.normal(0, 0.8, self._workspace.state.shape)

    def loss(self) -> float:
        self._workspace.state = self.state
        return SCALE * float(self._workspace.losses(self.ids, self.targets).sum())

    def gradient(self) -> Parameters:
        gradient = self.weights.zeros_like()
        gradient.flat[:] = np.nan  # whatever is not written shows
        self.loss()
        self._workspace.backward(gradient, SCALE)
        return gradient

    def slope_and_projection(self) -> tuple[float, float]:
        """The slope along a random direction, measured and by the gradient."""
        direction = self.rng.normal(size=self.weights.size)
        direction *= 10 / np.linalg.norm(direction)
        measured = directional_derivative(self.loss, self.weights.flat, direction)
        return measured, float(self.gradient().flat @ direction)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("batch", [1, 3, 9])
@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize("cell", ALL_CELLS)
def test_projection_on_a_random_direction(cell: str, steps: int, batch: int, layers: int) -> None:
    problem = Problem(NetworkConfig(5, 4, layers, cell), steps, batch, seed=7)
    measured, projection = problem.slope_and_projection()
    assert projection == pytest.approx(measured, rel=1e-7)


@pytest.mark.parametrize("vocabulary_size", [45, 46, 1000])  # T·B is 45
@pytest.mark.parametrize("cell", ALL_CELLS)
def test_projection_with_many_symbols(cell: str, vocabulary_size: int) -> None:
    problem = Problem(NetworkConfig(vocabulary_size, 4, 2, cell), steps=9, batch=5, seed=8)
    problem.ids[:, :2] = problem.ids[0, 0]  # a symbol that occurs often among many that do not
    measured, projection = problem.slope_and_projection()
    # 1e-9: the rounding of a loss of some 200 nats, where the slope is small
    assert projection == pytest.approx(measured, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("batch", [32, 64])
@pytest.mark.parametrize("cell", ALL_CELLS)
def test_products_in_tiles(monkeypatch: pytest.MonkeyPatch, cell: str, batch: int) -> None:
    config = NetworkConfig(5, 32, 2, cell)
    monkeypatch.setattr(matmul, "has_small_products", lambda: False)
    whole = Problem(config, 3, batch, seed=11).gradient().flat
    monkeypatch.setattr(matmul, "has_small_products", lambda: True)
    monkeypatch.setattr(matmul, "MAX_MULTIPLICATIONS", 40_000)
    monkeypatch.setattr(matmul, "MIN_PART_ROWS", 8)
    assert matmul.find_tiling(batch, 32, 32) is not None
    problem = Problem(config, 3, batch, seed=11)
    np.testing.assert_allclose(problem.gradient().flat, whole, rtol=1e-10, atol=1e-12)
    measured, projection = problem.slope_and_projection()
    assert projection == pytest.approx(measured, rel=1e-7)


@pytest.mark.parametrize("cell", ALL_CELLS)
def test_sigmoids_by_tanh_and_by_exp(monkeypatch: pytest.MonkeyPatch, cell: str) -> None:
    config = NetworkConfig(5, 4, 2, cell)
    monkeypatch.setattr(activation, "has_fast_tanh", lambda: True)
    by_tanh = Problem(config, steps=6, batch=3, seed=13).gradient().flat
    monkeypatch.setattr(activation, "has_fast_tanh", lambda: False)
    problem = Problem(config, steps=6, batch=3, seed=13)
    np.testing.assert_allclose(problem.gradient().flat, by_tanh, rtol=1e-10, atol=1e-13)
    measured, projection = problem.slope_and_projection()
    assert projection == pytest.approx(measured, rel=1e-7)


@pytest.mark.parametrize("batch", [3, 9])
@pytest.mark.parametrize("cell", ALL_CELLS)
def test_nothing_is_left_of_weights_that_were_no_numbers(cell: str, batch: int) -> None:
    problem = Problem(NetworkConfig(5, 4, 2, cell), steps=3, batch=batch, seed=12)
    before, weights = problem.gradient().flat.copy(), problem.weights.flat.copy()
    problem.weights.flat[:] = np.nan
    problem.gradient()
    problem.weights.flat[:] = weights
    np.testing.assert_array_equal(problem.gradient().flat, before)


@pytest.mark.parametrize("cell", ALL_CELLS)
def test_every_single_coordinate(cell: str) -> None:
    problem = Problem(NetworkConfig(5, 4, 2, cell), steps=3, batch=2, seed=9)
    gradient, weights = problem.gradient(), problem.weights
    measured = Parameters(
        weights.shapes, np.float64, numerical_gradient(problem.loss, weights.flat)
    )
    for name in weights:
        np.testing.assert_allclose(gradient[name], measured[name], rtol=1e-7, atol=1e-10)


def test_a_second_window_overwrites_the_gradient_of_the_first() -> None:
    problem = Problem(NetworkConfig(5, 4, 2), steps=3, batch=2, seed=10)
    once = problem.gradient().flat.copy()
    np.testing.assert_array_equal(problem.gradient().flat, once)


TORCH_ROWS = {
    "rnn": ([0], [0]),
    "lstm": ([1, 2, 3, 0], [1, 2, 3, 0]),
    "gru": ([1, 2, 0], [0, 1, 2]),
}
"""Where the gates of PyTorch stand in our U and W."""


def _blocks(rows: Array, order: list[int]) -> Array:
    return rows.reshape(len(order), -1, rows.shape[1])[order].reshape(rows.shape)


def _torch_twin(problem: Problem) -> tuple[Array, Callable[[str], Array]]:
    """The losses (T, B) of PyTorch's layer with the same weights, and its gradient by our names."""
    torch = pytest.importorskip("torch")
    config, weights = problem.network.config, problem.weights
    H, V, L = config.hidden_size, config.vocabulary_size, config.layers
    kind = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[config.cell]
    order_U, order_W = TORCH_ROWS[config.cell]
    layers = kind(V, H, L, dtype=torch.float64)
    head = torch.nn.Linear(H, V, dtype=torch.float64)
    with torch.no_grad():
        for layer in range(L):
            W = torch.from_numpy(_blocks(weights[f"W{layer}"], order_W))
            U = torch.from_numpy(_blocks(weights[f"U{layer}"], order_U))
            getattr(layers, f"weight_hh_l{layer}").copy_(W)
            getattr(layers, f"weight_ih_l{layer}").copy_(U[:, :-1])
            getattr(layers, f"bias_ih_l{layer}").copy_(U[:, -1])
            behind = getattr(layers, f"bias_hh_l{layer}").zero_()
            if config.cell == "gru":
                behind[2 * H :] = torch.from_numpy(weights[f"P{layer}"][0])
        head.weight.copy_(torch.from_numpy(weights["V"][:, :-1]))
        head.bias.copy_(torch.from_numpy(weights["V"][:, -1]))
    x = torch.nn.functional.one_hot(torch.from_numpy(problem.ids), V).double()
    states = [
        torch.from_numpy(np.ascontiguousarray(problem.state[:, s].transpose(0, 2, 1)))
        for s in range(config.state_arrays)
    ]
    output, _ = layers(x, tuple(states) if len(states) > 1 else states[0])
    losses = torch.nn.functional.cross_entropy(
        head(output).reshape(-1, V), torch.from_numpy(problem.targets).reshape(-1), reduction="none"
    )
    (SCALE * losses.sum()).backward()

    def gradient(name: str) -> Array:
        if name == "V":
            return np.column_stack([head.weight.grad.numpy(), head.bias.grad.numpy()])
        kind, layer = name[0], int(name[1:])
        if kind == "P":
            behind: Array = getattr(layers, f"bias_hh_l{layer}").grad.numpy()[np.newaxis, 2 * H :]
            return behind
        if kind == "W":
            dW = getattr(layers, f"weight_hh_l{layer}").grad.numpy()
            return _blocks(dW, np.argsort(order_W).tolist())
        dU = getattr(layers, f"weight_ih_l{layer}").grad.numpy()
        db = getattr(layers, f"bias_ih_l{layer}").grad.numpy()
        return _blocks(np.column_stack([dU, db]), np.argsort(order_U).tolist())

    return losses.detach().numpy().reshape(problem.ids.shape), gradient


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", TORCH_ROWS)
def test_agrees_with_pytorch(cell: str, layers: int) -> None:
    problem = Problem(NetworkConfig(11, 8, layers, cell), steps=6, batch=4, seed=11)
    losses, theirs = _torch_twin(problem)
    gradient = problem.gradient()
    assert problem.loss() == pytest.approx(SCALE * losses.sum(), rel=1e-10)
    for name in gradient:
        np.testing.assert_allclose(gradient[name], theirs(name), rtol=1e-10, atol=1e-10)


def test_scale_zero_gives_zero_gradients() -> None:
    problem = Problem(NetworkConfig(5, 4, 3), steps=4, batch=3, seed=12)
    workspace = problem.network.workspace(4, 3, training=True)
    workspace.losses(problem.ids, problem.targets)
    gradient = problem.gradient()
    assert gradient.flat.any()
    workspace.backward(gradient, 0.0)
    assert not gradient.flat.any()


@pytest.mark.parametrize("cell", ALL_CELLS)
def test_no_gradient_of_the_outputs_gives_no_gradient_of_the_weights(cell: str) -> None:
    """Also after a window whose gradients were not zero: nothing is left over from it."""
    problem = Problem(NetworkConfig(5, 4, 1, cell), steps=4, batch=3, seed=13)
    problem.gradient()
    layer = problem._workspace.layers[0]
    problem.loss()
    dW = np.full_like(problem.weights["W0"], np.nan)
    dvectors = np.full((CELLS[cell].vectors, 4), np.nan)
    dA = np.full((4 * 3, len(CELLS[cell].blocks) * 4), np.nan)
    layer.backward(problem.weights["W0"], np.zeros((4 * 3, 4)), dA, dW, dvectors)
    assert not dW.any()
    assert not dvectors.any()
    assert not dA.any()


def test_gradient_of_a_batch_is_the_sum_over_its_columns() -> None:
    config = NetworkConfig(7, 5, 2)
    problem = Problem(config, steps=6, batch=4, seed=14)
    alone = Network(config, problem.weights).workspace(6, 1, training=True)
    gradient, total = problem.weights.zeros_like(), np.zeros(problem.weights.size)
    for b in range(4):
        column = slice(b, b + 1)
        alone.state = problem.state[..., column]
        alone.losses(problem.ids[:, column], problem.targets[:, column])
        alone.backward(gradient, SCALE)
        total += gradient.flat
    np.testing.assert_allclose(problem.gradient().flat, total, rtol=1e-12, atol=1e-12)
