"""A trained model goes on to learn another text, with symbols that it has never seen."""

from dataclasses import replace

import numpy as np

from charrnn.errors import OptionError
from charrnn.nn.network import Network
from charrnn.text.corpus import Corpus
from charrnn.text.vocabulary import Vocabulary


def extended(
    network: Network, vocabulary: Vocabulary, corpus: Corpus, rng: np.random.Generator
) -> tuple[Network, Corpus]:
    """The network with the symbols of `corpus` beside those of its own `vocabulary`, and the corpus
    in the ids of both.

    What the network has learned is kept to the bit; the columns of U₀ and the rows of V that belong
    to new symbols are fresh, and the biases of their logits are as low as that of any old symbol,
    since the old text had none of them. Raises OptionError where one has bytes, and the other
    characters.
    """
    if vocabulary.is_bytes != corpus.vocabulary.is_bytes:
        raise OptionError(
            f"the model to begin with has learned {vocabulary.kind}, and the text is read as "
            f"{corpus.vocabulary.kind}: {'add' if vocabulary.is_bytes else 'leave out'} `as_bytes`"
        )
    both = vocabulary.union(corpus.vocabulary)
    config = replace(network.config, vocabulary_size=both.size)
    larger = Network.create(config, rng, network.parameters.flat.dtype)
    old, new = network.parameters, larger.parameters
    known = np.searchsorted(both.symbols, vocabulary.symbols)
    for name in old:
        if name == "U0":
            new["U0"][:, known] = old["U0"][:, :-1]
            new["U0"][:, -1] = old["U0"][:, -1]
        elif name == "V":
            new["V"][:, -1] = old["V"][:, -1].min()
            new["V"][known] = old["V"]
        else:
            new[name][:] = old[name]
    return larger, corpus.recoded(both)
