"""What is said of a machine that could be faster."""

from pathlib import Path

import pytest

from charrnn.machine import diagnosis
from charrnn.machine.blas import Library
from charrnn.machine.diagnosis import (
    INSTRUCTIONS,
    ProductSpeed,
    choices,
    processor_flags,
    product_speed,
    warnings,
)

QUIET = ProductSpeed(peak=100e9, usual=90e9)
AVX512, AVX2 = (each.flags for each in INSTRUCTIONS)


def openblas(kernels: str) -> Library:
    return Library("openblas", "0.3.31", kernels, 2)


def machine(monkeypatch: pytest.MonkeyPatch, flags: frozenset[str], *found: Library) -> None:
    """A processor with these flags, and these libraries."""
    monkeypatch.setattr(diagnosis, "processor_flags", lambda: flags)
    monkeypatch.setattr(diagnosis, "libraries", lambda: list(found))
    monkeypatch.delenv(diagnosis.VARIABLE, raising=False)


@pytest.mark.parametrize(
    ("flags", "kernels"),
    [
        (AVX512 | AVX2, "SkylakeX"),
        (AVX512 | AVX2, "SapphireRapids"),
        (AVX2, "Haswell"),
        (AVX2, "Zen"),
        (frozenset({"sse2"}), "Prescott"),
        (frozenset(), "armv8"),
    ],
)
def test_kernels_that_suit_the_processor(
    monkeypatch: pytest.MonkeyPatch, flags: frozenset[str], kernels: str
) -> None:
    machine(monkeypatch, flags, openblas(kernels))
    assert list(warnings(QUIET)) == []


@pytest.mark.parametrize(
    ("flags", "kernels", "name", "better"),
    [
        (AVX512 | AVX2, "Haswell", "AVX-512", "SkylakeX"),
        (AVX512 | AVX2, "Prescott", "AVX-512", "SkylakeX"),
        (AVX2, "Sandybridge", "AVX2", "Haswell"),
    ],
)
def test_kernels_of_another_processor(
    monkeypatch: pytest.MonkeyPatch, flags: frozenset[str], kernels: str, name: str, better: str
) -> None:
    machine(monkeypatch, flags, openblas(kernels))
    (found,) = warnings(QUIET)
    assert found.startswith(f"the processor has {name}, and matrix products do not use it: ")
    assert found.endswith(f"install a newer NumPy, or set OPENBLAS_CORETYPE={better}")
    monkeypatch.setenv(diagnosis.VARIABLE, kernels)
    (found,) = warnings(QUIET)
    assert found.endswith("unset OPENBLAS_CORETYPE, which names other kernels")


def test_a_machine_that_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """However fast it is: nothing is compared with another machine."""
    machine(monkeypatch, AVX2, openblas("Haswell"))
    for peak in (1e9, 1e12):
        assert list(warnings(ProductSpeed(peak, 0.7 * peak))) == []
        (found,) = warnings(ProductSpeed(peak, 0.5 * peak))
        assert found.startswith("large products reach 50% of the speed of small ones: ")


def test_an_unknown_library(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, AVX512)
    assert not [line for line in choices() if line.startswith("products: ")]
    (found,) = warnings(QUIET)
    assert "everything works" in found


def test_a_library_that_does_not_name_its_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, AVX512, Library("mkl", "", "", 2))
    assert "products: mkl , kernels for a processor it does not name, threads 2" in choices()
    assert list(warnings(QUIET)) == []


def test_the_flags_of_a_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    monkeypatch.setattr(diagnosis, "CPUINFO", cpuinfo)
    for text, expected in (
        ("model name: x\nflags\t: fpu avx2 fma\nflags\t: other\n", {"fpu", "avx2", "fma"}),
        ("Features\t: asimd\n", set()),
        ("", set()),
        (None, set()),
    ):
        if text is None:
            cpuinfo.unlink()
        else:
            cpuinfo.write_text(text)
        processor_flags.cache_clear()
        assert processor_flags() == expected
    processor_flags.cache_clear()


def test_speeds_are_operations_by_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The best of the small products, the median of the large ones, none of the first."""
    clock = [0.0]
    seconds = iter([9.0, *[2.0] * 29, 1.0, 9.0, 4.0, 8.0, 5.0])

    def watch() -> float:
        watch.calls += 1  # type: ignore[attr-defined]
        if watch.calls % 2 == 0:  # type: ignore[attr-defined]
            clock[0] += next(seconds)
        return clock[0]

    watch.calls = 0  # type: ignore[attr-defined]
    monkeypatch.setattr("time.perf_counter", watch)
    speed = product_speed(rounds=3)
    assert speed == ProductSpeed(peak=2 * 256**3 / 1.0, usual=2 * 1024**3 / 5.0)


@pytest.mark.parametrize(("fast", "name"), [(True, "tanh"), (False, "exp")])
@pytest.mark.parametrize(("small", "how"), [(True, "in tiles, without packing"), (False, "whole")])
def test_each_choice_is_named(
    monkeypatch: pytest.MonkeyPatch, fast: bool, name: str, small: bool, how: str
) -> None:
    monkeypatch.setattr(diagnosis, "has_fast_tanh", lambda: fast)
    monkeypatch.setattr(diagnosis, "has_small_products", lambda: small)
    *_, of_products, of_sigmoids = choices()
    assert of_products == f"products within the loop over time: {how}"
    assert of_sigmoids.startswith(f"sigmoids: by {name}, with ")
