# Everything rests on `setup`, which makes .venv from requirements.lock; it is quick when nothing has changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
AIRFLOW := .venv-airflow
AIRFLOW_LOCK := tests/scheduling/requirements.lock
SPARK_VERSIONS := 3.5 4.0
FOCUS_VERSIONS := 1.2 1.4
# focus-validator needs 3.12 or later, and its numpy has no wheels for later ones.
PYTHON312 ?= python3.12
LAKE := .venv-lake
LAKE_LOCK := tests/lake/requirements.lock
DUCKLAKE := .venv-ducklake
DUCKLAKE_LOCK := tests/lake/ducklake.lock

.PHONY: setup demo test format lint types tests soak airflow focus lake spark bench scaling docs lock clean
.DEFAULT_GOAL := test

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "emr-usage needs Python 3.11, 3.12 or 3.13; give one with: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: setup  ## load, price and report an emulated company, in demo/
	$(BIN)/emr-usage demo

test: format lint types tests  ## what CI runs

format: setup
	$(BIN)/ruff format --check .

lint: setup
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

tests: setup
	$(BIN)/pytest

soak: setup  ## long random campaigns, which take hours: kills anywhere, accidents in pairs, many moving worlds
	$(BIN)/pytest -m soak --timeout 3600 --deselect tests/emr_usage/test_soak.py
	$(BIN)/pytest -m soak -n 0 tests/emr_usage/test_soak.py
	CONVERGENCE_EXAMPLES=300 $(BIN)/pytest -n 0 --timeout 36000 tests/emr_serverless/test_convergence.py
	$(BIN)/pytest --hypothesis-profile=soak --timeout 3600 --deselect tests/emr_serverless/test_convergence.py tests/emr_serverless

airflow: setup $(AIRFLOW)/.installed  ## a real Airflow runs the DAGs, and linters read deploy/; a few minutes
	$(BIN)/pytest -m airflow -n 0 --timeout 1200 tests/scheduling

# The lock is whole; --no-deps, because pip takes fastapi for unpinned where the lock says fastapi[standard].
$(AIRFLOW)/.installed: $(AIRFLOW_LOCK)
	$(PYTHON) -m venv $(AIRFLOW)
	$(AIRFLOW)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(AIRFLOW_LOCK)
	@touch $@

focus: setup $(FOCUS_VERSIONS:%=.venv-focus-%/.installed)  ## two validators read FOCUS files; needs Python 3.12, takes a minute
	$(BIN)/pytest -m focus -n 0 tests/focus

.venv-focus-%/.installed: tests/focus/requirements-%.lock
	$(PYTHON312) -m venv .venv-focus-$*
	.venv-focus-$*/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

spark: setup $(SPARK_VERSIONS:%=.venv-spark-%/.installed)  ## two versions of Spark build the marts; needs Java 17, takes ten minutes
	$(BIN)/pytest -m spark -n 0 --timeout 1800 tests/spark

.venv-spark-%/.installed: tests/spark/requirements-%.lock
	$(PYTHON) -m venv .venv-spark-$*
	.venv-spark-$*/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@touch $@

lake: $(LAKE)/.installed $(DUCKLAKE)/.installed  ## Delta, Iceberg, an S3 server and DuckLake; a few minutes
	$(LAKE)/bin/python -m pytest -m lake -n 2 tests/lake/test_formats.py
	$(DUCKLAKE)/bin/python -m pytest -m lake -n 2 tests/lake/test_ducklake.py

# The second lock is resolved with the versions of the first, or replaces some of them.
$(LAKE)/.installed: requirements.lock $(LAKE_LOCK)
	$(PYTHON) -m venv $(LAKE)
	$(LAKE)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(LAKE)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(LAKE_LOCK)
	$(LAKE)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(DUCKLAKE)/.installed: requirements.lock $(DUCKLAKE_LOCK)
	$(PYTHON) -m venv $(DUCKLAKE)
	$(DUCKLAKE)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(DUCKLAKE)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(DUCKLAKE_LOCK)
	$(DUCKLAKE)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

bench: setup  ## loads beside their rivals and the floor, and the marts in both databases; each measured in one run
	$(BIN)/python benchmarks/compare.py
	$(BIN)/python benchmarks/marts.py
	$(BIN)/python benchmarks/marts_postgres.py

scaling: setup  ## time, memory and disk of 10 thousand to 5 million runs, and workers that share a quota; hours
	$(BIN)/python benchmarks/scaling.py --write docs/scaling.md
	$(BIN)/python benchmarks/quota.py --write docs/scaling.md

docs: demo  ## the references of tables and marts, dbt's sources, and the answers to the questions, from the demo
	$(BIN)/python -c 'from pathlib import Path; from emr_usage.reference import table_reference; Path("docs/tables.md").write_text(table_reference())'
	$(BIN)/python -c 'from pathlib import Path; from emr_usage.reference import source_declaration; Path("pipelines/emr_usage/transform/models/sources.yml").write_text(source_declaration())'
	$(BIN)/python -c 'from pathlib import Path; from emr_usage.questions import with_answers; document = Path("docs/questions.md"); document.write_text(with_answers(document.read_text(), Path("demo/emr.duckdb")))'
	$(BIN)/python -c 'from pathlib import Path; from emr_usage.marts_reference import marts_reference; Path("docs/marts.md").write_text(marts_reference(Path("docs/questions.md").read_text()))'

# pip 23.0, Debian 12's, takes mashumaro[msgpack] for unpinned where the lock says mashumaro: hence --no-strip-extras.
lock: setup  ## resolve pyproject.toml again, for every supported Python and system
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --upgrade \
		--no-strip-extras --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet --output-file requirements.lock
	$(BIN)/uv pip compile tests/scheduling/requirements.in --universal --python-version 3.11 --generate-hashes --upgrade \
		--no-strip-extras --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet --output-file $(AIRFLOW_LOCK)
	for version in $(SPARK_VERSIONS); do \
		$(BIN)/uv pip compile tests/spark/requirements-$$version.in --universal --python-version 3.11 --generate-hashes --upgrade \
			--no-strip-extras --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet \
			--output-file tests/spark/requirements-$$version.lock || exit 1; \
	done
	for version in $(FOCUS_VERSIONS); do \
		$(BIN)/uv pip compile tests/focus/requirements-$$version.in --universal --python-version 3.12 --generate-hashes --upgrade \
			--no-strip-extras --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet \
			--output-file tests/focus/requirements-$$version.lock || exit 1; \
	done
	$(BIN)/uv pip compile tests/lake/requirements.in --constraint requirements.lock --universal --python-version 3.11 --generate-hashes \
		--upgrade --no-strip-extras --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet --output-file $(LAKE_LOCK)
	$(BIN)/uv pip compile tests/lake/ducklake.in --universal --python-version 3.11 --generate-hashes --upgrade \
		--no-strip-extras --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet --output-file $(DUCKLAKE_LOCK)

clean:
	rm -rf $(VENV) $(AIRFLOW) $(LAKE) $(DUCKLAKE) $(FOCUS_VERSIONS:%=.venv-focus-%) $(SPARK_VERSIONS:%=.venv-spark-%) demo .mypy_cache .pytest_cache .ruff_cache .hypothesis
