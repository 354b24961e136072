# make help lists the targets. Go, make and npm are all that is needed.
SHELL       := /bin/bash
GO          ?= go
BIN         := bin
TOOLS       := $(GO) tool -modfile=tools/go.mod
VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS     := -s -w -X github.com/evenkeel/evenkeel/internal/version.Version=$(VERSION)
TEST_FLAGS  ?= -timeout 15m
# What comparisons and end-to-end tests bring from elsewhere stands in the user's cache, one
# folder for each set of pins.
PYTHON      ?= python3
CACHE        = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/evenkeel
PARITY_ENV   = $(CACHE)/parity-$(shell sha256sum test/parity/requirements.txt | cut -c1-12)
CLIENTS_ENV  = $(CACHE)/clients-$(shell sha256sum test/clients/python/requirements.txt | cut -c1-12)
CLIENTS_NPM  = $(CACHE)/clients-npm-$(shell sha256sum test/clients/javascript/package-lock.json | cut -c1-12)
MLSERVER_ENV = $(CACHE)/mlserver-$(shell sha256sum test/mlserver/requirements.txt | cut -c1-12)
SERVERS_ENV  = $(CACHE)/servers-$(shell sha256sum test/servers/requirements.txt | cut -c1-12)
# $(call venv,FOLDER,REQUIREMENTS) makes a Python environment that is not there yet.
venv = [ -e '$(1)/complete' ] || { echo 'making $(1)'; \
	$(PYTHON) -m venv --clear '$(1)' && \
	'$(1)/bin/python' -m pip install --quiet --disable-pip-version-check -r $(2) && touch '$(1)/complete'; }
# Client libraries of JavaScript, without running any script of theirs.
node_modules = [ -e '$(CLIENTS_NPM)/complete' ] || { echo 'making $(CLIENTS_NPM)'; \
	rm -rf '$(CLIENTS_NPM)' && mkdir -p '$(CLIENTS_NPM)' && cp test/clients/javascript/package*.json '$(CLIENTS_NPM)/' && \
	(cd '$(CLIENTS_NPM)' && npm ci --silent --no-audit --no-fund --ignore-scripts) && touch '$(CLIENTS_NPM)/complete'; }
export CGO_ENABLED ?= 0

.PHONY: help setup build demo test long check lint parity bench bench-peers bench-promql bench-codecs test-promql agent-load test-faults e2e-clients e2e-openai e2e-mlserver e2e-servers generate format clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## fetch Go modules and the embedded ClickHouse engine (once for all clones)
	@$(GO) mod download
	@$(GO) run ./collector/engine/fetch

build: setup ## put the programs into bin/
	@mkdir -p $(BIN)/plugins
	@$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/...
	@$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/plugins/evenkeel-plugin-webhook ./plugins/webhook

demo: build ## show the main job: from a request to an open nonconformity
	@$(BIN)/evenkeel demo

test: setup ## every test that fits into ten minutes
	@$(GO) test $(TEST_FLAGS) ./...

long: ## the simulations of the drift process with 10,000 streams each, about five minutes
	@EVENKEEL_LONG=1 $(GO) test -count 1 -timeout 60m -v -run 'NoAlarm|Autocorrelation|Delay' ./measure

check: lint test ## lint, then every test

lint: setup ## format, vet, staticcheck, import rules, generated files, go.mod
	@out=$$($(TOOLS) gofumpt -l .); [ -z "$$out" ] || { echo "not formatted, run make format:"; echo "$$out"; exit 1; }
	@$(GO) vet ./...
	@$(GO) vet -tags faultpoints ./...
	@$(TOOLS) staticcheck ./...
	@$(GO) test ./internal/archtest
	@$(GO) mod tidy -diff
	@$(GO) generate ./... && git diff --exit-code --stat -- '*.pb.go' 'dashboards/*.json' || { echo "generated files differ, commit what make generate wrote"; exit 1; }

parity: ## compare the measures with the reference libraries, and print the table
	@$(call venv,$(PARITY_ENV),test/parity/requirements.txt)
	@table=$$(mktemp); EVENKEEL_PYTHON='$(PARITY_ENV)/bin/python' EVENKEEL_PARITY_TABLE="$$table" \
		$(GO) test -tags parity -count 1 -timeout 30m ./test/parity; status=$$?; \
		cat "$$table"; rm -f "$$table"; exit $$status

bench: setup ## every benchmark, once
	@$(GO) test -run '^$$' -bench . -benchmem -benchtime 1s ./...

bench-peers: setup ## the collector against an OpenTelemetry Collector that writes to ClickHouse, same load
	@EVENKEEL_PEERS=1 $(GO) test -count 1 -timeout 60m -v -run TestPeers ./test/peerbench

bench-promql: setup ## queries over 10,000 series against Prometheus' own storage
	@cd test/promql && $(GO) test -run '^$$' -bench . ./...

bench-codecs: setup ## bytes for each row of every table, by codec
	@EVENKEEL_MEASURE_CODECS=1 $(GO) test -count 1 -v -run TestBytesPerRow ./collector/store/clickhouse

test-promql: setup ## Prometheus' own PromQL scripts on our storage
	@cd test/promql && $(GO) test -timeout 30m ./...

agent-load: build ## the agent's memory, processor time and size at 2,000 requests a second
	@EVENKEEL_LOAD=1 $(GO) test -count 1 -v ./test/load

test-faults: setup ## 200 kills -9, full disk, store away, damaged spool, repeats, clock steps; about 15 minutes
	@$(GO) test -tags faultpoints -count 1 ./internal/faultpoint
	@$(GO) test -tags faultpoints -count 1 -v -run 'TestCrashes' ./collector/store/clickhouse
	@$(GO) test -count 1 -v -run 'AFlippedByte|AByteThatIsMissing|ASegmentThatEndsEarly|ADamagedJournal|ARealDiskThatIsFull|AClockThatWasSet' ./collector/spool
	@EVENKEEL_KILLS=200 $(GO) test -count 1 -timeout 60m -v ./test/faults

e2e-clients: setup ## OpenTelemetry SDKs, telemetrygen and OpenLineage's client against a collector
	@$(call venv,$(CLIENTS_ENV),test/clients/python/requirements.txt)
	@$(node_modules)
	@tool=$$(mktemp -d) && trap 'rm -rf "$$tool"' EXIT && \
		(cd test/clients/telemetrygen && $(GO) build -o "$$tool/" github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen) && \
		EVENKEEL_CLIENTS_PYTHON='$(CLIENTS_ENV)/bin/python' EVENKEEL_CLIENTS_NODE_MODULES='$(CLIENTS_NPM)/node_modules' \
		EVENKEEL_TELEMETRYGEN="$$tool/telemetrygen" $(GO) test -count 1 -timeout 20m -v ./test/clients

e2e-openai: ## the official clients of OpenAI and Ollama through the agent
	@$(call venv,$(CLIENTS_ENV),test/clients/python/requirements.txt)
	@$(node_modules)
	@EVENKEEL_OPENAI_PYTHON='$(CLIENTS_ENV)/bin/python' EVENKEEL_OPENAI_NODE_MODULES='$(CLIENTS_NPM)/node_modules' \
		$(GO) test -count 1 -timeout 10m -v -run TestOfficialClients ./agent

e2e-mlserver: setup ## the agent before MLServer with a model of scikit-learn
	@$(call venv,$(MLSERVER_ENV),test/mlserver/requirements.txt)
	@EVENKEEL_MLSERVER_PYTHON='$(MLSERVER_ENV)/bin/python' $(GO) test -count 1 -timeout 20m -v ./test/mlserver

e2e-servers: setup ## the agent before MLflow and KServe
	@$(call venv,$(SERVERS_ENV),test/servers/requirements.txt)
	@EVENKEEL_SERVERS_PYTHON='$(SERVERS_ENV)/bin/python' $(GO) test -count 1 -timeout 20m -v ./test/servers

generate: ## write generated files again
	@$(GO) generate ./...

format: ## format all Go files
	@$(TOOLS) gofumpt -w .

clean: ## remove what build made; the engine in the user's cache stays
	@rm -rf $(BIN)
