# make help lists the targets. Go, make and npm are all that is needed.
SHELL       := /bin/bash
GO          ?= go
BIN         := bin
TOOLS       := $(GO) tool -modfile=tools/go.mod
VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS     := -s -w -X github.com/evenkeel/evenkeel/internal/version.Version=$(VERSION)
TEST_FLAGS  ?= -timeout 15m
# The Python of make parity (3.11) and its environment, one for each set of pins.
PYTHON      ?= python3
PARITY_ENV   = $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/evenkeel/parity-$(shell sha256sum test/parity/requirements.txt | cut -c1-12)
export CGO_ENABLED ?= 0

.PHONY: help setup build demo test long check lint parity bench bench-peers bench-promql bench-codecs test-promql agent-load fault generate format clean

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
	@[ -e '$(PARITY_ENV)/complete' ] || { echo 'making $(PARITY_ENV)'; \
		$(PYTHON) -m venv --clear '$(PARITY_ENV)' && \
		'$(PARITY_ENV)/bin/python' -m pip install --quiet --disable-pip-version-check -r test/parity/requirements.txt && \
		touch '$(PARITY_ENV)/complete'; }
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

fault: setup ## kill -9 at fault points and at many random moments
	@EVENKEEL_KILLS=40 $(GO) test -count 1 -timeout 60m -v ./test/faults

generate: ## write generated files again
	@$(GO) generate ./...

format: ## format all Go files
	@$(TOOLS) gofumpt -w .

clean: ## remove what build made; the engine in the user's cache stays
	@rm -rf $(BIN)
