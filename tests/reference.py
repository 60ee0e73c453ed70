"""The network once more, as slowly and plainly as its equations read.

One time step, one example, one gate at a time, in float64: what the engine must agree with. And
gradients by central differences, which need to know no equation at all.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from charrnn.nn.network import Network, NetworkConfig
from charrnn.nn.parameters import Parameters
from charrnn.types import Array

Vector = NDArray[np.float64]
Step = Callable[[Array, Array, Array, Vector, list[Vector]], list[Vector]]


def sigmoid(x: Vector) -> Vector:
    return 1 / (1 + np.exp(-x))


def lstm_step(W: Array, U: Array, P: Array, x: Vector, state: list[Vector]) -> list[Vector]:
    """[h_t, c_t] (H,) each, from the input x (E,) and [h_{t−1}, c_{t−1}].

    W (4H, H) and U (4H, E + 1) hold the gates o, i, f, g one below the other; the bias is U's last
    column.
    """
    h, c = state
    H = len(h)
    W_o, W_i, W_f, W_g = W[0 * H : 1 * H], W[1 * H : 2 * H], W[2 * H : 3 * H], W[3 * H : 4 * H]
    U_o, U_i, U_f, U_g = U[0 * H : 1 * H], U[1 * H : 2 * H], U[2 * H : 3 * H], U[3 * H : 4 * H]
    o = sigmoid(U_o[:, :-1] @ x + W_o @ h + U_o[:, -1])
    i = sigmoid(U_i[:, :-1] @ x + W_i @ h + U_i[:, -1])
    f = sigmoid(U_f[:, :-1] @ x + W_f @ h + U_f[:, -1])
    g = np.tanh(U_g[:, :-1] @ x + W_g @ h + U_g[:, -1])
    c = f * c + i * g
    h = o * np.tanh(c)
    return [h, c]


def rnn_step(
    W: Array,
    U: Array,
    P: Array,
    x: Vector,
    state: list[Vector],
    activation: Callable[[Vector], Vector] = np.tanh,
) -> list[Vector]:
    """[h_t] from [h_{t−1}], one gate."""
    (h,) = state
    return [activation(U[:, :-1] @ x + W @ h + U[:, -1])]


def peephole_step(W: Array, U: Array, P: Array, x: Vector, state: list[Vector]) -> list[Vector]:
    """As `lstm_step`, with the peepholes of o, i, f in the rows of P (3, H)."""
    h, c = state
    a_o, a_i, a_f, a_g = (U[:, :-1] @ x + W @ h + U[:, -1]).reshape(4, -1)
    p_o, p_i, p_f = P
    i = sigmoid(a_i + p_i * c)
    f = sigmoid(a_f + p_f * c)
    c = f * c + i * np.tanh(a_g)
    o = sigmoid(a_o + p_o * c)
    return [o * np.tanh(c), c]


def coupled_step(W: Array, U: Array, P: Array, x: Vector, state: list[Vector]) -> list[Vector]:
    """[h_t, c_t]; the gates are o, f, g."""
    h, c = state
    a_o, a_f, a_g = (U[:, :-1] @ x + W @ h + U[:, -1]).reshape(3, -1)
    f = sigmoid(a_f)
    c = f * c + (1 - f) * np.tanh(a_g)
    return [sigmoid(a_o) * np.tanh(c), c]


def multiplicative_step(
    W: Array, U: Array, P: Array, x: Vector, state: list[Vector]
) -> list[Vector]:
    """As `lstm_step` on a scaled h; U holds the gates s, o, i, f, g, and W all but s."""
    h, c = state
    H = len(h)
    s = U[:H, :-1] @ x + U[:H, -1]
    return lstm_step(W, U[H:], P, x, [s * h, c])


def gru_step(W: Array, U: Array, P: Array, x: Vector, state: list[Vector]) -> list[Vector]:
    """[h_t]; U holds the gates n, r, z, W the gates r, z, n, and P the bias behind the reset."""
    (h,) = state
    H = len(h)
    below = U[:, :-1] @ x + U[:, -1]
    U_n, U_r, U_z = below[:H], below[H : 2 * H], below[2 * H :]
    r = sigmoid(U_r + W[:H] @ h)
    z = sigmoid(U_z + W[H : 2 * H] @ h)
    n = np.tanh(U_n + r * (W[2 * H :] @ h + P[0]))
    return [(1 - z) * n + z * h]


STEPS: dict[str, Step] = {
    "rnn": rnn_step,
    "lstm": lstm_step,
    "lstm-peephole": peephole_step,
    "lstm-coupled": coupled_step,
    "lstm-multiplicative": multiplicative_step,
    "gru": gru_step,
}
"""The cells that have a naive reference here."""


def run(
    network: Network, ids: NDArray[np.integer], targets: NDArray[np.integer], state: Array
) -> tuple[Vector, Vector]:
    """Losses (T, B) in nats, and the last state (L, 1 + S, H, B), from the first `state`."""
    T, B = ids.shape
    config, weights = network.config, network.parameters
    step, V = STEPS[config.cell], config.vocabulary_size
    losses = np.zeros((T, B))
    last_state = np.zeros(state.shape)
    for b in range(B):
        states = [list(state[layer, :, :, b].astype(np.float64)) for layer in range(config.layers)]
        for t in range(T):
            x = np.zeros(V)
            x[ids[t, b]] = 1
            for layer in range(config.layers):
                W, U = weights[f"W{layer}"], weights[f"U{layer}"]
                P = weights[f"P{layer}"] if f"P{layer}" in weights.shapes else np.zeros((0, 0))
                states[layer] = step(W, U, P, x, states[layer])
                x = states[layer][0]
            logits = weights["V"][:, :-1] @ x + weights["V"][:, -1]
            probabilities = np.exp(logits) / np.sum(np.exp(logits))
            losses[t, b] = -np.log(probabilities[targets[t, b]])
        last_state[:, :, :, b] = states
    return losses, last_state


def directional_derivative(
    function: Callable[[], float], at: Array, direction: Array, step: float = 1e-4
) -> float:
    """The slope of `function` along `direction` (P,), where it reads its argument from `at` (P,).

    A central difference of fourth order: its error is of the order step⁴ and rounding / step.
    """
    start = at.copy()
    values = []
    for steps in (-2, -1, 1, 2):
        at[:] = start + steps * step * direction
        values.append(function())
    at[:] = start
    return (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step)


def numerical_gradient(function: Callable[[], float], at: Array) -> Vector:
    """The slope of `function` along every single coordinate of `at` (P,)."""
    return np.array([directional_derivative(function, at, unit) for unit in np.eye(at.size)])


def random_network(
    rng: np.random.Generator, config: NetworkConfig, dtype: type[np.floating] = np.float64
) -> Network:
    """A network whose weights and biases are all far from zero, so that every one matters."""
    weights = Parameters(config.shapes(), dtype)
    weights.flat[:] = rng.normal(0, 0.6, weights.size)
    return Network(config, weights)


def random_ids(
    rng: np.random.Generator, config: NetworkConfig, steps: int, batch: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """A window of symbols and the symbols to predict, both (T, B)."""
    ids, targets = rng.integers(config.vocabulary_size, size=(2, steps, batch))
    return ids, targets
