"""How near the loss by parallel streams comes to one stream carried through the whole text.

    python benchmarks/evaluation.py MODEL.npz TEXT [--symbols 50000]
    python benchmarks/evaluation.py MODEL.npz TEXT --symbols 111540 --window 256 [--random 12800]
    python benchmarks/evaluation.py MODEL.npz TEXT --speed

Both measure the same symbols at the end of TEXT, after the same symbols before them. With
--window, the loss is measured in windows of so many symbols, each of which is read from a state of
zeros: in all windows that follow each other, which measure each symbol once; or, as nanoGPT does,
in so many --random ones (200 batches of 64 there). With --speed, the whole text is scored as
`charrnn score` does it, beside forward steps in 64 streams on all processors.
"""

import argparse
import time
from pathlib import Path
from statistics import median

import numpy as np

from charrnn.analysis.scoring import score, symbol_losses
from charrnn.checkpoints.format import Checkpoint, read_checkpoint
from charrnn.machine.blas import one_thread
from charrnn.model import model_of
from charrnn.nn.network import Network
from charrnn.nn.reading import map_in_threads
from charrnn.options import usable_threads
from charrnn.text.corpus import read_corpus
from charrnn.training.evaluation import EVALUATION_WARM_UP, Evaluation
from charrnn.types import IdArray

WINDOWS_AT_ONCE = 64
STREAMS = STEPS = 64
"""Of the forward steps that a score is compared with."""
ROUNDS = 3


def one_stream(network: Network, text: IdArray, count: int) -> float:
    """Mean loss of the last `count` symbols, in nats, by a single stream over all of `text`."""
    workspace = network.workspace(1, 1)
    losses = [
        float(workspace.losses(x, y)[0, 0])
        for x, y in zip(text[:-1].reshape(-1, 1, 1), text[1:].reshape(-1, 1, 1), strict=True)
    ]
    return sum(losses[-count:]) / count


def cold_windows(network: Network, text: IdArray, size: int, random: int | None) -> float:
    """Mean loss in windows of `size` symbols, in nats; the state is zero before each of them. They
    follow each other, or are as many `random` ones."""
    starts = np.arange(0, len(text) - size, size)
    if random is not None:
        starts = np.random.default_rng(1).integers(0, len(text) - size, random)
    total = 0.0
    for some in np.array_split(starts, -(-len(starts) // WINDOWS_AT_ONCE)):
        places = some + np.arange(size)[:, np.newaxis]
        workspace = network.workspace(size, len(some))
        total += float(workspace.losses(text[places], text[places + 1]).sum(dtype=np.float64))
    return total / (len(starts) * size)


def forward_steps(network: Network, text: IdArray) -> None:
    """Read the text in 64 streams and windows of 64 steps, shared out among all processors."""
    threads = usable_threads()
    batch = STREAMS // threads
    count = len(text) // (STREAMS * STEPS)
    windows = np.resize(text, (threads, count, STEPS, batch)).astype(np.intp)

    def read(of_thread: IdArray) -> None:
        workspace = network.workspace(STEPS, batch)
        for ids in of_thread:
            workspace.losses(ids, ids)

    map_in_threads(read, list(windows), threads)


def scoring_speed(checkpoint: Checkpoint, text: IdArray) -> tuple[float, float]:
    """Symbols a second of a score and of forward steps: medians of rounds in which they take
    turns."""
    model = model_of(checkpoint)
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        start = time.perf_counter()
        score(model, text, symbol_losses(model, text))
        middle = time.perf_counter()
        forward_steps(model.network, text)
        seconds[0].append(middle - start)
        seconds[1].append(time.perf_counter() - middle)
    return len(text) / median(seconds[0]), len(text) / median(seconds[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("text")
    parser.add_argument("--symbols", type=int, default=50_000)
    parser.add_argument("--window", type=int)
    parser.add_argument("--random", type=int)
    parser.add_argument("--speed", action="store_true")
    arguments = parser.parse_args()
    checkpoint = read_checkpoint(arguments.model)
    network, count = checkpoint.network(), arguments.symbols
    corpus = read_corpus([arguments.text], as_bytes=checkpoint.vocabulary.is_bytes)
    assert corpus.vocabulary == checkpoint.vocabulary, "not the text that the model is of"
    if arguments.window:
        cold = cold_windows(network, corpus.ids[-count:], arguments.window, arguments.random)
        print(f"cold windows of {arguments.window}  {cold:.5f} nats")
        return
    if arguments.speed:
        with one_thread():
            scored, forward = scoring_speed(checkpoint, corpus.ids)
        print(f"score          {scored:,.0f} symbols/s")
        print(
            f"forward steps  {forward:,.0f} symbols/s; the score has {scored / forward:.2f} of it"
        )
        return
    before, ids = corpus.ids[-count - 20 * EVALUATION_WARM_UP : -count], corpus.ids[-count:]
    with one_thread():
        start = time.perf_counter()
        parallel = Evaluation(before, ids).loss(network)
        middle = time.perf_counter()
        carried = one_stream(network, corpus.ids[-count - 20 * EVALUATION_WARM_UP :], count)
        end = time.perf_counter()
    print(f"parallel streams  {parallel:.5f} nats in {middle - start:.1f} s")
    print(f"one stream        {carried:.5f} nats in {end - middle:.1f} s")
    print(f"difference        {parallel - carried:+.5f} nats")


if __name__ == "__main__":
    main()
