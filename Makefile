# Every target sets up what it needs from nothing but Python 3.11-3.14, make and a C library.
# PYTHON=... names the Python to use; otherwise the first that fits is taken from the PATH.
BIN := .venv/bin
INSTALLED := .venv/.installed
TORCH := .venv/.torch
SPARK := .venv/.spark
NODE := tests/clients/node/node_modules/.installed

.PHONY: demo install test test-fast test-sql soak lint format lock dist bench bench-scale clean

demo: $(INSTALLED)  ## from nothing to recommended hashtags on the screen
	$(BIN)/tagdb demo

install: $(INSTALLED)  ## make .venv with tagdb in it
	@echo "tagdb is installed in .venv; in every new shell: . .venv/bin/activate"

test: $(INSTALLED) $(TORCH) $(NODE) $(SPARK)  ## run every test
	$(BIN)/python -m pytest -n auto --dist worksteal

FAST := tests/unit $(addprefix tests/sql/test_,contract.py docs.py feedback.py recommend.py steering.py) \
	$(addprefix tests/cli/test_,help.py recommend.py tags.py)
test-fast: $(INSTALLED)  ## unit tests without TensorFlow, and a slice of SQL and CLI, in less than a minute
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not tensorflow and not torch" $(FAST)

test-sql: $(INSTALLED)  ## the tests of the schema and of SQL, for TAGDB_TEST_DATABASE_URL=... of another PostgreSQL
	$(BIN)/python -m pytest -n auto --dist worksteal tests/sql tests/db

soak: $(INSTALLED)  ## the reliability tests ten times as long, or TIMES=…; prints every seed
	TAGDB_SOAK=$(or $(TIMES),10) $(BIN)/python -m pytest -n auto --dist worksteal -rP tests/reliability tests/db/test_backbones.py

lint: $(INSTALLED)  ## formatting, linting, spelling, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED)  ## rewrite the code as lint wants it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(INSTALLED)  ## choose the newest versions that pyproject.toml allows
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --universal --python-version 3.11 --group dev pyproject.toml --upgrade \
		--generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" \
		--quiet --output-file requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --group spark --upgrade \
		--generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" \
		--quiet --output-file requirements-spark.lock

dist: $(INSTALLED)  ## the packages that are published: a source distribution and a wheel made from it
	rm -rf dist
	$(BIN)/python -m build --no-isolation

bench: $(INSTALLED)  ## the short benchmarks; what they measure goes into benchmarks/RESULTS.md
	-$(BIN)/python -m pip install --quiet 'pip>=25.1' && $(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/ingest.py --turns 3
	$(BIN)/python benchmarks/factors.py --images 20000 --hashtags 4000 --interactions 260000
	$(BIN)/python benchmarks/recommend.py --images 20000 --hashtags 4000

# The photos' embeddings decide how hard searching is: name real ones by PHOTOS=FOLDER WEIGHTS=FILE.
LIKE := $(if $(PHOTOS),--photos $(PHOTOS)) $(if $(WEIGHTS),--backbone $(WEIGHTS))
bench-scale: $(INSTALLED)  ## the long ones, an hour or more and 20 GB of disk; PHOTOS=… WEIGHTS=…
	-$(BIN)/python -m pip install --quiet 'pip>=25.1' && $(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python benchmarks/ingest.py $(PHOTOS) $(if $(WEIGHTS),--backbone $(WEIGHTS)) --memory 100000
	$(BIN)/python benchmarks/factors.py
	$(BIN)/python benchmarks/recommend.py --keep $(LIKE)
	$(BIN)/python benchmarks/recommend.py --images 1000000 --hashtags 100000 --no-peers --keep $(LIKE)
	$(BIN)/python benchmarks/growth.py $(PHOTOS) $(if $(WEIGHTS),--backbone $(WEIGHTS)) --to 1000000 --copy \
		--picture docs/growth.png

clean:  ## remove what the other targets made
	rm -rf .venv build dist *.egg-info tests/clients/node/node_modules

$(INSTALLED): requirements.lock pyproject.toml
	@python=$$(sh tools/find_python.sh "$(PYTHON)") && echo "$$python -m venv .venv" && "$$python" -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

# PyTorch is needed for the test of the training script only. On Linux its CPU build is taken where pip finds
# one (it is not on PyPI, whose build brings gigabytes of CUDA along); otherwise that test is skipped.
$(TORCH): $(INSTALLED)
	@$(BIN)/python -m pip install --quiet --only-binary :all: \
		"torch==2.13.0$$([ "$$(uname)" = Linux ] && echo +cpu)" 2>/dev/null || \
		echo "no CPU build of PyTorch found: the test of the training script will be skipped"
	@touch $@

# Half a gigabyte, and of use only where there is a Java; elsewhere the tests of Spark are skipped.
$(SPARK): $(INSTALLED) requirements-spark.lock
	@command -v java >/dev/null && \
		$(BIN)/python -m pip install --quiet --require-hashes --no-build-isolation -r requirements-spark.lock 2>/dev/null || \
		echo "no Java, or pip found no pyspark: the tests of Spark will be skipped"
	@touch $@

# A client in another language, for tests/clients, axe for the pages, and Grafana's types; without npm, or without what it
# fetches, those tests are skipped.
$(NODE): tests/clients/node/package-lock.json tests/clients/node/package.json tests/clients/node/.npmrc
	@cd tests/clients/node && npm ci --ignore-scripts --no-audit --no-fund >/dev/null 2>&1 && \
		touch node_modules/.installed || \
		echo "npm could not install pg, axe-core and Grafana's types: tests of them will be skipped"
