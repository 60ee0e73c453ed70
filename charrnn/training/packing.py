"""A running training as a checkpoint, and back."""

from dataclasses import replace
from typing import Any

from charrnn.checkpoints.format import GOOD, Checkpoint
from charrnn.text.corpus import Corpus
from charrnn.training.parallel.sharded import ShardedNetwork
from charrnn.training.plan import TrainingPlan
from charrnn.training.run_state import RunState
from charrnn.types import Array


def pack(
    plan: TrainingPlan,
    state: RunState,
    best: Array,
    good: Array,
    shards: ShardedNetwork,
) -> Checkpoint:
    """The checkpoint of a training, with its `best` and `good` weights, both (P,). Most arrays
    are views, to be written at once."""
    arrays = {
        "last": plan.network.parameters.flat,
        "moments": shards.moments,
        "state": shards.state,
    }
    if not good_is_best(state):
        arrays[GOOD] = good
    record = {
        "corpus": corpus_record(plan.corpus),
        "options": plan.options.to_json(),
        "ranks": plan.ranks if plan.options.depends_on_ranks else 1,
        **state.to_record(),
    }
    return Checkpoint(plan.network.config, plan.corpus.vocabulary, best, record, arrays)


def load_streams(plan: TrainingPlan, shards: ShardedNetwork) -> TrainingPlan:
    """Give the shards the moments and the streams' states of a resumed training, if it is one; the
    plan without that checkpoint, so that its arrays can be freed."""
    if plan.resumed is not None:
        shards.moments = plan.resumed.arrays["moments"]
        shards.state = plan.resumed.arrays["state"]
    return replace(plan, resumed=None)


def corpus_record(corpus: Corpus) -> dict[str, Any]:
    """What a checkpoint says about the text of its training, to know it again."""
    return {
        "name": corpus.name,
        "sha256": corpus.sha256,
        "symbols": len(corpus.ids),
        "encoding": corpus.encoding,
        "sources": list(corpus.sources),
    }


def good_is_best(state: RunState) -> bool:
    """Whether the weights to go back to are the best ones."""
    return state.best_loss is not None and state.good_step == state.best_step


def good_weights(checkpoint: Checkpoint, state: RunState) -> Array:
    """The weights to go back to (P,); those of older checkpoints are the last ones."""
    if good_is_best(state):
        return checkpoint.weights
    return checkpoint.arrays.get(GOOD, checkpoint.arrays["last"])
