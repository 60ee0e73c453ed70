"""What is said of a machine that could be faster."""

from pathlib import Path

import pytest

from charrnn.machine import diagnosis
from charrnn.machine.diagnosis import has_avx512, product_speed, warnings

FAST = 200e9


@pytest.fixture(autouse=True)
def _a_processor_with_avx512(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "has_avx512", lambda: True)
    monkeypatch.setattr(diagnosis, "libraries", lambda: ["openblas"])
    monkeypatch.setattr(diagnosis, "has_small_products", lambda: True)
    monkeypatch.delenv(diagnosis.VARIABLE, raising=False)


def test_nothing_is_amiss() -> None:
    assert list(warnings(FAST)) == []


def test_kernels_of_another_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "has_small_products", lambda: False)
    (found,) = warnings(FAST)
    assert found.endswith("install a newer NumPy, or set OPENBLAS_CORETYPE=SkylakeX")
    monkeypatch.setenv(diagnosis.VARIABLE, "Haswell")
    (found,) = warnings(FAST)
    assert found.endswith("unset OPENBLAS_CORETYPE, which names these")
    monkeypatch.setattr(diagnosis, "has_avx512", lambda: False)
    assert list(warnings(FAST)) == []


def test_a_machine_that_is_busy() -> None:
    (found,) = warnings(10e9)
    assert "look for what else runs here" in found


def test_an_unknown_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "libraries", list)
    monkeypatch.setattr(diagnosis, "has_small_products", lambda: False)
    (found,) = warnings(FAST)
    assert "everything works" in found


def test_the_flags_of_a_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    monkeypatch.setattr(diagnosis, "CPUINFO", cpuinfo)
    for text, expected in (
        ("model name: x\nflags\t: fpu avx512f avx512bw avx512dq avx512vl\n", True),
        ("flags\t: fpu avx512f avx2\n", False),
        ("", False),
    ):
        cpuinfo.write_text(text)
        has_avx512.cache_clear()
        assert has_avx512() == expected
    cpuinfo.unlink()
    has_avx512.cache_clear()
    assert not has_avx512()
    has_avx512.cache_clear()


def test_a_speed_is_a_positive_number() -> None:
    assert product_speed(1) > 0
