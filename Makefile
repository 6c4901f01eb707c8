# SPDX-License-Identifier: Apache-2.0
#
# Lines of the form `target: … ## what it does` make up `make help`.

BUILD ?= build
# One spelling, as the files of dependencies name their targets by it: tests/run has an absolute one.
override BUILD := $(patsubst $(CURDIR)/%,%,$(abspath $(BUILD)))
ifeq ($(origin CC),default)
CC := gcc
endif
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wpedantic -Werror
override CFLAGS += -std=c11 -D_GNU_SOURCE $(WARNINGS) -fPIC -fvisibility=hidden -Ilibwalk -MMD -MP

LAYERS := bytes machine layout objects graph answers
SOURCES := $(foreach layer,$(LAYERS),$(wildcard libwalk/$(layer)/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
LIBS := -ldw -lelf -lZydis -lzstd -lm -pthread

PYTHON3 ?= python3

# V=1 shows the commands.
Q := $(if $(V),,@)
said = $(if $(V),,@echo "  $1 $(@:$(BUILD)/%=%)")

export BUILD

# Tests, rows and timings neither read nor leave anything in the user's cache.
export LIBWALK_CACHE =

.PHONY: all
all: $(BUILD)/libwalk.so $(BUILD)/walk ## the library and the walk tool, in build/ (the default)

$(BUILD)/libwalk.so: $(OBJECTS) libwalk/libwalk.map
	$(call said,link   )
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,--version-script=libwalk/libwalk.map -Wl,-z,defs -o $@ $(OBJECTS) $(LIBS)

$(BUILD)/walk: $(BUILD)/libwalk/tools/walk.o $(OBJECTS)
	$(call said,link   )
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call said,compile)
	$(Q)$(CC) $(CFLAGS) -c -o $@ $<

-include $(OBJECTS:.o=.d) $(BUILD)/libwalk/tools/walk.d

# ---- what needs more than a compiler: the packages first, then the build ----

.PHONY: deps
deps: ## install the Debian packages that all targets need (as root; otherwise say which)
	@.ci/deps build demo test lint

.PHONY: demo
demo: ## the main job: a core of the worker program, asked in gdb why an object is alive
	@.ci/deps demo
	@$(MAKE) --no-print-directory all
	@tests/demo

.PHONY: test
test: ## all tests; PYTHONS="…" names the interpreters, KEEP_CORES=1 keeps the cores
	@.ci/deps test
	@$(MAKE) --no-print-directory all
	@tests/run

.PHONY: test-one
test-one: ## some tests: TEST=unit, TEST=test_gdb, TEST='test_matrix:3.11*worker'
	@.ci/deps test
	@$(MAKE) --no-print-directory all
	@tests/run '$(or $(TEST),$(error say which: make test-one TEST=test_gdb))'

.PHONY: test-matrix
test-matrix: ## every build of CPython that Debian's archive and this machine have (MATRIX_NOGIL=1: 3.14t too), in a table
	@.ci/deps test
	@$(MAKE) --no-print-directory all
	@MATRIX_FETCH=1 tests/run test_matrix

.PHONY: matrix-readme
matrix-readme: ## put the table of the last `make test-matrix` into README.md
	@$(PYTHON3) tests/matrix_table.py $(BUILD)/matrix/cells --readme README.md

.PHONY: lint
lint: ## warnings of two compilers, formats, shell and Python checks, layers, exported symbols, …
	@.ci/deps lint
	@tests/lint/run

# ---- upkeep ----

.PHONY: format
format: ## lay out the sources as `make lint` wants them
	clang-format -i $(FORMATTED_C)
	black -q $(FORMATTED_PYTHON)

FORMATTED_C = $(shell find libwalk tests -name '*.[ch]')
FORMATTED_PYTHON = gdbext tests corefiles

.PHONY: docs
docs: ## make docs/commands.md from the declarations of the commands
	python3 gdbext/pyheap/manual.py

.PHONY: images
images: all ## make docs/images from the commands of docs/pictures.md
	docs/images/make $(PYTHON3)

.PHONY: rows
rows: all ## make rows of libwalk/layout/rows.inc anew, for all interpreters that are found, or those in PYTHONS="…"
	libwalk/layout/make-rows $(or $(PYTHONS),$$(tests/matrix/builds | awk -F '\t' '{ print ($$2 ? $$2 ":" : "") $$3 }')) >$(BUILD)/rows.inc
	mv $(BUILD)/rows.inc libwalk/layout/rows.inc

.PHONY: type-names
type-names: all ## add what the static types of the interpreters in PYTHONS="…" offer to libwalk/objects/type_names.inc
	libwalk/layout/make-rows --type-names $(PYTHONS) >$(BUILD)/type_names.inc
	mv $(BUILD)/type_names.inc libwalk/objects/type_names.inc

.PHONY: clean
clean: ## remove build/, with the cores in it
	rm -rf $(BUILD)

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

-include tests/unit/unit.mk
-include tests/bench/bench.mk
