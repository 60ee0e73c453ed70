"""What a training is: worked out once, before its first step, for every way to start one.

    text, options that were given ─▶ plan ─▶ Trainer

Options that were not given are chosen here: the network, length of windows, β₁, dropout and weight
decay by the length of the text and the time (`charrnn.training.sizing`), windows that the text can
fill, threads, the budget.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from charrnn import registries
from charrnn.checkpoints.format import Checkpoint
from charrnn.checkpoints.training_record import changed, check_corpus, check_record, saved_options
from charrnn.errors import CheckpointError, OptionError
from charrnn.nn.network import Network, NetworkConfig
from charrnn.optim.optimizers import OPTIMIZERS
from charrnn.options import (
    DEFAULT_OPTIMIZER,
    NETWORK_OPTIONS,
    TrainingOptions,
    usable_threads,
)
from charrnn.text.batches import Batches, fit_shape
from charrnn.text.corpus import Corpus
from charrnn.text.vocabulary import Ids
from charrnn.training.budget import Budget
from charrnn.training.finetuning import extended
from charrnn.training.memory_estimate import check_memory
from charrnn.training.run_state import RunState
from charrnn.training.sizing import Reading, choose

CHOSEN_OPTIONS = ("dropout", "weight_decay", "recurrent_dropout", "seq_length", "beta1")
"""Options of the training that depend on the text and the time, where they are not given."""


@dataclass(frozen=True, eq=False)
class TrainingPlan:
    """All that a training needs to know before its first step.

    The `corpus` is in the symbols of the `network`, whose weights are those to begin with. The
    `options` are complete. Without `output` nothing is saved.
    """

    corpus: Corpus
    network: Network
    options: TrainingOptions
    output: Path | None = None
    chosen: Mapping[str, Any] = field(default_factory=dict)
    """Sizes and options that were not given, and are chosen for the text and the time."""
    resumed: Checkpoint | None = None
    """The training to go on with, if there is one."""
    rate_given: bool = False
    """Whether a resumed training begins anew with a given learning rate, without the halvings of
    before."""
    budget_changed: bool = False
    """Whether a resumed training has another budget than before, and so another schedule."""
    shards_changed: bool = False
    """Whether a resumed training is shared out among another number of workers than before (or of
    ranks, where they matter), so that it does not go on to the bit as it would
    have."""
    ranks: int = 1
    """Processes, on one machine or several, that have the workers."""
    new_symbols: tuple[str, ...] | None = None
    """The names of symbols that the model to begin with did not know, if there was one."""

    def split(self) -> tuple[Ids, Ids, Ids]:
        """The parts of the text for training, validation and test: views."""
        return self.corpus.split(self.options.validation_fraction, self.options.test_fraction)

    def batches(self) -> Batches:
        """Windows of the part for training, in as many streams as it can fill."""
        train, _, _ = self.split()
        return Batches(train, *fit_shape(len(train), *shape_of(self.options)))

    def budget(self) -> Budget:
        """How long the training runs."""
        return Budget.of(self.options, self.batches().windows)

    def state(self) -> RunState:
        """How far the training is before it runs: at the beginning, or where it stopped."""
        if self.resumed is None:
            return RunState()
        state = RunState.from_record(check_record(self.resumed))
        if self.rate_given:
            state.halvings = state.recoveries = 0
        return state


def shape_of(options: TrainingOptions) -> tuple[int, int]:
    """Streams and steps of a window, as the options ask for them."""
    return options.batch_size, options.seq_length


def _with_defaults(wanted: Mapping[str, Any]) -> TrainingOptions:
    """The options that were given, and for the others the defaults of the optimizer."""
    optimizer = wanted.get("optimizer", DEFAULT_OPTIMIZER)
    usual = registries.OPTIMIZERS[optimizer].defaults if optimizer in OPTIMIZERS else {}
    return TrainingOptions(**{"threads": usable_threads(), **usual, **wanted})


def plan_training(
    corpus: Corpus,
    given: Mapping[str, Any],
    *,
    output: Path | None = None,
    init_from: Checkpoint | None = None,
    ranks: int = 1,
) -> TrainingPlan:
    """A new training on `corpus`, with the options of network and training that were `given` by
    name (`threads` are those of all `ranks` together); of the best model of the checkpoint
    `init_from`, if there is one, which learns the symbols of the corpus that it does not know.

    Raises OptionError for options that make no sense, alone or for this text and model.
    """
    network_options, wanted = _separated(given)
    if init_from is not None:
        check_network(network_options, init_from.config)
        network_options = {name: getattr(init_from.config, name) for name in NETWORK_OPTIONS}
    options = _with_defaults(wanted)
    wishes = {name: given.get(name) for name in CHOSEN_OPTIONS}
    if "optimizer" in wanted:  # which knows what suits it
        wishes |= {"weight_decay": options.weight_decay, "beta1": options.beta1}
    wishes |= {name: network_options.get(name) for name in NETWORK_OPTIONS}
    size = asdict(choose(Reading.of(corpus, options), wishes))
    chosen = {name: value for name, value in size.items() if wishes[name] is None}
    options = replace(options, **{name: size[name] for name in CHOSEN_OPTIONS})
    new_symbols = None
    rng = np.random.default_rng(options.seed)
    if init_from is None:
        shape = {name: size[name] for name in NETWORK_OPTIONS}
        config = NetworkConfig(corpus.vocabulary.size, **shape)
        check_memory(config, options, len(corpus.ids), ranks)
        network = Network.create(config, rng)
    else:
        new_symbols = init_from.vocabulary.missing(corpus.vocabulary)
        vocabulary_size = init_from.vocabulary.size + len(new_symbols)
        config = replace(init_from.config, vocabulary_size=vocabulary_size)
        check_memory(config, options, len(corpus.ids), ranks)
        network, corpus = extended(init_from.network(), init_from.vocabulary, corpus, rng)
    plan = TrainingPlan(
        corpus, network, options, output, chosen, ranks=ranks, new_symbols=new_symbols
    )
    return _completed(plan)


def plan_resumed(
    checkpoint: Checkpoint,
    corpus: Corpus,
    given: Mapping[str, Any],
    *,
    output: Path | None = None,
    ranks: int = 1,
) -> TrainingPlan:
    """The training in `checkpoint`, to go on from where it was saved; `given` options change.

    Raises CheckpointError for another corpus, and OptionError for options that a training cannot
    change, or if there is nothing left to do.
    """
    network_options, wanted = _separated(given)
    check_network(network_options, checkpoint.config)
    record = check_record(checkpoint)
    before = saved_options(record)
    plan = _completed(
        TrainingPlan(
            check_corpus(checkpoint, corpus),
            Network.from_weights(checkpoint.config, checkpoint.arrays["last"].copy()),
            changed(before, wanted),
            output,
            resumed=checkpoint,
            rate_given="learning_rate" in wanted,
            ranks=ranks,
        )
    )
    _check_arrays(checkpoint, plan)
    budgets = [(each.epochs, each.minutes) for each in (plan.options, before)]
    plan = replace(
        plan,
        budget_changed=budgets[0] != budgets[1],
        shards_changed=plan.options.threads != before.threads
        or (plan.options.depends_on_ranks and ranks != record["ranks"]),
    )
    _check_that_something_is_left(plan, RunState.from_record(record))
    return plan


def _check_arrays(checkpoint: Checkpoint, plan: TrainingPlan) -> None:
    """Raise CheckpointError where the arrays are not those that the options need."""
    moments = OPTIMIZERS[plan.options.optimizer].state_names
    batches = plan.batches()
    if len(checkpoint.arrays["moments"]) != len(moments):
        raise CheckpointError(
            f"this checkpoint is damaged: its moments are not those of {plan.options.optimizer}"
        )
    if checkpoint.arrays["state"].shape[-1] != batches.batch:
        raise CheckpointError(
            f"this checkpoint is damaged: its state is not that of {batches.batch} streams"
        )


def _check_that_something_is_left(plan: TrainingPlan, state: RunState) -> None:
    # a run that was killed before its final losses were measured has that still to do
    if not state.finished:
        return
    budget, patience = plan.budget(), plan.options.patience
    if budget.progress(state.step, state.seconds) >= 1:
        raise OptionError(
            f"this training has used up its budget ({budget}): give it a larger `minutes` or "
            "`epochs` to go on"
        )
    if 0 < patience <= state.stale:
        raise OptionError(
            f"this training was stopped early, with `patience` {patience}: "
            "give it a larger one to go on"
        )


def _completed(plan: TrainingPlan) -> TrainingPlan:
    """The plan with the options that the text decides. Raises OptionError where it allows none."""
    _, held_out, _ = plan.split()
    batches, options = plan.batches(), plan.options
    if len(held_out) == 0 and (options.patience or options.schedule == "plateau"):
        wish = "`patience`" if options.patience else "the plateau `schedule`"
        raise OptionError(
            f"{wish} goes by the validation loss: give a `validation_fraction` above 0"
        )
    if plan.ranks > batches.batch:
        raise OptionError(
            f"{plan.ranks} ranks are more than the {batches.batch} streams of a batch, of which "
            "each rank needs one at least: start fewer with mpiexec, or raise `batch_size`"
        )
    budget = Budget.of(options, batches.windows)
    options = replace(
        options,
        threads=max(plan.ranks, min(options.threads, batches.batch)),
        epochs=budget.epochs,
        minutes=budget.minutes,
    )
    return replace(plan, options=options)


def _separated(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options of the network, and those of the training."""
    network = {name: value for name, value in given.items() if name in NETWORK_OPTIONS}
    training = {name: value for name, value in given.items() if name not in NETWORK_OPTIONS}
    return network, training


def check_network(given: Mapping[str, Any], config: NetworkConfig) -> None:
    """Raise OptionError where a network of this shape is not what was asked for."""
    for name, value in given.items():
        saved = getattr(config, name)
        if value != saved:
            raise OptionError(
                f"`{name}` {value} does not fit the checkpoint, which has {saved}: leave the "
                "option out, or train anew with another `output`"
            )
