/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to an interpreter whose objects can be read. */
#include "objects/target.h"

#include <stdlib.h>

#include "bytes/large.h"
#include "layout/proof.h"
#include "objects/traverse.h"

static void copy_plain(char *to, size_t size, const char *text)
{
    snprintf(to, size, "%s", text);
    for (char *c = to; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

/* `error`: of opening the image. Takes over `target`. */
static struct walk_error *open_python(struct walk_error *error, struct walk_target *target, struct walk_target **result)
{
    if (error) {
        free(target);
        return error;
    }
    walk_stock_keep(target->image.stock); /* until it has been asked something */
    bool truncated = target->image.truncated;
    error = walk_runtime_find(&target->image, &target->runtime);
    if (!error) {
        error = walk_python_open(&target->python, &target->runtime);
        if (error) {
            error = walk_runtime_explain(&target->runtime, error);
            walk_runtime_close(&target->runtime);
        }
    }
    if (error) {
        walk_image_close(&target->image);
        free(target);
        return truncated ? walk_error_context(error, "the core is truncated (disk full, ulimit -c?)") : error;
    }
    const struct walk_module *module = target->runtime.module;
    walk_build_id_format(module->build_id, module->build_id_size, target->build_id);
    copy_plain(target->python_path, sizeof target->python_path, module->path);
    copy_plain(target->file_problem, sizeof target->file_problem, module->file ? "" : module->problem);
    struct walk_runtime *runtime = &target->runtime;
    size_t said = strlen(runtime->source);
    if (WALK_MINOR(&target->python) > WALK_NEWEST)
        snprintf(runtime->source + said, sizeof runtime->source - said,
                 "; newer than CPython 3.%d, the newest that is known", WALK_NEWEST);
    bool debug = strchr(target->python.abiflags, 'd') != NULL;
    snprintf(target->build, sizeof target->build, "%s%s",
             strchr(target->python.abiflags, 't') ? (debug ? "free-threaded " : "free-threaded")
             : debug                              ? ""
                                                  : "release",
             debug ? "debug" : "");
    *result = target;
    return NULL;
}

struct walk_error *walk_target_open_core(const char *path, const struct walk_options *options,
                                         struct walk_target **target)
{
    struct walk_target *opened = calloc(1, sizeof *opened);
    if (!opened)
        return walk_error_no_memory();
    return open_python(walk_image_open_core(path, options, &opened->image), opened, target);
}

struct walk_error *walk_target_open_process(int pid, const struct walk_options *options, struct walk_target **target)
{
    struct walk_target *opened = calloc(1, sizeof *opened);
    if (!opened)
        return walk_error_no_memory();
    return open_python(walk_image_open_process(pid, options, &opened->image), opened, target);
}

struct walk_error *walk_target_open_reader(const struct walk_reader *reader, const struct walk_options *options,
                                           struct walk_target **target)
{
    struct walk_target *opened = calloc(1, sizeof *opened);
    if (!opened)
        return walk_error_no_memory();
    return open_python(walk_image_open_reader(reader, options, &opened->image), opened, target);
}

static void close_python(struct walk_target *target)
{
    walk_python_close(&target->python);
    walk_runtime_close(&target->runtime);
    walk_image_close(&target->image);
}

static void python_info(const struct walk_target *target, struct walk_target_info *info)
{
    static const char *const ways[] = {
        [WALK_BY_LISTS] = "lists",
        [WALK_BY_SWEEP] = "sweep",
        [WALK_BY_SUBLISTS] = "sublists",
        [WALK_BY_ALLOCATOR] = "allocator",
    };
    *info = (struct walk_target_info){.version = target->python.version,
                                      .word = target->python.word,
                                      .version_text = target->python.version_text,
                                      .python_path = target->python_path,
                                      .build_id = target->build_id,
                                      .build = target->build,
                                      .file_problem = target->file_problem,
                                      .layout_source = target->runtime.source,
                                      .tracked_by = ways[target->python.tracked_by],
                                      .truncated = target->image.truncated};
}

static size_t python_file_count(const struct walk_target *target) { return target->image.module_count; }

/* Where the mappings do not say what may be run (a reader's), all of it may. */
static bool has_code(const struct walk_image *image, const struct walk_module *module)
{
    bool said = false;
    for (size_t i = 0; i < image->memory.count; i++) {
        const struct walk_segment *segment = &image->memory.segments[i];
        said |= (segment->flags & WALK_SEGMENT_EXEC) != 0;
        if ((segment->flags & WALK_SEGMENT_EXEC) && segment->start < module->end && segment->end > module->start)
            return true;
    }
    return !said;
}

static void python_file(const struct walk_target *target, size_t index, struct walk_file *file)
{
    const struct walk_module *module = &target->image.modules[index];
    *file = (struct walk_file){module->path, module->file ? NULL : module->problem, module->build_id_size != 0,
                               has_code(&target->image, module)};
}

static size_t python_part_count(const struct walk_target *target) { return target->runtime.part_count; }

static void python_part(const struct walk_target *target, size_t index, struct walk_layout_part *part)
{
    const struct walk_part *known = &target->runtime.parts[index];
    *part = (struct walk_layout_part){known->source, known->count, known->structures};
}

static size_t python_invariant_count(const struct walk_target *target)
{
    (void)target;
    return walk_rule_count;
}

static void python_invariant(struct walk_target *target, size_t index, struct walk_invariant *invariant)
{
    struct walk_runtime *runtime = &target->runtime;
    if (!runtime->verdicts.asked)
        walk_runtime_ask_all(runtime, &runtime->verdicts);
    *invariant = (struct walk_invariant){walk_rules[index].words, runtime->verdicts.of[index]};
}

void walk_target_stats(const struct walk_target *target, struct walk_heap_stats *stats)
{
    const struct walk_python *python = &target->python;
    stats->permanent = python->permanent_count;
    stats->broken_lists = python->broken_lists;
    stats->collecting |= python->collecting;
    stats->truncated = target->image.truncated;
    for (size_t i = 0; i < python->thread_count; i++)
        stats->broken_stacks += !python->threads[i].frames_complete;
    for (size_t i = 0; i < python->greenlet_count; i++)
        stats->broken_stacks += !python->greenlets[i].frames_complete;
    stats->run_problem = walk_traverser_problem(python->traverser);
    stats->unknown_layout = target->runtime.left_out || WALK_MINOR(python) > WALK_NEWEST;
    stats->complete = !stats->unknown_layout && !stats->broken_stacks && !stats->unreadable && !stats->broken_lists &&
                      !stats->collecting && !stats->truncated;
}

static const struct walk_target_facts python_facts = {
    .info = python_info,
    .file_count = python_file_count,
    .file = python_file,
    .part_count = python_part_count,
    .part = python_part,
    .invariant_count = python_invariant_count,
    .invariant = python_invariant,
    .close = close_python,
};

static const struct walk_target_facts *facts_of(const struct walk_target *target)
{
    return target->facts ? target->facts : &python_facts;
}

void walk_target_close(struct walk_target *target)
{
    if (!target)
        return;
    facts_of(target)->close(target);
    free(target);
}

void walk_target_info(const struct walk_target *target, struct walk_target_info *info)
{
    facts_of(target)->info(target, info);
}

size_t walk_target_file_count(const struct walk_target *target) { return facts_of(target)->file_count(target); }

void walk_target_file(const struct walk_target *target, size_t index, struct walk_file *file)
{
    facts_of(target)->file(target, index, file);
}

size_t walk_target_layout_part_count(const struct walk_target *target) { return facts_of(target)->part_count(target); }

void walk_target_layout_part(const struct walk_target *target, size_t index, struct walk_layout_part *part)
{
    facts_of(target)->part(target, index, part);
}

size_t walk_target_invariant_count(const struct walk_target *target)
{
    return facts_of(target)->invariant_count(target);
}

void walk_target_invariant(struct walk_target *target, size_t index, struct walk_invariant *invariant)
{
    facts_of(target)->invariant(target, index, invariant);
}
