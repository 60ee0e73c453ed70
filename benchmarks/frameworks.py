"""The training step of other frameworks, as contestants: JAX (`lax.scan`, jitted), and Keras on
TensorFlow. Their step is that of charrnn: LSTM, clipping to a norm of 1, Adam, carried state.
"""

import os
from collections.abc import Callable
from typing import Any

import numpy as np

Turn = Callable[[], object]
CLIP, LEARNING_RATE = 1.0, 1e-3
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


def jax_training(shape: dict[str, Any], ids: Any, targets: Any) -> Turn:
    """`ids` and `targets` are (T, B). A symbol's row of the input weights is looked up, which is
    faster than a product with a one-hot vector."""
    import jax
    import jax.numpy as jnp

    V, H, L, B = (shape[key] for key in ("symbols", "hidden_size", "layers", "batch_size"))
    rng = np.random.default_rng(1)
    sizes = {"V": (H, V), "c": (V,)}
    for n in range(L):
        sizes |= {f"U{n}": (H if n else V, 4 * H), f"W{n}": (H, 4 * H), f"b{n}": (4 * H,)}
    weights = {
        name: jnp.asarray(rng.uniform(-1, 1, size) / H**0.5, jnp.float32)
        for name, size in sizes.items()
    }
    compiled = jax.jit(jax_step)
    zeros = {name: jnp.zeros_like(value) for name, value in weights.items()}
    state = [(jnp.zeros((B, H)), jnp.zeros((B, H))) for _ in range(L)]
    carried = [weights, zeros, dict(zeros), state]
    ids, targets = jnp.asarray(ids), jnp.asarray(targets)
    count = 0

    def turn() -> None:
        nonlocal count
        count += 1
        *carried[:], value = compiled(*carried, float(count), ids, targets)
        float(value)

    return turn


def jax_step(w: Any, m: Any, v: Any, states: Any, count: Any, ids: Any, targets: Any) -> Any:
    """A step of Adam, to be compiled: the weights `w` and its state after step number `count`, the
    state of the streams, and the loss."""
    import jax
    import jax.numpy as jnp

    (value, states), g = jax.value_and_grad(jax_loss, has_aux=True)(w, states, ids, targets)
    norm = jnp.sqrt(sum(jnp.vdot(x, x) for x in g.values()))
    scale = jnp.minimum(1.0, CLIP / norm)
    rate = LEARNING_RATE * jnp.sqrt(1 - BETA_2**count) / (1 - BETA_1**count)
    for name, x in g.items():
        m[name] = BETA_1 * m[name] + (1 - BETA_1) * scale * x
        v[name] = BETA_2 * v[name] + (1 - BETA_2) * (scale * x) ** 2
        w[name] = w[name] - rate * m[name] / (jnp.sqrt(v[name]) + EPSILON)
    return w, m, v, states, value


def jax_loss(w: Any, states: Any, ids: Any, targets: Any) -> Any:
    """The mean loss of a window, and the states (h, c) of all layers after it."""
    import jax
    import jax.numpy as jnp

    after, x = [], w["U0"][ids] + w["b0"]
    for n, state in enumerate(states):
        state, h = jax_layer(w[f"W{n}"], x, state)
        after.append(state)
        is_last = n + 1 == len(states)
        x = h @ w["V"] + w["c"] if is_last else h @ w[f"U{n + 1}"] + w[f"b{n + 1}"]
    picked = jnp.take_along_axis(x, targets[..., None], axis=-1)[..., 0]
    return (jax.nn.logsumexp(x, axis=-1) - picked).mean(), after


def jax_layer(W: Any, projected: Any, state: Any) -> Any:
    """An LSTM layer over all steps of its `projected` input (T, B, 4H): its last state, and h."""
    import jax
    import jax.numpy as jnp

    def step(carry: Any, x: Any) -> Any:
        h, c = carry
        i, f, g, o = jnp.split(x + h @ W, 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    return jax.lax.scan(step, state, projected)


def keras_training(shape: dict[str, Any], ids: Any, targets: Any) -> Turn:
    """The same with Keras's `LSTM` layers on TensorFlow, in one compiled step."""
    os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(shape["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(shape["threads"])
    V, H, L, B, T = (
        shape[key] for key in ("symbols", "hidden_size", "layers", "batch_size", "seq_length")
    )
    model = keras.Sequential([keras.Input(batch_shape=(B, T), dtype="int32")])
    # with one-hot vectors the first product is as large as that of PyTorch's contestant
    model.add(keras.layers.Embedding(V, V if V <= 256 else H))
    for _ in range(L):
        model.add(keras.layers.LSTM(H, return_sequences=True, stateful=True))
    model.add(keras.layers.Dense(V))
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE, global_clipnorm=CLIP),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    x, y = (tf.constant(np.ascontiguousarray(part.T)) for part in (ids, targets))
    return lambda: model.train_on_batch(x, y)
