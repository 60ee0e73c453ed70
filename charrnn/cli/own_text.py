"""The text that a model was trained on, for commands that count or measure on it."""

import contextlib
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from charrnn.errors import CharRNNError

if TYPE_CHECKING:
    from charrnn.types import IdArray


class OwnText:
    """The text that the model in a checkpoint was trained on, where it is found."""

    def __init__(self, checkpoint: Path) -> None:
        from charrnn.checkpoints.format import read_checkpoint
        from charrnn.checkpoints.training_record import saved_options
        from charrnn.checkpoints.training_text import own_text

        saved = read_checkpoint(checkpoint)
        self.train: IdArray | None = None
        self.validation: IdArray | None = None
        self._sha256 = ""
        with contextlib.suppress(CharRNNError):
            corpus = own_text(saved, checkpoint.parent)
            options = saved_options(saved.training)
            self.train, validation, _ = corpus.split(
                options.validation_fraction, options.test_fraction
            )
            self.validation = validation if len(validation) else None
            self._sha256 = corpus.sha256

    def is_text(self, data: bytes) -> bool:
        """Whether these bytes are the whole text."""
        return self._sha256 == hashlib.sha256(data).hexdigest()
