# SPDX-License-Identifier: Apache-2.0
# The benchmarks. Included by the top Makefile.

BENCH_TOOLS := $(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(wildcard tests/bench/*.c))
$(BENCH_TOOLS): $(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(OBJECTS)
	$(call said,link   )
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

N ?= 1000000
ROUNDS ?= 5
RESULTS ?= $(BUILD)/bench/results.json

.PHONY: bench bench-report bench-layouts bench-traverse
ifdef CORE
bench: bench-layouts bench-traverse
else
bench: all $(BENCH_TOOLS) ## speed at N="1000000 …" tracked objects under PYTHONS="/usr/bin/python3 …", against its limits and others
	@.ci/deps bench
	$(Q)$(PYTHON3) tests/bench/bench.py --build '$(BUILD)' --results '$(RESULTS)' --rounds $(ROUNDS) --compiler '$(CC)' \
	    --flags '$(CFLAGS)' --objects $(N) $(if $(PYTHONS),--pythons $(PYTHONS))
endif

bench-report: ## docs/performance.md and its picture, of all that `make bench` has measured
	@$(PYTHON3) tests/bench/report.py '$(RESULTS)' docs/performance.md
	@$(PYTHON3) tests/bench/plot.py '$(RESULTS)' docs/images/performance.svg

bench-layouts: all ## of CORE=…: milliseconds to the first answer by the source of the layout
	@tests/bench/layouts '$(or $(CORE),$(error say which: make bench-layouts CORE=core))'

bench-traverse: all $(BUILD)/tests/machine/traverse ## of CORE=…: what it costs to run tp_traverse
	@tests/bench/traverse '$(or $(CORE),$(error say which: make bench-traverse CORE=core))'

-include $(BENCH_TOOLS:%=%.d)
