"""A progress bar that names the stage of the work, on a terminal."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from tqdm import tqdm


class StageBar:
    """A tqdm bar on stderr, which leaves nothing behind; nothing where stderr is no terminal.

    It is called with the name of a stage and the share of it that is done, 0 to 1. Use it as a
    context, which clears the bar.
    """

    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def __enter__(self) -> Self:
        if sys.stderr is not None and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(
                total=1.0,
                file=sys.stderr,
                leave=False,
                dynamic_ncols=True,
                bar_format="charrnn: {desc} |{bar}| {percentage:3.0f}% {elapsed}",
            )
        return self

    def __call__(self, stage: str, share: float) -> None:
        if self._bar is not None:
            self._bar.set_description_str(stage, refresh=False)
            self._bar.n = share
            self._bar.refresh()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
