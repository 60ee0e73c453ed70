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

# needs `pip install -e '.[bench]'`, a quiet machine and some minutes
bench:
	$(PYTHON) benchmarks/corpus.py
	$(PYTHON) benchmarks/startup.py
	$(PYTHON) benchmarks/training.py
