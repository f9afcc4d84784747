# Every target sets itself up: a fresh machine needs Python 3.11+, make and git.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ORDERS ?= 300
SEED ?= 7
DATA ?= .tieout
PORT ?= 3000
LINES ?= 1000000
INGEST_ORDERS ?= 100000
STOCK ?= 200000
DOCUMENTS ?= 1000
PAYOUTS ?= 2000
WORKERS ?= 2
SEEDS ?= 10
FIRST ?= 1
STAMP := $(VENV)/.ready
PEERS := .venv-peers/.ready
SPARK := .venv-spark/.ready
FUZZ := .venv-fuzz/.ready
ENGINE ?= sail

.DEFAULT_GOAL := help
.PHONY: help setup demo app outage chaos faults fuzz soak sbom dev test kills contract accuracy parity parity-spark examples lint types bench bench-ingest bench-ledgers bench-postings bench-matching bench-pages bench-receipts bench-lanes bench-stock bench-peak bench-close bench-kills playbook docs lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | column -t -s '|'

$(STAMP): requirements/lock.txt requirements/bootstrap.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Tieout needs Python 3.11 to 3.13, this is " + sys.version.split()[0]) if not (3, 11) <= sys.version_info[:2] <= (3, 13) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/bootstrap.txt
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements/lock.txt requirements/bootstrap.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

setup: $(STAMP) ## Create the virtual environment from the hash-pinned lock

demo: OUTAGE =
demo: $(STAMP) ## Run the whole pipeline on a generated world (ORDERS=300 SEED=7), the ERPs away for six simulated hours (OUTAGE=--without-outage leaves that out), and prove the result
	$(BIN)/tieout demo --orders $(ORDERS) --seed $(SEED) --dir $(DATA)/demo $(OUTAGE)

app: $(STAMP) ## The web app on the demo's data (http://127.0.0.1:8200); make demo comes first
	@test -f $(DATA)/demo/env || { echo "There is no demo in $(DATA)/demo yet: run make demo, then make app again."; exit 1; }
	$(BIN)/tieout app --dir $(DATA)/demo

outage: $(STAMP) ## Six simulated hours without the ERPs: no deadline missed, people told, the queue drained by deadline (SEED=7)
	$(BIN)/tieout demo --outage --seed $(SEED) --dir $(DATA)/outage

chaos: SEEDS = 100
chaos: FIRST = 1
chaos: $(STAMP) ## SEEDS=100 schedules of faults from FIRST=1 over all kinds of write on both ERPs: lost, duplicated, wrong and unresolved must be 0 (WORKERS=2)
	$(BIN)/python -m tests.chaos --seeds $(SEEDS) --first $(FIRST) --workers $(WORKERS) $(if $(PUBLISH),--publish docs/reliability.md)

dev: $(STAMP) ## Dagster's web UI on the sandbox (http://127.0.0.1:3000)
	$(BIN)/tieout dev --orders $(ORDERS) --seed $(SEED) --dir $(DATA)/dev --port $(PORT)

test: $(STAMP) ## All tests, in WORKERS=2 processes
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadscope --no-loadscope-reorder --durations 40 --durations-min 5

contract: $(STAMP) ## Validate connectors and sandbox against the published specifications of Mirakl, Sage 200 and NetSuite
	$(BIN)/python -m tests.contracts

accuracy: $(STAMP) ## Play SEEDS=10 generated worlds from FIRST=1 and prove that every fault is found and nothing else (docs/accuracy.md)
	$(BIN)/python -m tests.accuracy --first $(FIRST) --seeds $(SEEDS) --workers $(WORKERS)

parity: ORDERS = 600
parity: $(STAMP) ## Play one scenario into Sage 200 and into NetSuite and compare ledger and marts (ORDERS=600 SEED=7)
	$(BIN)/python -m tests.parity --orders $(ORDERS) --seed $(SEED)

faults: SIZE = 200000
faults: $(STAMP) ## Every component against every fault, and SIZE=200000 generated inputs for all parsers: crashed, lost, twice and leaked must be 0
	$(BIN)/python -m tests.faults.campaign --size $(SIZE)

# Atheris is built for few versions of Python, so it lives apart and sees our packages by their path.
$(FUZZ): requirements/fuzz.txt $(STAMP)
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .venv-fuzz
	$(BIN)/uv pip sync --quiet --python .venv-fuzz/bin/python --require-hashes requirements/fuzz.txt
	@touch $@

fuzz: SECONDS_OF_FUZZING = $(or $(SECONDS),600)
fuzz: $(FUZZ) ## Coverage-guided fuzzing of every parser (Atheris) for SECONDS=600; the corpus stays in DATA/fuzz
	@mkdir -p $(DATA)/fuzz
	PYTHONPATH=.:$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])') .venv-fuzz/bin/python -m tests.faults.fuzz $(DATA)/fuzz -max_total_time=$(SECONDS_OF_FUZZING) -max_len=65536 -timeout=30 -artifact_prefix=$(DATA)/fuzz-

soak: DAYS = 365
soak: EVERY = 1
soak: $(STAMP) ## A simulated year of orders, months and pay-outs (DAYS=365); the lanes run every EVERY=1 days; ends with figures of memory and disk
	$(BIN)/python -m tests.soak --days $(DAYS) --every $(EVERY) --seed $(SEED) --dir $(DATA)/soak $(if $(PUBLISH),--publish docs/reliability.md)

sbom: $(STAMP) ## What the lock installs, with licences and hashes, as CycloneDX JSON (sbom.json)
	$(BIN)/python -m tests.sbom > sbom.json

# dbt-spark, PySpark and Sail live apart: a machine that reconciles on DuckDB needs none of them.
$(SPARK): requirements/spark.txt $(STAMP)
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .venv-spark
	$(BIN)/uv pip sync --quiet --python .venv-spark/bin/python --require-hashes requirements/spark.txt
	@touch $@

parity-spark: ORDERS = 300
parity-spark: $(SPARK) ## Build one world's marts on DuckDB and on Sail and compare every row (ORDERS=300 SEED=7)
	$(BIN)/python -m tests.parity_spark --orders $(ORDERS) --seed $(SEED) --engine $(ENGINE)

kills: $(STAMP) ## Kill one installation at ten points of its life and compare it with an undisturbed one
	KILLS=all $(BIN)/python -m pytest tests/pipeline/test_kill.py

examples: $(STAMP) ## Play the worked examples of examples/ through both ERPs and compare every figure
	$(BIN)/python -m sandbox.examples

lint: $(STAMP) ## ruff, mypy, sqlfluff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --nocolor dbt_project/models dbt_project/tests

types: $(STAMP) ## mypy only
	$(BIN)/mypy

# The peers that figures are compared with live apart: their versions must not decide ours.
$(PEERS): requirements/peers.txt $(STAMP)
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .venv-peers
	$(BIN)/uv pip sync --quiet --python .venv-peers/bin/python --require-hashes requirements/peers.txt
	@touch $@

bench: SIZE = 1m
bench: $(PEERS) ## The whole suite at SIZE=1m transaction lines (100k, 1m, 10m, 30m) with its peers; writes docs/benchmarks.md and docs/capacity.md
	$(BIN)/python -m benchmarks.suite --size $(SIZE) --peer-python .venv-peers/bin/python

bench-ingest: $(PEERS) ## Reading orders and transaction lines into DuckDB, beside dlt (LINES=1000000 INGEST_ORDERS=100000)
	$(BIN)/python -m benchmarks.ingest --orders $(INGEST_ORDERS) --lines $(LINES) --peer-python .venv-peers/bin/python --output benchmarks/results/ingest.json

bench-ledgers: $(STAMP) ## Reading all nominal lines and stock rows of each ERP (LINES=1000000 STOCK=200000)
	$(BIN)/python -m benchmarks.ledgers --lines $(LINES) --stock $(STOCK) --output benchmarks/results/ledgers.json

bench-matching: LINES = 10000000
bench-matching: $(STAMP) ## All models over LINES=10000000 transaction lines, cold and after a day's change
	$(BIN)/python -m benchmarks.matching --lines $(LINES) --output benchmarks/results/matching.json

bench-pages: LINES = 10000000
bench-pages: $(STAMP) ## The web app's pages on the demo's published file multiplied to LINES=10000000 settlement lines; make demo comes first
	$(BIN)/python -m benchmarks.pages --published $(DATA)/demo/data/published/tieout.duckdb --lines $(LINES) --output benchmarks/results/pages.json

bench-close: LINES = 500000
bench-close: $(STAMP) ## Closing one month of LINES=500000 settlement lines, evidence pack and its verification included; make demo comes first
	$(BIN)/python -m benchmarks.close --published $(DATA)/demo/data/published/tieout.duckdb --lines $(LINES) --output benchmarks/results/close.json

bench-kills: KILL_ORDERS = 5000
bench-kills: $(STAMP) ## A kill in the middle of each long step of a run over KILL_ORDERS=5000 orders, and what it costs
	$(BIN)/python -m benchmarks.kills --orders $(KILL_ORDERS) --output benchmarks/results/kills.json

bench-postings: $(STAMP) ## Posting documents to Sage 200 and NetSuite against the least time their own limits allow (DOCUMENTS=1000)
	$(BIN)/python -m benchmarks.postings --documents $(DOCUMENTS) --output benchmarks/results/postings.json

bench-lanes: WAITING = 10000
bench-lanes: MINUTES = 5
bench-lanes: $(STAMP) ## Orders created and accepted against the least that the limits allow; order to acceptance, despatch to confirmation at 1,000 an hour (WAITING=10000 MINUTES=5)
	$(BIN)/python -m benchmarks.lanes --waiting $(WAITING) --minutes $(MINUTES) --output benchmarks/results/lanes.json

bench-stock: STOCK = 200000
bench-stock: $(STAMP) ## What a stock push of STOCK=200000 SKUs sends when 2 % of them have changed; make demo comes first
	$(BIN)/python -m benchmarks.stock --demo $(DATA)/demo --skus $(STOCK) --output benchmarks/results/stock.json

bench-receipts: $(STAMP) ## Matching pay-outs to bank receipts of one payer without references (PAYOUTS=2000)
	$(BIN)/python -m benchmarks.receipts --payouts $(PAYOUTS) --output benchmarks/results/receipts.json

bench-peak: $(STAMP) ## A simulated November week at twenty times the usual volume: queues, deadlines, freshness (docs/peak.md)
	$(BIN)/python -m benchmarks.peak --page docs/peak.md

playbook: $(STAMP) ## Who checks what and when, from your configuration, as a site in DATA/playbook/site
	$(BIN)/tieout playbook $(DATA)/playbook
	$(BIN)/mkdocs build --quiet --strict --config-file $(DATA)/playbook/mkdocs.yml

docs: $(STAMP) ## The documentation as a site in DATA/docs
	$(BIN)/mkdocs build --quiet --site-dir $(abspath $(DATA))/docs

lock: $(STAMP) ## Re-resolve the dependencies (names no host)
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --extra dev pyproject.toml -o requirements/lock.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header requirements/bootstrap.in -o requirements/bootstrap.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header requirements/peers.in -o requirements/peers.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header requirements/fuzz.in -o requirements/fuzz.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-header requirements/spark.in -o requirements/spark.txt

clean: ## Remove what the targets made (not your data)
	rm -rf $(VENV) .venv-peers .venv-spark .venv-fuzz build *.egg-info .pytest_cache .mypy_cache .ruff_cache dbt_project/target
