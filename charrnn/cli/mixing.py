"""Options and models of mixtures, for the commands that have them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from charrnn.cli.formatting import harmless
from charrnn.cli.input_texts import common_pieces, encoded_text
from charrnn.cli.own_text import OwnText
from charrnn.cli.shared_options import chosen_checkpoint
from charrnn.errors import OptionError

if TYPE_CHECKING:
    from charrnn.analysis.dynamic_evaluation import Adaptation
    from charrnn.mixtures.gate import Domain
    from charrnn.model import Model
    from charrnn.ngram.model import NgramModel
    from charrnn.types import IdArray

Unknown = Literal["error", "skip"]


def mixing_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """--ngram and --mixing: parameters `ngram` and `mixing`."""
    for option in (
        click.option(
            "--mixing",
            type=click.Choice(["log", "linear"]),
            default="log",
            help="How models are mixed: their log-probabilities, or their probabilities.",
        ),
        click.option(
            "--ngram",
            metavar="FILE[=WEIGHT]",
            help="Mix the model with an n-gram model: of this text, or in a file that `charrnn "
            "ngram` has written. Of the model's own training text, only the training part is "
            "counted.  [default: none]",
        ),
    ):
        function = option(function)
    return function


@dataclass(frozen=True)
class Weighted:
    """A file with the weight that was given after it, FILE=WEIGHT; None without one."""

    path: Path
    weight: float | None

    @classmethod
    def parsed(cls, text: str) -> "Weighted":
        """Raises OptionError for a weight that is no number of at least 0."""
        name, equals, number = text.rpartition("=")
        if not equals or Path(text).exists():
            return cls(Path(text), None)
        try:
            weight = float(number)
        except ValueError as error:
            raise OptionError(
                f"{harmless(text)}: there is no such file, and {harmless(number)!r} is no weight"
            ) from error
        if not (math.isfinite(weight) and weight >= 0):
            raise OptionError(
                f"the weight of {harmless(name)} must be a finite number of at least 0, not "
                f"{number}"
            )
        return cls(Path(name), weight)


@dataclass(frozen=True)
class MixtureFiles:
    """What to mix: checkpoints, and perhaps an n-gram model or the text for one."""

    checkpoints: Sequence[Weighted]
    ngram: Weighted | None
    mixing: "Domain"
    unknown: Unknown

    @property
    def weights(self) -> list[float] | None:
        """The weight of each model: 1 where others have one and it has none; None where no weight
        is given."""
        given = [each.weight for each in (*self.checkpoints, *([self.ngram] if self.ngram else []))]
        if all(weight is None for weight in given):
            return None
        return [1.0 if weight is None else weight for weight in given]

    @classmethod
    def of(
        cls,
        checkpoints: Sequence[Path],
        ngram: str | None,
        mixing: "Domain",
        unknown: Unknown,
        doing: str = "writing with",
    ) -> "MixtureFiles":
        """What the options name; without a checkpoint the newest one of the folder."""
        named = checkpoints or (chosen_checkpoint(None, doing),)
        return cls(
            [Weighted.parsed(str(each)) for each in named],
            None if ngram is None else Weighted.parsed(ngram),
            mixing,
            unknown,
        )

    @property
    def name(self) -> str:
        """The names of all files."""
        files = [*self.checkpoints, *([self.ngram] if self.ngram else [])]
        return " + ".join(str(each.path) for each in files)

    @property
    def is_mixture(self) -> bool:
        """Whether there is more than one model."""
        return len(self.checkpoints) > 1 or self.ngram is not None

    def writer(self) -> "Model":
        """The model or the mixture to write with. A notice says where its weights are from."""
        if not self.is_mixture:
            from charrnn.model import load

            return load(self.checkpoints[0].path)
        loaded = self.load()
        if self.weights is None and loaded.learned_from is None:
            click.echo(
                "charrnn: the validation part of the training text is not found: all models of "
                "the mixture have the same weight",
                err=True,
            )
        return loaded.model

    def load(self) -> "LoadedMixture":
        """The mixture. Without weights, its gate is learned from the validation part of the first
        model's training text, where that is found. Raises CharRNNError for what does not fit."""
        from charrnn.mixed_model import mix
        from charrnn.model import load

        models = [load(each.path) for each in self.checkpoints]
        own = OwnText(self.checkpoints[0].path)
        ngram = None if self.ngram is None else self._ngram(models[0], own)
        learn_from = own.validation if self.weights is None else None
        model = mix(models, ngram, weights=self.weights, learn_from=learn_from, mixing=self.mixing)
        return LoadedMixture(model, learn_from)

    def _ngram(self, model: "Model", own: "OwnText") -> "NgramModel":
        """The n-gram model in a file, or of a text, in the ids of a model."""
        from charrnn.checkpoints.ngram_file import is_ngram_file, read_ngrams
        from charrnn.ngram.model import NgramModel
        from charrnn.text.sources import read_source

        assert self.ngram is not None
        path = self.ngram.path
        if path.suffix == ".npz" or is_ngram_file(path):
            saved = read_ngrams(path)
            if saved.vocabulary != model.vocabulary:
                one, other = saved.vocabulary, model.vocabulary
                raise OptionError(
                    f"{path} has the n-grams of another text ({harmless(saved.text)}), of "
                    f"{one.size:,} different {one.kind}, and the model knows {other.size:,} "
                    f"{other.kind}: count them with `charrnn ngram` for this model"
                )
            return saved.model
        data = read_source(str(path))
        if own.train is not None and own.is_text(data):
            click.echo(f"charrnn: counting the training part of {harmless(str(path))}", err=True)
            return NgramModel.of(own.train, model.vocabulary.size)
        ids = encoded_text(data, str(path), model, self.unknown)
        return NgramModel.of(ids, model.vocabulary.size)


@dataclass(frozen=True)
class LoadedMixture:
    """A model or a mixture, the text that the gate of a mixture was learned from, if it was, and
    how the model adapts, if it does."""

    model: "Model"
    learned_from: "IdArray | None" = None
    adaptation: "Adaptation | None" = None

    def for_scoring(self, ids: "IdArray", name: str) -> tuple["Model", bool]:
        """The model to score a text (N,) with, and whether its gate is to learn meanwhile. A
        gate that was learned from a part of this text begins anew."""
        from charrnn.mixed_model import MixedModel
        from charrnn.mixtures.mixture import learning_part

        if not isinstance(self.model, MixedModel):
            return self.model, False
        if self.learned_from is None:
            return self.model, not self.model.mixture.gate.is_fixed
        part = learning_part(self.learned_from, self.model.vocabulary.size)
        if common_pieces(part, ids) == 0 == common_pieces(ids, part):
            return self.model, False
        click.echo(
            f"charrnn: {harmless(name)} has a part of the validation text: the weights of the "
            "mixture are learned while it is scored, each after its character was predicted",
            err=True,
        )
        return self.model.with_even_gate(), True
