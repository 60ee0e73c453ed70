"""The one base of every error that charrnn raises on purpose."""


class CharRNNError(Exception):
    """Something the user can mend: the message names what is wrong and what to do about it."""


class CorpusError(CharRNNError):
    """A text that cannot be read, decoded or learned from."""


class CheckpointError(CharRNNError):
    """A checkpoint that cannot be read, written or used as asked."""


class OptionError(CharRNNError):
    """An option, or a combination of options, that makes no sense."""


class UnknownSymbolError(CharRNNError):
    """A text with symbols that are not in the model's vocabulary."""


class DivergedError(CharRNNError):
    """A training that has diverged again after every recovery."""
