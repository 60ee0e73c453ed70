"""The product in WebAssembly, in a browser that runs it, beside the same in JavaScript."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from browsers import Opened, launched
from charrnn.export.kernel import kernel
from charrnn.export.live_page import live_page
from exported import checkpoint

PRODUCTS = (files("charrnn.export") / "products.js").read_text()
PROGRAM = """
({ kernel, rows, columns, M, x, out }) => {%s
  return [new Uint8Array(kernel), new Uint8Array(0)].map((code) => {
    const products = new Products(code, 3, rows * columns + columns + rows + 3);
    const placed = (numbers) => {
      const array = products.array(numbers.length);
      array.set(numbers);
      return array;
    };
    const target = placed([...out, 7, 7, 7]);
    products.add(placed(M), rows, columns, placed(x), target, 1);
    return { compiled: products.compiled !== null, out: [...target] };
  });
}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from launched()


def test_the_module_is_small() -> None:
    assert kernel() == kernel()
    assert len(kernel()) < 500


def test_the_product_is_that_of_numpy(browser: Any, tmp_path: Path) -> None:
    page = Opened(browser, tmp_path, live_page(checkpoint(), title="a"))
    rng = np.random.default_rng(3)
    for rows, columns in [(1, 1), (3, 4), (2, 15), (5, 16), (7, 17), (4, 31), (8, 64), (3, 103)]:
        M = rng.normal(size=(rows, columns)).astype(np.float32)
        x, out = rng.normal(size=columns).astype(np.float32), rng.normal(size=rows + 1)
        arguments = {"M": M.ravel(), "x": x, "out": out.astype(np.float32)}
        compiled, plain = page.tab.evaluate(
            PROGRAM % PRODUCTS,
            {name: array.tolist() for name, array in arguments.items()}
            | {"kernel": list(kernel()), "rows": rows, "columns": columns},
        )
        assert (compiled["compiled"], plain["compiled"]) == (True, False)
        expected = out.astype(np.float32)
        expected[1:] += M @ x
        np.testing.assert_allclose(compiled["out"][:-3], expected, rtol=1e-5, atol=1e-5)
        assert compiled["out"][-3:] == [7, 7, 7], "nothing else is written"
        assert compiled["out"] == plain["out"], "the same bits"
    page.check()
