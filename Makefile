# hmn needs only Go to build, test and run; these are shorter names for the usual
# commands. `make` alone lists them.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO ?= go
FUZZTIME ?= 10s
DEMO ?= runs/demo
RACE ?= ./event/... ./neuron/... ./synapse/... ./network/... ./io/... ./models/task
KERNELS ?= ./event/... ./neuron/... ./synapse/... ./network/... ./io/...

.PHONY: help build test race fuzz bench validate validate-full lint demo clean

help:
	@echo 'make build          bin/hmn'
	@echo 'make test           all tests, validation in its short form included'
	@echo 'make demo           a network that learns and one that does not, run and drawn into $(DEMO)'
	@echo 'make validate       compare with closed forms and published numbers, short form'
	@echo 'make validate-full  the same in full: hours, may be interrupted and started again'
	@echo 'make race           short tests under the race detector (needs a C compiler)'
	@echo 'make fuzz           every fuzz test for FUZZTIME=$(FUZZTIME)'
	@echo 'make bench          benchmark table of the simulator, then of its kernels'
	@echo 'make lint           gofmt, go vet, staticcheck'
	@echo 'make clean          remove bin, runs/demo and profiles'

build:
	$(GO) build -o bin/hmn ./cmd/hmn

test:
	$(GO) test ./...

race:
	$(GO) test -race -short $(RACE)

# go test runs one fuzz test of one package at a time; the list prints the names
# of a package's tests before the line "ok <package>". At most ten executions go
# into shortening an input that reaches new code: else most of FUZZTIME would.
fuzz:
	@list=$$($(GO) test -list '^Fuzz' ./...); \
	names=(); found=0; \
	while read -r word package _; do \
		case $$word in \
		Fuzz*) names+=("$$word") ;; \
		ok) \
			for name in $${names[@]+"$${names[@]}"}; do \
				echo "-- $$package $$name"; \
				$(GO) test "$$package" -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x; \
				found=$$((found + 1)); \
			done; \
			names=() ;; \
		esac; \
	done <<<"$$list"; \
	echo "$$found fuzz tests"; \
	test "$$found" -gt 0

bench: build
	bin/hmn bench
	$(GO) test -run '^$$' -bench . -benchmem $(KERNELS)

validate:
	HMN_VALIDATE=short $(GO) test ./validation/ -count=1 -v -run TestValidate -timeout 10m

validate-full:
	HMN_VALIDATE=full $(GO) test ./validation/ -count=1 -v -run TestValidate -timeout 12h

# ST1005 wants error texts in lower case; ours begin with parameters such as V_th.
lint:
	@unformatted=$$(gofmt -l .); \
	if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck -checks inherit,-ST1005 ./...

# cuba: raster and rates. hmn-bandit: weights, reward signal and learning curve.
demo: build
	bin/hmn run cuba --duration 1s --out $(DEMO)/cuba --overwrite
	bin/hmn run hmn-bandit --out $(DEMO)/hmn-bandit --overwrite

clean:
	rm -rf bin runs/demo
	rm -f ./*.prof ./*.test
