"""Where a training is shown: a bar with samples on a terminal, plain lines elsewhere."""

import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from charrnn.cli.formatting import clock, harmless
from charrnn.cli.standard_streams import discard
from charrnn.training.events import Event, Measuring, Report, Step
from charrnn.training.trainer import Trainer

if TYPE_CHECKING:
    from rich.console import RenderableType
    from tqdm import tqdm


def time_left(step: Step) -> str:
    if step.progress <= 0:
        return "?"
    return clock(step.seconds * (1 - step.progress) / step.progress)


class Screen(Protocol):
    """Where a training is shown."""

    def say(self, line: str) -> None: ...
    def show(self, event: Event) -> None: ...
    def sample(self, step: Step, text: str) -> None: ...
    def close(self) -> None: ...


def open_screen(trainer: Trainer, quiet: bool) -> Screen:
    if quiet or sys.stderr is None:
        return Silence()
    return Fading(Bar(trainer) if sys.stderr.isatty() else Lines())


class Silence:
    """--quiet."""

    def say(self, line: str) -> None: ...
    def show(self, event: Event) -> None: ...
    def sample(self, step: Step, text: str) -> None: ...
    def close(self) -> None: ...


class Fading:
    """A screen that may go away, as a pipe or a terminal may; the training goes on without it."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def say(self, line: str) -> None:
        self._try(lambda screen: screen.say(line))

    def show(self, event: Event) -> None:
        self._try(lambda screen: screen.show(event))

    def sample(self, step: Step, text: str) -> None:
        self._try(lambda screen: screen.sample(step, text))

    def close(self) -> None:
        self._try(lambda screen: screen.close())

    def _try(self, action: Callable[[Screen], None]) -> None:
        try:
            action(self._screen)
        except OSError:
            discard(sys.stderr)
            self._screen = Silence()


class Lines:
    """Plain lines on stderr, for files and pipes."""

    def say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)  # noqa: T201  # the screen of this class

    def show(self, event: Event) -> None:
        if isinstance(event, Report):
            held_out = event.validation_loss
            validation = "" if held_out is None else f"  validation {held_out:.4f}"
            self.say(
                f"step {event.step:,}  epoch {event.epoch:.2f}  "
                f"loss {event.loss:.4f} nats ({event.loss / math.log(2):.4f} bits){validation}  "
                f"{event.characters_per_second:,.0f} characters/s  {time_left(event)} left"
            )
        elif isinstance(event, Measuring) and event.done < 1:
            self.say(f"measuring the {event.part} loss: {event.done:.0%}")

    def sample(self, step: Step, text: str) -> None:
        self.say(f"--- sample at step {step.step:,} ---\n{harmless(text)}\n---")

    def close(self) -> None: ...


class Bar:
    """A tqdm bar on the terminal of stderr, with notices and samples above it."""

    def __init__(self, trainer: Trainer) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)
        self._bar: tqdm | None = None
        self._start = trainer.progress

    def say(self, line: str) -> None:
        self._print(line)

    def show(self, event: Event) -> None:
        if isinstance(event, Step):
            bar = self._opened()
            held_out = event.validation_loss
            validation = "" if held_out is None else f" · validation {held_out:.3f}"
            bar.set_description_str(
                f"epoch {event.epoch:.2f} · loss {event.loss:.3f} nats "
                f"{event.loss / math.log(2):.3f} bits{validation} · "
                f"{event.characters_per_second:,.0f} chars/s · {time_left(event)} left",
                refresh=False,
            )
            bar.update(event.progress - bar.n)
        elif isinstance(event, Measuring) and event.done < 1:
            bar = self._opened()
            bar.set_description_str(f"measuring the {event.part} loss: {event.done:.0%}")

    def sample(self, step: Step, text: str) -> None:
        from rich.rule import Rule
        from rich.text import Text

        self._print(Rule(f"step {step.step:,} · loss {step.loss:.3f} nats", style="dim"))
        self._print(Text(harmless(text), style="italic"))

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()

    def _opened(self) -> "tqdm":
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(
                total=1.0,
                initial=self._start,
                file=sys.stderr,
                dynamic_ncols=True,
                bar_format="{percentage:3.0f}%|{bar}| {desc}",
            )
        return self._bar

    def _print(self, what: "RenderableType") -> None:
        if self._bar is None:
            self._console.print(what, markup=False, soft_wrap=True)
            return
        self._bar.clear()
        self._console.print(what, markup=False)
        self._bar.refresh()
