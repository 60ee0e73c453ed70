"""How near the loss by parallel streams comes to one stream carried through the whole text.

    python benchmarks/evaluation.py MODEL.npz TEXT [--symbols 50000]

Both measure the same symbols at the end of TEXT, after the same symbols before them.
"""

import argparse
import time
from pathlib import Path

from charrnn.checkpoints.format import read_checkpoint
from charrnn.machine.blas import one_thread
from charrnn.nn.network import Network
from charrnn.text.corpus import read_corpus
from charrnn.training.evaluation import EVALUATION_WARM_UP, Evaluation
from charrnn.types import IdArray


def one_stream(network: Network, text: IdArray, count: int) -> float:
    """Mean loss of the last `count` symbols, in nats, by a single stream over all of `text`."""
    workspace = network.workspace(1, 1)
    losses = [
        float(workspace.losses(x, y)[0, 0])
        for x, y in zip(text[:-1].reshape(-1, 1, 1), text[1:].reshape(-1, 1, 1), strict=True)
    ]
    return sum(losses[-count:]) / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("text")
    parser.add_argument("--symbols", type=int, default=50_000)
    arguments = parser.parse_args()
    checkpoint = read_checkpoint(arguments.model)
    network, count = checkpoint.network(), arguments.symbols
    corpus = read_corpus([arguments.text], as_bytes=checkpoint.vocabulary.is_bytes)
    assert corpus.vocabulary == checkpoint.vocabulary, "not the text that the model is of"
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
