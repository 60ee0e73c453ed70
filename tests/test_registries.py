"""The registries name what exists, and cost no import of NumPy."""

import subprocess
import sys

import pytest

from charrnn import registries
from charrnn.nn.cells import CELLS, Cell
from charrnn.optim.optimizers import OPTIMIZERS, Optimizer
from charrnn.optim.schedules import SCHEDULES, cosine
from charrnn.options import TrainingOptions
from charrnn.registries import Entry, Registry


def test_every_entry_leads_to_what_it_names() -> None:
    assert all(issubclass(kind, Cell) for kind in CELLS.values())
    assert all(issubclass(kind, Optimizer) for kind in OPTIMIZERS.values())
    assert SCHEDULES["cosine"] is cosine
    assert all(0 <= schedule(0.5, 2) <= 1 for schedule in SCHEDULES.values())


def test_defaults_are_options_of_a_training() -> None:
    for name, entry in registries.OPTIMIZERS.items():
        options = TrainingOptions.from_json({"optimizer": name, **entry.defaults})
        assert options.learning_rate == entry.defaults["learning_rate"]


def test_a_registry_has_the_names_of_its_table_and_no_others() -> None:
    registry: Registry[object] = Registry({"join": Entry("os.path:join")})
    assert list(registry) == ["join"]
    assert len(registry) == 1
    assert "join" in registry
    assert "lstm" not in registry
    with pytest.raises(KeyError):
        registry["lstm"]


def test_names_cost_no_import_of_numpy() -> None:
    code = "import sys, charrnn.registries, charrnn.options; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
