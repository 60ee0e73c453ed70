"""What memory a training needs."""

from pathlib import Path

import pytest

from charrnn.errors import OptionError
from charrnn.machine import memory_limit
from charrnn.machine.memory_limit import available
from charrnn.nn.network import NetworkConfig
from charrnn.options import TrainingOptions
from charrnn.training import memory_estimate
from charrnn.training.memory_estimate import check_memory, needed
from cli_helpers import call, write


def test_a_known_training() -> None:
    """2 × 512, 64 streams of 64: the benchmark of memory saw a peak of some 304 MB, 80 of which are
    the program and its libraries; a training keeps two more vectors of 3.4 million weights."""
    found = needed(NetworkConfig(87, 512), TrainingOptions(threads=2), 10**6)
    assert 235e6 < found < 270e6


def test_more_of_anything_needs_more() -> None:
    config, options = NetworkConfig(87, 64), TrainingOptions()
    base = needed(config, options, 10**6)
    for larger, wished in (
        (NetworkConfig(88, 64), options),
        (NetworkConfig(87, 65), options),
        (NetworkConfig(87, 64, 3), options),
        (config, TrainingOptions(threads=2)),
        (config, TrainingOptions(batch_size=65)),
        (config, TrainingOptions(seq_length=65)),
        (config, TrainingOptions(dropout=0.1)),
        (config, TrainingOptions(recurrent_dropout=0.1)),
    ):
        assert needed(larger, wished, 10**6) > base
    assert needed(config, TrainingOptions(optimizer="sgd"), 10**6) < base
    assert needed(config, options, 100) < base, "a short text fills fewer streams"


def test_ranks_share_what_a_process_needs() -> None:
    config, options = NetworkConfig(87, 512), TrainingOptions(threads=4)
    one, two, four = (needed(config, options, 10**6, ranks) for ranks in (1, 2, 4))
    assert one > two > four
    vectors = 4 * config.size
    assert four > 6 * vectors, "weights, best, good, two moments, a gradient are on each rank"
    halves = needed(config, TrainingOptions(threads=4, compress=True), 10**6, 4)
    assert halves == four + vectors


def test_what_there_is() -> None:
    there = available()
    assert there is None or there > 10**8


def test_a_container_has_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text("1000000\n")
    monkeypatch.setattr(memory_limit, "LIMITS", (tmp_path / "none", limit))
    if available() is not None:
        assert available() == 1000000
        with pytest.raises(OptionError, match="choose a smaller `hidden_size`"):
            check_memory(NetworkConfig(87, 512), TrainingOptions(), 10**6)
    limit.write_text("max\n")
    check_memory(NetworkConfig(8, 8), TrainingOptions(), 100)


def test_all_of_unicode_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1,112,064 different characters; all code points but the surrogates."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(memory_estimate, "available", lambda: 16 * 10**9)
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x110000)]))
    write("all.txt", every)
    outcome = call("train", "all.txt", "--epochs", "1")
    assert outcome.code == 1
    assert outcome.errors.startswith("charrnn: this training would need about ")
    assert "or --bytes for a text of very many different characters" in outcome.errors
