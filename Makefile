# kring needs Go and nothing else. The tools of "check" are pinned in
# internal/devtools/go.mod and built from there; Apache Kafka needs a JDK and
# Maven, and is fetched by tests/kafka/rig.

GO          ?= go
MODULES     := . $(patsubst %/go.mod,%,$(wildcard cmd/kbench/go.mod tests/go.mod bench/peers/go.mod plugin/*/go.mod examples/go.mod))
# What stands around the library and is tested with it.
AROUND      := $(filter cmd/kbench plugin/% examples,$(MODULES))
# The workers of other clients; those of which the machine lacks something skip themselves.
PEERS       := $(filter bench/peers,$(MODULES))
TOOLS       := bin/tools
# Systems that compile in every check, besides the one it runs on.
PLATFORMS   ?= darwin/amd64 darwin/arm64 windows/amd64 linux/arm64 linux/386
LOCKFREE    := ./ring ./slab ./accum ./netio .
# What runs in parallel here mostly waits.
TESTFLAGS   ?= -parallel 6
STRESS      ?= Stress|Chaos|Model|Linear|Pause|Progress|Lost|HandOver|EndsOnce|CancelAgainst|CloseAgainst
STRESSCOUNT ?= 3
FUZZTIME    ?= 20s
BENCH       ?= .
BENCHCOUNT  ?= 10
BENCHPKGS   ?= ./ring ./slab ./wire ./accum ./netio ./bench/broker
BENCHOUT    ?= bin/bench.txt
# What "compare" measures: who, how often, how, at which rates, and where to.
COMPARE_CLIENTS ?= kring,franz-go,sarama,kafka-go,librdkafka,java,rawlimit
COMPARE_RUNS    ?= 10
COMPARE_FLAGS   ?= -d 5s --warmup 3s --settle 30s --retry 5
COMPARE_RATES   ?= 10k..5M
# How long Apache Kafka gets to be compiled, so that not the first client pays for it.
COMPARE_HEAT    ?= 20s
RESULTS         ?= bench/results
KAFKA_NODES ?= 1
# Records of each bulk test against Apache Kafka; 5000000 is the full size.
KAFKA_RECORDS ?= 500000
KAFKA_FLAGS   ?=
# Releases of Apache Kafka for "matrix": the oldest 3.x to the newest 4.x that Maven serves.
MATRIX      ?= 3.0.0,3.3.2,3.7.2,3.9.2,4.0.0,4.3.1,4.4.0

.DEFAULT_GOAL := help
.PHONY: help demo kbench test check fmt-check vet staticcheck lint cross tidy-check \
	race stress fuzz bench bench-check benchcmp compare compare-discard compare-curve compare-kafka cover test-kafka matrix matrix-page kafka-up kafka-down clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

## ---- the two commands of the README

demo: kbench ## Measure and verify kring on the embedded broker, print the result
	bin/kbench run --max-steal 100

kbench:
	cd cmd/kbench && $(GO) build -o $(CURDIR)/bin/ .

test: ## Every test; those against Apache Kafka in short, if Java and Maven are there
	$(GO) test $(TESTFLAGS) ./...
	@for dir in $(AROUND) $(PEERS); do \
		echo "cd $$dir && $(GO) test ./..."; (cd $$dir && $(GO) test $(TESTFLAGS) ./...) || exit 1; \
	done
	cd tests && $(GO) test $(TESTFLAGS) ./...
	@$(KAFKA_MISSING); if [ -n "$$missing" ]; then \
		echo "make test: skipped the tests against Apache Kafka: not installed:$$missing"; \
	elif [ -n "$(filter test-kafka,$(MAKECMDGOALS))" ]; then \
		echo "make test: the tests against Apache Kafka follow in test-kafka"; \
	else \
		cd tests && echo "$(GO) test -tags kafka -run TestAcks ./kafka" && \
		$(GO) test -tags kafka -count 1 -timeout 10m -run TestAcks ./kafka; \
	fi

# Leaves what Apache Kafka's tests need and the machine lacks in $$missing.
KAFKA_MISSING = missing=; for tool in java javac mvn; do \
	command -v $$tool >/dev/null 2>&1 || missing="$$missing $$tool"; done

# The same for the KDC of TestKerberos.
KDC_MISSING = missing=; for tool in krb5kdc kdb5_util kadmin.local kinit; do \
	PATH=$$PATH:/usr/sbin:/usr/local/sbin command -v $$tool >/dev/null 2>&1 || missing="$$missing $$tool"; done

## ---- before a commit

check: fmt-check vet staticcheck lint cross bench-check ## Format, vet, staticcheck, golangci-lint, and every platform compiles

# Every Go file but those below a hidden folder.
GOFILES = find . -name '.?*' -prune -o -name '*.go' -print

fmt-check: $(TOOLS)/gofumpt
	@bad=$$($(GOFILES) | xargs $(TOOLS)/gofumpt -l); \
	if [ -n "$$bad" ]; then echo "not formatted by gofumpt:"; echo "$$bad"; exit 1; fi
	@bad=$$($(GOFILES) | xargs gofmt -s -l); \
	if [ -n "$$bad" ]; then echo "not formatted by gofmt -s:"; echo "$$bad"; exit 1; fi

vet:
	$(GO) vet ./...
	$(GO) vet -tags invariants ./...
	@for dir in $(filter-out .,$(MODULES)); do \
		echo "cd $$dir && $(GO) vet -tags kafka ./..."; \
		(cd $$dir && $(GO) vet -tags kafka ./...) || exit 1; \
	done

staticcheck: $(TOOLS)/staticcheck
	@for dir in $(MODULES); do \
		echo "cd $$dir && staticcheck -tags kafka ./..."; \
		(cd $$dir && $(CURDIR)/$(TOOLS)/staticcheck -tags kafka ./...) || exit 1; \
	done

lint: $(TOOLS)/golangci-lint
	@for dir in $(MODULES); do \
		echo "cd $$dir && golangci-lint run"; \
		(cd $$dir && $(CURDIR)/$(TOOLS)/golangci-lint run --config $(CURDIR)/.golangci.yml --build-tags kafka ./...) || exit 1; \
	done

cross:
	@for platform in $(PLATFORMS); do \
		echo "$$platform: $(GO) build ./... && $(GO) vet ./..."; \
		(export CGO_ENABLED=0 GOOS=$${platform%/*} GOARCH=$${platform#*/}; \
		$(GO) build ./... && $(GO) vet ./... && cd cmd/kbench && $(GO) build ./... && $(GO) vet ./...) || exit 1; \
	done

tidy-check: ## go.mod and go.sum are as go mod tidy leaves them
	@for dir in $(MODULES); do \
		echo "cd $$dir && $(GO) mod tidy -diff"; (cd $$dir && $(GO) mod tidy -diff) || exit 1; \
	done

race: ## Every test of the library under the race detector, with self-checks
	$(GO) test -race -tags invariants -timeout 20m $(TESTFLAGS) ./...
	@for dir in $(AROUND); do \
		echo "cd $$dir && $(GO) test -race ./..."; (cd $$dir && $(GO) test -race -timeout 20m $(TESTFLAGS) ./...) || exit 1; \
	done

stress: ## The concurrent tests, again and again, on 1, 2, 4 and 8 processors
	@for n in 1 2 4 8; do \
		echo "GOMAXPROCS=$$n $(GO) test -tags invariants -count $(STRESSCOUNT) -run '$(STRESS)' $(LOCKFREE)"; \
		GOMAXPROCS=$$n $(GO) test -tags invariants -count $(STRESSCOUNT) -timeout 30m -run '$(STRESS)' $(LOCKFREE) || exit 1; \
	done

fuzz: ## Every fuzz target for FUZZTIME (20s)
	@for file in $$(grep -rl --include='*_test.go' '^func Fuzz' $$($(GO) list -f '{{.Dir}}' ./...) | sort -u); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' $$file); do \
			echo "cd $$(dirname $$file) && $(GO) test -run '^$$' -fuzz ^$$target$$ -fuzztime $(FUZZTIME) ."; \
			(cd $$(dirname $$file) && $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) .) || exit 1; \
		done; \
	done

bench: ## Benchmarks of the library, BENCHCOUNT (10) times, into BENCHOUT (bin/bench.txt)
	@mkdir -p $(dir $(BENCHOUT))
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(BENCHCOUNT) -timeout 2h $(BENCHPKGS) > $(BENCHOUT); \
	status=$$?; cat $(BENCHOUT); exit $$status

benchcmp: $(TOOLS)/benchstat ## Compare two results: make benchcmp OLD=a.txt NEW=b.txt
	$(TOOLS)/benchstat $(OLD) $(NEW)

bench-check: kbench ## BENCHMARKS.md and its charts are what bench/results gives
	bin/kbench report --md BENCHMARKS.md --svg docs/bench --check

# A client that is not there, or a run that says nothing, is no reason to leave out
# what follows.
compare: kbench ## Compare producers: all scenarios, latency by rate, Apache Kafka (hours); or COMPARE='--client kring,java --scenario open-1'
ifdef COMPARE
	bin/kbench compare $(COMPARE)
else
	@status=0; for part in discard curve kafka; do \
		$(MAKE) --no-print-directory compare-$$part || { status=1; echo "make compare: compare-$$part is not all well, see above; going on"; }; \
	done; exit $$status
endif

compare-discard: kbench ## Every scenario and client on the discard broker, into RESULTS/discard
	bin/kbench compare --client $(COMPARE_CLIENTS) --scenario all --runs $(COMPARE_RUNS) $(COMPARE_FLAGS) -o $(RESULTS)/discard

compare-curve: kbench ## p99 by rate, up to saturation, into RESULTS/curve
	bin/kbench compare --client $(COMPARE_CLIENTS) --rates $(COMPARE_RATES) --runs $(COMPARE_RUNS) $(COMPARE_FLAGS) -o $(RESULTS)/curve

compare-kafka: kbench ## The core scenarios against Apache Kafka, 1 node (acks=1, acks=all) and 3 (all), into RESULTS/kafka-NODES-ACKS
	@$(KAFKA_MISSING); if [ -n "$$missing" ]; then echo "make compare-kafka: skipped: not installed:$$missing"; exit 0; fi; \
	down() { (cd tests && $(GO) run ./kafka/rig/kafkarig down); }; trap down EXIT; trap 'exit 130' INT TERM; \
	status=0; for nodes in 1 3; do \
		brokers=$$(cd tests && $(GO) run ./kafka/rig/kafkarig up $$nodes | tail -n 1) && [ -n "$$brokers" ] || exit 1; \
		bin/kbench run -b $$brokers --replication $$nodes -d $(COMPARE_HEAT) --verify none -q >/dev/null || true; \
		for acks in 1 all; do \
			[ $$nodes-$$acks != 3-1 ] || continue; \
			command="bin/kbench compare -b $$brokers --client $(COMPARE_CLIENTS) --scenario core,open-100k --replication $$nodes --acks $$acks --runs $(COMPARE_RUNS) $(COMPARE_FLAGS) -o $(RESULTS)/kafka-$$nodes-$$acks"; \
			echo "$$command"; $$command || status=$$?; \
			[ $$status -ne 130 ] || exit 130; \
		done; \
		down; \
	done; exit $$status

cover: ## Which statements no test reaches, as a page: bin/cover.html
	@mkdir -p bin
	$(GO) test -coverpkg ./... -coverprofile bin/cover.out ./...
	$(GO) tool cover -html bin/cover.out -o bin/cover.html
	$(GO) tool cover -func bin/cover.out | tail -1

## ---- Apache Kafka

test-kafka: ## Tests against Apache Kafka, 1 node and 3 nodes (needs a JDK and Maven; for Kerberos krb5-kdc)
	@$(KAFKA_MISSING); if [ -n "$$missing" ]; then echo "make test-kafka: not installed:$$missing"; exit 1; fi
	@$(KDC_MISSING); if [ -n "$$missing" ]; then echo "make test-kafka: TestKerberos has no KDC: not installed:$$missing"; fi
	cd tests && $(GO) test -tags kafka -count 1 -timeout 60m ./kafka -args -records $(KAFKA_RECORDS) $(KAFKA_FLAGS)

matrix: ## The same checks against each release in MATRIX; docs/guides/versions.md shows what was seen
	@$(KAFKA_MISSING); if [ -n "$$missing" ]; then echo "make matrix: not installed:$$missing"; exit 1; fi
	cd tests && $(GO) test -v -tags kafka -count 1 -timeout 60m -run '^TestMatrix$$' ./kafka -args -matrix $(MATRIX)

matrix-page: ## docs/guides/versions.md anew from the results that are there (no Java)
	cd tests && MATRIX_PAGE=write $(GO) test -count 1 -run TestPageIsOfTheResults ./kafka/matrix

kafka-up: ## Start Apache Kafka KAFKA_VERSION on KAFKA_NODES (1 or 3) loopback ports, print its bootstrap list
	@cd tests && $(GO) run ./kafka/rig/kafkarig up $(KAFKA_NODES)

kafka-down: ## Stop it
	@cd tests && $(GO) run ./kafka/rig/kafkarig down

clean: ## Remove what was built and measured
	rm -rf bin kb-out

## ---- tools, at the versions of internal/devtools/go.mod

$(TOOLS)/gofumpt:       TOOL = mvdan.cc/gofumpt
$(TOOLS)/staticcheck:   TOOL = honnef.co/go/tools/cmd/staticcheck
$(TOOLS)/golangci-lint: TOOL = github.com/golangci/golangci-lint/v2/cmd/golangci-lint
$(TOOLS)/benchstat:     TOOL = golang.org/x/perf/cmd/benchstat
$(TOOLS)/%: internal/devtools/go.mod
	@mkdir -p $(TOOLS)
	cd internal/devtools && CGO_ENABLED=0 $(GO) build -o $(CURDIR)/$@ $(TOOL)
