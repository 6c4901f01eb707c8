/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A saved file as a target, and its heap. Nothing that the file says is believed before check() has seen it: afterwards
 * every number that is an index is one.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "answers/saved.h"
#include "bytes/large.h"

/* ---- checks ---- */

/* Text is made fit for a terminal where it is not: no control characters, nothing but UTF-8. */
static void clean_text(char *text, size_t size)
{
    for (size_t i = 0; i < size;) {
        const unsigned char *c = (const unsigned char *)text + i;
        size_t left = size - i, length = *c < 0x80                 ? 1
                                         : *c >= 0xc2 && *c < 0xe0 ? 2
                                         : *c >= 0xe0 && *c < 0xf0 ? 3
                                         : *c >= 0xf0 && *c < 0xf5 ? 4
                                                                   : 0;
        bool good = length && length <= left && !(*c && (*c < 0x20 || *c == 0x7f));
        for (size_t k = 1; k < length && good; k++)
            good = (c[k] & 0xc0) == 0x80;
        /* C1 controls; overlong forms, surrogates, and what is beyond Unicode. */
        good = good && !(length == 2 && c[0] == 0xc2 && c[1] < 0xa0) && !(c[0] == 0xe0 && c[1] < 0xa0) &&
               !(c[0] == 0xed && c[1] >= 0xa0) && !(c[0] == 0xf0 && c[1] < 0x90) && !(c[0] == 0xf4 && c[1] >= 0x90);
        if (!good)
            text[i] = '?';
        i += good ? length : 1;
    }
}

static bool check_strings(struct walk_saved *saved)
{
    uint64_t size = SAVED_COUNT(saved, text), count = SAVED_COUNT(saved, string);
    if (!count || count > UINT32_MAX || !size || size > UINT32_MAX || saved->text[size - 1] || saved->string[0] ||
        saved->text[0])
        return false;
    for (uint64_t i = 1; i < count; i++)
        if (saved->string[i] <= saved->string[i - 1] || saved->string[i] >= size || saved->text[saved->string[i] - 1])
            return false;
    clean_text(saved->text, size);
    return true;
}

static bool is_string(const struct walk_saved *saved, uint32_t string) { return string < SAVED_COUNT(saved, string); }

static bool is_node(const struct walk_saved *saved, walk_id id) { return id < SAVED_COUNT(saved, key); }

static bool is_node_or_none(const struct walk_saved *saved, walk_id id)
{
    return id == WALK_NO_ID || is_node(saved, id);
}

/* Sums of the lengths of rows; NULL: they are not as many items as there are, or there is no memory. */
static uint64_t *sum_rows(const uint32_t *lengths, uint64_t rows, uint64_t items)
{
    uint64_t *start = malloc((rows + 1) * sizeof *start), sum = 0;
    for (uint64_t i = 0; start && i < rows; i++) {
        start[i] = sum;
        sum += lengths[i];
    }
    if (start && sum == items) {
        start[rows] = sum;
        return start;
    }
    free(start);
    return NULL;
}

static uint64_t total(const uint32_t *lengths, uint64_t rows)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < rows; i++)
        sum += lengths[i];
    return sum;
}

static bool check_nodes(struct walk_saved *saved)
{
    uint64_t nodes = SAVED_COUNT(saved, key), types = SAVED_COUNT(saved, type);
    if (nodes >= WALK_EDGE_MARK - 1 || SAVED_COUNT(saved, class) != nodes || SAVED_COUNT(saved, flags) != nodes ||
        SAVED_COUNT(saved, size) != nodes || SAVED_COUNT(saved, refcount) != nodes ||
        SAVED_COUNT(saved, how) != nodes || SAVED_COUNT(saved, value) != nodes ||
        SAVED_COUNT(saved, annotation) != nodes || SAVED_COUNT(saved, edge_count) != nodes ||
        SAVED_COUNT(saved, ref_count) != nodes || types < 3 || types > UINT32_MAX)
        return false;
    for (uint64_t i = 0; i < nodes; i++) {
        bool object = (saved->flags[i] & WALK_NODE_KIND) == WALK_OBJECT;
        if (object ? saved->class[i] >= types - 3 : saved->class[i] != 0)
            return false;
        if (!is_string(saved, saved->value[i]) || !is_string(saved, saved->annotation[i]))
            return false;
    }
    return true;
}

static bool check_edges(struct walk_saved *saved)
{
    uint64_t nodes = SAVED_COUNT(saved, key), edges = SAVED_COUNT(saved, edge), refs = SAVED_COUNT(saved, ref_target);
    saved->ref_start = sum_rows(saved->ref_count, nodes, refs);
    if (edges > UINT32_MAX || total(saved->edge_count, nodes) != edges || !saved->ref_start ||
        SAVED_COUNT(saved, ref_label) != refs || SAVED_COUNT(saved, ref_flags) != refs)
        return false;
    for (uint64_t i = 0; i < edges; i++)
        if (!is_node(saved, WALK_EDGE_ID(saved->edge[i])))
            return false;
    for (uint64_t i = 0; i < refs; i++) {
        uint32_t kind = saved->ref_label[i] >> SAVED_LABEL_SHIFT;
        if (!is_node_or_none(saved, saved->ref_target[i]) || kind > WALK_LABEL_TYPE_SUBCLASSES ||
            (!walk_saved_label_is_number(kind) && !is_string(saved, saved->ref_label[i] & SAVED_LABEL_MAX)))
            return false;
    }
    return true;
}

static bool check_types(const struct walk_saved *saved)
{
    for (uint64_t i = 0; i < SAVED_COUNT(saved, type); i++)
        if (!is_string(saved, saved->type[i].name) || !is_string(saved, saved->type[i].fault) ||
            !is_string(saved, saved->type[i].fault_file) || saved->type[i].role > WALK_ROLE_GENERATOR ||
            saved->type[i].known > 1)
            return false;
    for (uint64_t i = 0; i < SAVED_COUNT(saved, dispute); i++)
        if (saved->dispute[i].type >= SAVED_COUNT(saved, type))
            return false;
    return true;
}

static bool check_interpreters(const struct walk_saved *saved)
{
    uint64_t count = SAVED_COUNT(saved, interpreter), nodes = SAVED_COUNT(saved, key);
    for (uint64_t i = 0; i < count; i++)
        if (!is_node_or_none(saved, saved->interpreter[i].id) || saved->interpreter[i].tracked > nodes)
            return false;
    for (uint64_t i = 0; i < SAVED_COUNT(saved, collector); i++)
        if (saved->collector[i] > count)
            return false;
    return count == 1 || (count && SAVED_COUNT(saved, collector) == nodes);
}

static bool check_garbage(const struct walk_saved *saved)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < SAVED_COUNT(saved, interpreter); i++) {
        uint64_t begin = count;
        count += saved->interpreter[i].garbage_count;
        if (count > SAVED_COUNT(saved, garbage))
            return false;
        for (uint64_t k = begin; k < count; k++) {
            const struct saved_garbage *item = &saved->garbage[k];
            if (!is_node(saved, item->id) || (saved->flags[item->id] & WALK_NODE_KIND) != WALK_OBJECT ||
                (k > begin && item->id <= item[-1].id) || item->finalizers & ~(uint32_t)WALK_FOUND_FINALIZERS)
                return false;
        }
    }
    for (uint64_t i = 0; i < SAVED_COUNT(saved, uncollectable); i++)
        if (!is_node(saved, saved->uncollectable[i]) || (i && saved->uncollectable[i] <= saved->uncollectable[i - 1]))
            return false;
    return count == SAVED_COUNT(saved, garbage);
}

static bool check_stacks(struct walk_saved *saved)
{
    uint64_t frames = 0;
    for (uint64_t i = 0; i < SAVED_COUNT(saved, thread); i++) {
        const struct saved_thread *thread = &saved->thread[i];
        frames += thread->frame_count;
        if (!is_node(saved, thread->id) || !is_node_or_none(saved, thread->interpreter) ||
            !is_string(saved, thread->name))
            return false;
    }
    for (uint64_t i = 0; i < SAVED_COUNT(saved, greenlet); i++) {
        frames += saved->greenlet[i].frame_count;
        if (!is_node(saved, saved->greenlet[i].id))
            return false;
    }
    if (frames != SAVED_COUNT(saved, stack))
        return false;
    for (uint64_t i = 0; i < frames; i++)
        if (!is_node(saved, saved->stack[i]))
            return false;
    for (uint64_t i = 0; i < SAVED_COUNT(saved, on_stack); i++)
        if (!is_node(saved, saved->on_stack[i].frame) || !is_node(saved, saved->on_stack[i].thread))
            return false;
    return true;
}

static bool check_frames(struct walk_saved *saved)
{
    uint64_t count = SAVED_COUNT(saved, frame), locals = 0;
    saved->local_start = calloc(count + 1, sizeof *saved->local_start);
    if (!saved->local_start || SAVED_COUNT(saved, local) > UINT32_MAX)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        const struct saved_frame *frame = &saved->frame[i];
        saved->local_start[i] = (uint32_t)locals;
        locals += frame->local_count;
        if (!is_node(saved, frame->id) || (i && frame->id <= frame[-1].id) || !is_string(saved, frame->function) ||
            !is_string(saved, frame->file) || locals > SAVED_COUNT(saved, local))
            return false;
    }
    for (uint64_t i = 0; i < locals; i++)
        if (!is_node(saved, saved->local[i].referent) || !is_string(saved, saved->local[i].name))
            return false;
    return locals == SAVED_COUNT(saved, local);
}

static bool check_info(const struct walk_saved *saved)
{
    if (SAVED_COUNT(saved, info) != 1)
        return false;
    const struct saved_info *info = saved->info;
    const uint32_t strings[] = {info->version_text, info->python_path,   info->build_id,    info->build,
                                info->file_problem, info->layout_source, info->run_problem, info->tracked_by};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        if (!is_string(saved, strings[i]))
            return false;
    for (uint64_t i = 0; i < SAVED_COUNT(saved, part); i++)
        if (!is_string(saved, saved->part[i].source) || !is_string(saved, saved->part[i].structures))
            return false;
    for (uint64_t i = 0; i < SAVED_COUNT(saved, file); i++)
        if (!is_string(saved, saved->file[i].path) || !is_string(saved, saved->file[i].problem) ||
            saved->file[i].has_build_id > 1 || saved->file[i].has_code > 1)
            return false;
    for (uint64_t i = 0; i < SAVED_COUNT(saved, invariant); i++)
        if (!is_string(saved, saved->invariant[i].words) || saved->invariant[i].verdict > WALK_FAILS)
            return false;
    return info->word == 4 || info->word == 8;
}

static bool check(struct walk_saved *saved)
{
    return check_strings(saved) && check_info(saved) && check_types(saved) && check_nodes(saved) &&
           check_interpreters(saved) && check_edges(saved) && check_garbage(saved) && check_stacks(saved) &&
           check_frames(saved);
}

/* ---- the heap ---- */

static const char *string_or_null(const struct walk_saved *saved, uint32_t string)
{
    return string ? walk_saved_string(saved, string) : NULL;
}

/* What is counted is counted anew. */
static void count_nodes(struct walk_heap *heap)
{
    const struct walk_saved *saved = heap->saved;
    const struct walk_graph *graph = &heap->graph;
    struct walk_heap_stats *stats = &heap->stats;
    for (walk_id id = 0; id < graph->node_count; id++) {
        enum walk_node_kind kind = walk_node_kind(heap, id);
        if (kind != WALK_OBJECT) {
            heap->types[heap->type_count + kind - WALK_FRAME].objects++;
            continue;
        }
        struct walk_type_stats *type = &heap->types[graph->class[id]];
        bool tracked = walk_node_tracked(heap, id);
        type->objects++;
        type->size += saved->size[id];
        type->unreadable += (graph->flags[id] & WALK_NODE_UNREADABLE) != 0;
        type->tracked += tracked;
        type->tracked_size += tracked ? saved->size[id] : 0;
        stats->objects++;
        stats->tracked += tracked;
    }
    stats->nodes = graph->node_count;
    stats->edges = graph->edge_count;
    stats->extra_edges = graph->marked_count;
}

static void fill_stats(struct walk_heap *heap)
{
    const struct saved_info *info = heap->saved->info;
#define X(name) heap->stats.name = info->name;
    WALK_SAVED_STATS(X)
#undef X
    heap->stats.run_problem = string_or_null(heap->saved, info->run_problem);
    count_nodes(heap);
}

static void fill_types(struct walk_heap *heap)
{
    const struct walk_saved *saved = heap->saved;
    for (uint64_t i = 0; i < SAVED_COUNT(saved, type); i++) {
        const struct saved_type *type = &saved->type[i];
        heap->types[i].guessed = type->guessed;
        heap->types[i].fault.pc = type->fault_pc;
        heap->types[i].fault.instructions = type->fault_instructions;
        heap->tables.types[i] = (struct walk_type_facts){
            .address = type->address,
            .name = walk_saved_string(saved, type->name),
            .fault = string_or_null(saved, type->fault),
            .fault_file = string_or_null(saved, type->fault_file),
            .role = type->role,
            .known = type->known,
        };
    }
    for (uint64_t i = 0; i < SAVED_COUNT(saved, dispute); i++)
        heap->tables.disputes[i] = (struct walk_dispute){saved->dispute[i].type, saved->dispute[i].object};
}

static void fill_stacks(struct walk_heap *heap)
{
    const struct walk_saved *saved = heap->saved;
    struct walk_tables *tables = &heap->tables;
    const walk_id *frames = saved->stack;
    for (size_t i = 0; i < tables->thread_count; i++) {
        const struct saved_thread *thread = &saved->thread[i];
        tables->threads[i] = (struct walk_thread){thread->id,
                                                  thread->address,
                                                  thread->interpreter,
                                                  thread->ident,
                                                  thread->native_id,
                                                  walk_saved_string(saved, thread->name),
                                                  thread->frame_count,
                                                  frames,
                                                  thread->frames_complete != 0};
        frames += thread->frame_count;
    }
    for (size_t i = 0; i < tables->greenlet_count; i++) {
        const struct saved_greenlet *greenlet = &saved->greenlet[i];
        tables->greenlets[i] =
            (struct walk_greenlet){greenlet->id, greenlet->frame_count, frames, greenlet->frames_complete != 0};
        frames += greenlet->frame_count;
    }
    for (size_t i = 0; i < tables->on_stack_count; i++)
        tables->on_stack[i] = (struct walk_on_stack){saved->on_stack[i].frame, saved->on_stack[i].thread};
}

static void fill_interpreters(struct walk_heap *heap)
{
    const struct walk_saved *saved = heap->saved;
    for (size_t i = 0; i < heap->tables.interpreter_count; i++) {
        const struct saved_interpreter *interpreter = &saved->interpreter[i];
        heap->tables.interpreters[i] =
            (struct walk_interpreter){interpreter->id, interpreter->address, interpreter->number,
                                      interpreter->has_collector != 0, interpreter->tracked};
    }
}

static bool reserve(struct walk_heap *heap)
{
    const struct walk_saved *saved = heap->saved;
    struct walk_tables *tables = &heap->tables;
    tables->thread_count = SAVED_COUNT(saved, thread);
    tables->greenlet_count = SAVED_COUNT(saved, greenlet);
    tables->interpreter_count = SAVED_COUNT(saved, interpreter);
    tables->dispute_count = SAVED_COUNT(saved, dispute);
    tables->on_stack_count = SAVED_COUNT(saved, on_stack);
    heap->type_count = (uint32_t)SAVED_COUNT(saved, type) - 3;
    return (heap->types = calloc(SAVED_COUNT(saved, type), sizeof *heap->types)) &&
           (tables->types = calloc(SAVED_COUNT(saved, type), sizeof *tables->types)) &&
           (tables->threads = calloc(tables->thread_count + 1, sizeof *tables->threads)) &&
           (tables->greenlets = calloc(tables->greenlet_count + 1, sizeof *tables->greenlets)) &&
           (tables->interpreters = calloc(tables->interpreter_count + 1, sizeof *tables->interpreters)) &&
           (tables->disputes = calloc(tables->dispute_count + 1, sizeof *tables->disputes)) &&
           (tables->on_stack = calloc(tables->on_stack_count + 1, sizeof *tables->on_stack));
}

/* A copy of an array, which the graph owns; the file's stays, for another heap of it. */
static void *copy(const void *array, uint64_t size)
{
    void *copied = malloc(size + 1);
    if (copied && size)
        memcpy(copied, array, size);
    return copied;
}

static struct walk_error *fill_graph(struct walk_heap *heap)
{
    const struct walk_saved *saved = heap->saved;
    struct walk_graph *graph = &heap->graph;
    uint64_t nodes = SAVED_COUNT(saved, key), edges = SAVED_COUNT(saved, edge);
    graph->node_count = (walk_id)nodes;
    graph->edge_count = edges;
    graph->class = walk_large_copy(saved->class, nodes, sizeof *graph->class);
    graph->flags = walk_large_copy(saved->flags, nodes, sizeof *graph->flags);
    graph->forward.start = walk_large_copy(saved->edge_count, nodes, sizeof *graph->forward.start);
    graph->forward.edge = walk_large_copy(saved->edge, edges, sizeof *graph->forward.edge);
    if (!graph->class || !graph->flags || !graph->forward.start || !graph->forward.edge)
        return walk_error_no_memory();
    graph->forward.start[nodes] = walk_rows_start(graph->forward.start, graph->node_count, 0);
    if (SAVED_COUNT(saved, interpreter) > 1 &&
        !(heap->interpreter = copy(saved->collector, nodes * sizeof *heap->interpreter)))
        return walk_error_no_memory();
    return walk_graph_complete(graph, saved->info->word, saved->key);
}

static struct walk_error *saved_heap(struct walk_target *target, struct walk_heap **result)
{
    struct walk_heap *heap = calloc(1, sizeof *heap);
    if (!heap)
        return walk_error_no_memory();
    heap->target = target;
    heap->saved = target->saved;
    heap->facts = &walk_saved_facts;
    struct walk_error *error = reserve(heap) ? fill_graph(heap) : walk_error_no_memory();
    if (error) {
        walk_heap_destroy(heap);
        return error;
    }
    fill_types(heap);
    fill_stacks(heap);
    fill_interpreters(heap);
    fill_stats(heap);
    *result = heap;
    return NULL;
}

/* ---- the target ---- */

static void saved_info(const struct walk_target *target, struct walk_target_info *result)
{
    const struct walk_saved *saved = target->saved;
    const struct saved_info *info = saved->info;
    *result = (struct walk_target_info){
        .version = info->hexversion,
        .word = info->word,
        .version_text = walk_saved_string(saved, info->version_text),
        .python_path = walk_saved_string(saved, info->python_path),
        .build_id = walk_saved_string(saved, info->build_id),
        .build = walk_saved_string(saved, info->build),
        .file_problem = walk_saved_string(saved, info->file_problem),
        .layout_source = walk_saved_string(saved, info->layout_source),
        .tracked_by = walk_saved_string(saved, info->tracked_by),
        .truncated = info->core_truncated != 0,
        .saved = info->nameless ? WALK_SAVED_WITHOUT_VALUES : WALK_SAVED,
    };
}

static size_t saved_file_count(const struct walk_target *target) { return SAVED_COUNT(target->saved, file); }

static void saved_file(const struct walk_target *target, size_t index, struct walk_file *file)
{
    const struct saved_target_file *known = &target->saved->file[index];
    *file =
        (struct walk_file){walk_saved_string(target->saved, known->path), string_or_null(target->saved, known->problem),
                           known->has_build_id != 0, known->has_code != 0};
}

static size_t saved_part_count(const struct walk_target *target) { return SAVED_COUNT(target->saved, part); }

static void saved_part(const struct walk_target *target, size_t index, struct walk_layout_part *part)
{
    const struct saved_part *known = &target->saved->part[index];
    *part = (struct walk_layout_part){walk_saved_string(target->saved, known->source), known->count,
                                      walk_saved_string(target->saved, known->structures)};
}

static size_t saved_invariant_count(const struct walk_target *target) { return SAVED_COUNT(target->saved, invariant); }

static void saved_invariant(struct walk_target *target, size_t index, struct walk_invariant *invariant)
{
    const struct saved_invariant *known = &target->saved->invariant[index];
    *invariant = (struct walk_invariant){walk_saved_string(target->saved, known->words), known->verdict};
}

static void close_saved(struct walk_target *target) { walk_saved_free(target->saved); }

static const struct walk_target_facts facts = {
    .info = saved_info,
    .file_count = saved_file_count,
    .file = saved_file,
    .part_count = saved_part_count,
    .part = saved_part,
    .invariant_count = saved_invariant_count,
    .invariant = saved_invariant,
    .close = close_saved,
    .heap = saved_heap,
};

struct walk_error *walk_target_open_saved(const char *path, struct walk_target **result)
{
    struct walk_target *target = calloc(1, sizeof *target);
    if (!target)
        return walk_error_no_memory();
    struct walk_error *error = walk_saved_read(path, &target->saved);
    if (!error && !check(target->saved)) {
        walk_saved_free(target->saved);
        error = walk_error_new(WALK_ERROR_FORMAT,
                               "%s: a saved heap that contradicts itself: save it again from its core", path);
    }
    if (error) {
        free(target);
        return error;
    }
    target->facts = &facts;
    *result = target;
    return NULL;
}
