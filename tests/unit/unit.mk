# SPDX-License-Identifier: Apache-2.0
# The C unit tests (Debian package check) and the damaged cores. Included by the top Makefile.

UNIT_TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
UNIT_HELPERS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)))
CHECK_LIBS = $(shell pkg-config --libs check)

$(UNIT_TESTS): $(BUILD)/tests/unit/test_%: $(BUILD)/tests/unit/test_%.o $(UNIT_HELPERS) $(OBJECTS)
	$(call said,link   )
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(CHECK_LIBS) $(LIBS)

# Functions of the library that are bound when they are called first, which the machine must do as well.
$(BUILD)/tests/unit/test_machine: LDFLAGS += -Wl,-z,lazy

.PHONY: test-unit test-asan test-tsan fuzz-core
test-unit: $(UNIT_TESTS) ## the C unit tests
	+@$(MAKE) --no-print-directory --keep-going --output-sync=target $(UNIT_TESTS:=.run)

.PHONY: $(UNIT_TESTS:=.run)
$(UNIT_TESTS:=.run): %.run: %
	@$<

# The sanitizers: everything once more, in a folder of its own.
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ASAN := $(MAKE) BUILD=$(BUILD)/asan CFLAGS="-O1 -g $(SANITIZE)" LDFLAGS="$(SANITIZE)"

test-asan: ## the C unit tests with the sanitizers, and the walk tool on CORES="…"
	+@$(ASAN) --no-print-directory test-unit $(BUILD)/asan/walk
	@for core in $(CORES); do for command in info objects frames; do \
	    echo "walk $$command $$core"; $(BUILD)/asan/walk $$command $$core >/dev/null || exit 1; done; done

# What several threads do, with the sanitizer for that.
TSAN_FLAGS := -fsanitize=thread -fno-omit-frame-pointer
TSAN_TESTS := $(patsubst %,$(BUILD)/tsan/tests/unit/test_%,graph answers)
TSAN := $(MAKE) BUILD=$(BUILD)/tsan CFLAGS="-O1 -g -Wno-maybe-uninitialized $(TSAN_FLAGS)" LDFLAGS="$(TSAN_FLAGS)"

test-tsan: ## the graph's unit tests with the sanitizer for threads, and the walk tool on CORES="…"
	+@$(TSAN) --no-print-directory $(TSAN_TESTS) $(BUILD)/tsan/walk
	@for test in $(TSAN_TESTS); do CK_TIMEOUT_MULTIPLIER=50 $$test || exit 1; done
	@for core in $(CORES); do echo "walk info $$core"; \
	    WALK_THREADS=4 $(BUILD)/tsan/walk info $$core >/dev/null || exit 1; done

RUNS ?= 500
SEED ?= 1
$(BUILD)/tests/fuzz/corrupt: $(BUILD)/tests/fuzz/corrupt.o $(BUILD)/tests/fuzz/workload.o $(OBJECTS)
	$(call said,link   )
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

fuzz-core: ## damaged copies of CORE, RUNS of them from SEED on, with the sanitizers
	@test -n "$(CORE)" || { echo "usage: make fuzz-core CORE=core [RUNS=n] [SEED=n]"; exit 2; }
	+@$(ASAN) --no-print-directory $(BUILD)/asan/tests/fuzz/corrupt
	$(BUILD)/asan/tests/fuzz/corrupt $(CORE) $(RUNS) $(SEED)

$(BUILD)/tests/fuzz/saved: $(BUILD)/tests/fuzz/saved.o $(BUILD)/tests/fuzz/workload.o $(OBJECTS)
	$(call said,link   )
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

.PHONY: fuzz-saved
fuzz-saved: ## damaged copies of a saved heap, FILE, RUNS of them from SEED on, with the sanitizers
	@test -n "$(FILE)" || { echo "usage: make fuzz-saved FILE=heap [RUNS=n] [SEED=n]"; exit 2; }
	+@$(ASAN) --no-print-directory $(BUILD)/asan/tests/fuzz/saved
	$(BUILD)/asan/tests/fuzz/saved $(FILE) $(RUNS) $(SEED)

$(BUILD)/tests/fuzz/machine: $(BUILD)/tests/fuzz/machine.o $(OBJECTS)
	$(call said,link   )
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

.PHONY: fuzz-machine
fuzz-machine: ## random and damaged code, RUNS of it from SEED on, and with CORE damaged objects, with the sanitizers
	+@$(ASAN) --no-print-directory $(BUILD)/asan/tests/fuzz/machine
	@for seed in $$(grep -v '^#' tests/fuzz/machine.seeds); do $(BUILD)/asan/tests/fuzz/machine 1 $$seed >/dev/null || exit; done
	$(BUILD)/asan/tests/fuzz/machine $(RUNS) $(SEED) $(CORE)

# What the machine visits, compared with what the process itself said.
$(BUILD)/tests/machine/traverse: $(BUILD)/tests/machine/traverse.o $(OBJECTS)
	$(call said,link   )
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

.PHONY: traverse
traverse: $(BUILD)/tests/machine/traverse ## tp_traverse of every object of CORES="folder…", compared with gc.get_referents
	@python3 tests/machine/traverse.py $< $(CORES)

-include $(UNIT_TESTS:%=%.d) $(UNIT_HELPERS:.o=.d) $(BUILD)/tests/fuzz/corrupt.d $(BUILD)/tests/fuzz/workload.d $(BUILD)/tests/fuzz/saved.d \
    $(BUILD)/tests/fuzz/machine.d $(BUILD)/tests/machine/traverse.d
