# `make help` lists the targets. Everything is set up by the target that needs it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Tests are spread over this many processes.
JOBS ?= 2
# Messages of the chat that `make bench` replays; 0 leaves it out.
BENCH_REPLAY ?= 5000
# Restarts of the link by SIGTERM, and as many by SIGKILL, in `make bench-whatsapp`.
ROUNDS ?= 50
NODE := tests/cluster/node/cluster
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
IMAGE ?= localhost/supportbot:$(VERSION)
# Large programs that only judge what we render; each has an environment of its own.
JUDGES := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/supportbot

HAS_LIBMAGIC = $(BIN)/python -c 'import magic'
GET_LIBMAGIC = apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libmagic1 >/dev/null

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast test-chaos test-cluster cluster-tools chart-tools image image-figures sbom check format \
	bench bench-operator bench-whatsapp train lock clean

help: ## List the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(STAMP) ## Make the environment in .venv, from the lock.

$(STAMP): requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV) || { echo "python3 cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@$(HAS_LIBMAGIC) 2>/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && $(GET_LIBMAGIC) && $(HAS_LIBMAGIC); } \
	  || { echo "neonize needs libmagic; on Debian, as root: apt-get install libmagic1; on macOS: brew install libmagic" >&2; exit 1; }
	@touch $@

demo: setup ## Run the main job with no account and no key: a simulated group, real services, an emulated Zoho Desk.
	$(BIN)/supportbot demo

test: setup cluster-tools chart-tools ## Run all tests but those of a whole node.
	$(BIN)/pytest -n $(JOBS) --dist loadgroup -m "not node"

test-fast: setup cluster-tools ## Run the tests that take seconds: no processes, no chaos.
	$(BIN)/pytest -n $(JOBS) --dist loadgroup tests/unit

test-cluster: setup ## Build the image and try everything on a real node, or on the cluster of KUBECONFIG.
	[ -n "$$KUBECONFIG" ] || $(NODE) build node
	$(BIN)/pytest -n 0 -m node tests/cluster

cluster-tools: ## Build etcd, kube-apiserver, kubectl and helm once; they are cached.
	$(NODE) build api

chart-tools: $(JUDGES)/checkov/.installed-3.3.30 $(JUDGES)/nca/.installed-2.1.0 $(JUDGES)/kube-score/.installed-1.20.0 ## Install the programs that judge manifests; they are cached.

$(JUDGES)/checkov/.installed-%:
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check checkov==$*
	@touch $@

$(JUDGES)/nca/.installed-%:
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check network-config-analyzer==$*
	@touch $@

$(JUDGES)/kube-score/.installed-%:
	GOBIN=$(@D)/bin CGO_ENABLED=0 go install -ldflags '-s -w' github.com/zegl/kube-score/cmd/kube-score@v$*
	@touch $@

image: ## Build the image with buildah, on the base image of the node.
	$(NODE) build node
	$(NODE) image . $(IMAGE) --build-arg VERSION=$(VERSION) --build-arg REVISION=$$(git rev-parse HEAD)

image-figures: image setup ## Tell what the image is made of.
	$(BIN)/python -m tests.cluster.support.image $(IMAGE)

sbom: image setup ## Write dist/sbom.cdx.json: what the image holds (CycloneDX).
	$(BIN)/python -m tests.cluster.support.image $(IMAGE) --sbom

test-chaos: setup ## Kill every process at random moments while messages flow, and count what was lost or doubled.
	$(BIN)/pytest -n 0 -s tests/chaos

bench: setup ## Measure the judgement (BENCH_IRC=folder adds its channels) and a replay of BENCH_REPLAY messages, and the bus.
	$(BIN)/python -m tests.benchmarks.judgement --replay $(BENCH_REPLAY) $(if $(BENCH_IRC),--irc "$(BENCH_IRC)")
	$(BIN)/python -m tests.benchmarks.bus

bench-whatsapp: setup ## Measure the link on an emulated WhatsApp: rate, memory, reconnects, and ROUNDS restarts under load, each way.
	$(BIN)/python -m tests.benchmarks.whatsapp_link --rounds $(ROUNDS)

bench-operator: setup cluster-tools ## Measure the operator with a hundred bots, and five minutes at rest.
	$(BIN)/python -m tests.benchmarks.operator

check: setup ## Lint, types, and the borders between modules.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/shellcheck $(NODE) .ci/run

format: setup ## Format the code.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

LOCK := $(BIN)/pip-compile --quiet --upgrade --generate-hashes --strip-extras --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --unsafe-package supportbot pyproject.toml

train: setup ## Make the weights of the local tier anew, from the labelled conversations of train and tune.
	$(BIN)/python -m supportbot.training $$($(BIN)/python -c 'import json; s = json.load(open("tests/data/groups/splits.json")); print(*(f"tests/data/groups/{name}.jsonl" for name in [*s["train"], *s["tune"]]))') \
		$(foreach file,$(sort $(wildcard tests/data/lines/*.txt)),--lines $(file)) $(foreach file,$(LABELS),--corrections $(file)) --out services/supportbot/classifier/weights

lock: ## Renew the locks from pyproject.toml.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip-tools>=7.5'
	$(LOCK) --extra all --output-file requirements.lock
	$(LOCK) --extra dev --output-file requirements-dev.lock --constraint requirements.lock
	sed -i '/^# WARNING: The following packages were not pinned/,$$d' requirements.lock requirements-dev.lock

clean: ## Remove the environment and all state of local runs.
	rm -rf $(VENV) .supportbot .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
