# SPDX-License-Identifier: Apache-2.0
# make          the library and the walk tool, in build/
# make demo     the main job: a core of the worker program, opened in gdb (leaves build/demo/)
# make test     everything that can be tested here
# make lint     formats, warnings, layers
# make help     all targets

BUILD ?= build
CC ?= gcc
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wpedantic -Werror
override CFLAGS += -std=c11 -D_GNU_SOURCE $(WARNINGS) -fPIC -fvisibility=hidden -Ilibwalk -MMD -MP

LAYERS := bytes layout objects graph answers
SOURCES := $(foreach layer,$(LAYERS),$(wildcard libwalk/$(layer)/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
LIBS := -ldw -lelf -lm

.PHONY: all
all: $(BUILD)/libwalk.so $(BUILD)/walk

$(BUILD)/libwalk.so: $(OBJECTS) libwalk/libwalk.map
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,--version-script=libwalk/libwalk.map -Wl,-z,defs -o $@ $(OBJECTS) $(LIBS)

$(BUILD)/walk: $(BUILD)/libwalk/tools/walk.o $(OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@ $<

-include $(OBJECTS:.o=.d) $(BUILD)/libwalk/tools/walk.d
