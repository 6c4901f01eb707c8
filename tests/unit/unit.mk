# SPDX-License-Identifier: Apache-2.0
#
# The tests in C: one program per layer on memory built in the test, with libcheck. Included by the top Makefile.

UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
UNIT_LIBS := -lcheck -lsubunit -lm -lrt -lpthread
UNIT_FLAGS := -Itests
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g

$(BUILD)/tests/unit/test_%: $(BUILD)/tests/unit/test_%.o $(BUILD)/tests/unit/elf_writer.o $(OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS) $(UNIT_LIBS)

$(BUILD)/tests/fuzz/corrupt: $(BUILD)/tests/fuzz/corrupt.o $(BUILD)/tests/fuzz/workload.o $(OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

.PRECIOUS: $(BUILD)/tests/unit/%.o $(BUILD)/tests/fuzz/%.o
-include $(wildcard $(BUILD)/tests/*/*.d)

.PHONY: test-unit
test-unit: $(UNIT_TESTS:%=$(BUILD)/tests/unit/%) ## the tests in C
	@status=0; for test in $^; do $$test || status=1; done; exit $$status

.PHONY: test-asan
test-asan: ## the tests in C with ASan and UBSan, and the walk tool on CORES="…"
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan CFLAGS='$(SANITIZE)' test-unit $(BUILD)/asan/walk
	@for core in $(CORES); do for what in info types objects frames; do \
		echo "asan: walk $$what $$core"; $(BUILD)/asan/walk $$what $$core >$(BUILD)/asan/walk.out || exit 1; done; done

.PHONY: fuzz-core
fuzz-core: ## damage CORE=… RUNS=… times from SEED=… on, and ask everything of it under the sanitizers
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan CFLAGS='$(SANITIZE)' $(BUILD)/asan/tests/fuzz/corrupt
	$(BUILD)/asan/tests/fuzz/corrupt $(CORE) $(or $(RUNS),1000) $(or $(SEED),1)
