# Everything runs in the virtual environment that is active, or in PYTHON's.
PYTHON ?= python3

.PHONY: lint types test bench check soak

check: lint types test

lint:
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"

types:
	$(PYTHON) -m mypy

test:
	$(PYTHON) -m pytest

# long: kills at random moments, damaged checkpoints, any combination of options
soak:
	$(PYTHON) tests/kills.py --kills 120
	$(PYTHON) tests/kills.py --kills 80 --seed 2 --threads 2
	$(PYTHON) tests/mutations.py
	CHARRNN_EXAMPLES=700 $(PYTHON) -m pytest tests/cli/test_option_combinations.py

# needs `pip install -e '.[bench]'`, a quiet machine and half an hour; the kernels are those that
# NumPy's library chooses itself
bench: unset = env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE
bench:
	$(PYTHON) benchmarks/corpus.py
	$(PYTHON) benchmarks/startup.py
	$(PYTHON) benchmarks/memory.py
	$(unset) $(PYTHON) benchmarks/speed.py --json speed.json
