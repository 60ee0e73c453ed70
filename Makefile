# Everything runs in the virtual environment that is active, or in PYTHON's.
PYTHON ?= python3

.PHONY: lint types test bench check

check: lint types test

lint:
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .

types:
	$(PYTHON) -m mypy

test:
	$(PYTHON) -m pytest

# needs `pip install -e '.[bench]'`, a quiet machine and half an hour; the kernels are those that
# NumPy's library chooses itself
bench: unset = env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE
bench:
	$(PYTHON) benchmarks/corpus.py
	$(PYTHON) benchmarks/startup.py
	$(unset) $(PYTHON) benchmarks/speed.py --json speed.json
