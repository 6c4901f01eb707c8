/* SPDX-License-Identifier: Apache-2.0 */
/* Saving a heap: every fact of every node, once, as the sections of saved.def. */
#include <inttypes.h>
#include <stdlib.h>

#include "answers/saved.h"
#include "answers/strings.h"

enum { TEXT_SIZE = 8192, CACHE = 1 << 16 };

/* A label's string, by what the label is of: most are asked for again soon. */
struct cached_label {
    uint64_t argument;
    uint32_t kind_index; /* kind << 26 | index, + 1; 0: free */
    uint32_t string;
};

struct saver {
    const struct walk_heap *heap;
    struct walk_saved *saved;
    bool nameless;
    struct walk_strings strings;
    struct walk_refs refs;
    struct cached_label *cache;
    size_t ref_capacity, local_capacity, frame_capacity;
    char text[TEXT_SIZE], value[TEXT_SIZE];
};

static uint32_t string(struct saver *saver, const char *text)
{
    return text ? walk_strings_number(&saver->strings, text) : 0;
}

static bool grow(void *array, size_t *capacity, size_t count, size_t item)
{
    void *old, *grown;
    if (count < *capacity)
        return true;
    memcpy(&old, array, sizeof old);
    size_t wanted = *capacity ? *capacity * 2 : 1 << 10;
    grown = realloc(old, wanted * item);
    if (!grown)
        return false;
    memcpy(array, &grown, sizeof grown);
    *capacity = wanted;
    return true;
}

/* ---- labels ---- */

static uint32_t label_string(struct saver *saver, const struct walk_ref *ref)
{
    uint32_t key = ((uint32_t)ref->label << 26 | ref->index) + 1;
    size_t at = (size_t)((ref->argument ^ (uint64_t)key << 40) * UINT64_C(0x9e3779b97f4a7c15) >> 48) & (CACHE - 1);
    struct cached_label *cached = &saver->cache[at];
    if (cached->kind_index != key || cached->argument != ref->argument) {
        struct walk_text_out out;
        walk_text_init(&out, saver->text, WALK_LABEL_SIZE);
        saver->heap->facts->label(saver->heap, ref, saver->nameless ? WALK_LABEL_NAMELESS : WALK_LABEL_WHOLE, &out);
        walk_label_cut(saver->text, WALK_LABEL_SIZE);
        *cached = (struct cached_label){ref->argument, key, string(saver, saver->text)};
    }
    return cached->string;
}

static uint32_t label(struct saver *saver, const struct walk_ref *ref)
{
    uint32_t kind = ref->label, argument;
    if (walk_saved_label_is_number(kind) && ref->argument <= SAVED_LABEL_MAX)
        return kind << SAVED_LABEL_SHIFT | (uint32_t)ref->argument;
    argument = label_string(saver, ref);
    if (argument > SAVED_LABEL_MAX)
        argument = string(saver, "?");
    return (walk_saved_label_is_number(kind) ? (uint32_t)WALK_LABEL_TEXT : kind) << SAVED_LABEL_SHIFT | argument;
}

static bool reserve_ref(struct saver *saver)
{
    struct walk_saved *saved = saver->saved;
    size_t count = SAVED_COUNT(saved, ref_target), labels = saver->ref_capacity, flags = saver->ref_capacity;
    return grow(&saved->ref_label, &labels, count, sizeof *saved->ref_label) &&
           grow(&saved->ref_flags, &flags, count, sizeof *saved->ref_flags) &&
           grow(&saved->ref_target, &saver->ref_capacity, count, sizeof *saved->ref_target);
}

static bool add_refs(struct saver *saver, walk_id id)
{
    struct walk_saved *saved = saver->saved;
    struct walk_refs *refs = &saver->refs;
    refs->count = 0;
    refs->guessed = refs->run = refs->unreadable = false;
    walk_heap_visit(saver->heap, id, refs);
    for (size_t i = 0; i < refs->count; i++) {
        const struct walk_ref *ref = &refs->ref[i];
        walk_id target = walk_graph_find(&saver->heap->graph, ref->target);
        bool if_known = (ref->flags & WALK_REF_IF_KNOWN) != 0;
        if (target == WALK_NO_ID && if_known)
            continue;
        if (!reserve_ref(saver))
            return false;
        uint64_t at = SAVED_COUNT(saved, ref_target)++;
        saved->ref_target[at] = target;
        saved->ref_label[at] = label(saver, ref);
        saved->ref_flags[at] = (uint8_t)((ref->flags & (WALK_EDGE_EXTRA | WALK_EDGE_GUESS | WALK_EDGE_WEAK)) |
                                         (if_known ? SAVED_IF_KNOWN : 0));
        saved->ref_count[id]++;
    }
    saved->how[id] = (refs->guessed ? SAVED_GUESSED : 0) | (refs->run ? SAVED_RUN : 0);
    return !refs->no_memory;
}

/* ---- nodes ---- */

/*
 * The annotation is only written when it is neither the value nor the type's name. What is left out must not become a
 * string of the file in the first place.
 */
static void add_texts(struct saver *saver, walk_id id)
{
    const struct walk_heap *heap = saver->heap;
    struct walk_saved *saved = saver->saved;
    if (walk_node_kind(heap, id) != WALK_OBJECT || walk_node_is_frame(heap, id))
        return;
    walk_heap_text(heap, id, WALK_TEXT_VALUE, saver->value, sizeof saver->value);
    walk_heap_text(heap, id, WALK_TEXT_ANNOTATION, saver->text, sizeof saver->text);
    const char *usual = saver->value[0] ? saver->value : heap->tables.types[heap->graph.class[id]].name;
    walk_label_cut(saver->value, sizeof saver->value);
    walk_label_cut(saver->text, sizeof saver->text);
    if (!saver->nameless)
        saved->value[id] = string(saver, saver->value);
    if (strcmp(saver->text, usual) != 0)
        saved->annotation[id] = string(saver, saver->text);
}

static bool add_frame(struct saver *saver, walk_id id)
{
    const struct walk_heap *heap = saver->heap;
    struct walk_saved *saved = saver->saved;
    struct walk_frame place;
    struct walk_refs *refs = &saver->refs;
    if (!walk_node_is_frame(heap, id) && !walk_node_is_generator(heap, id))
        return true;
    refs->count = 0;
    struct walk_error *error = walk_heap_frame(heap, id, &place);
    if (!error)
        error = heap->facts->locals(heap, id, refs);
    if (error) {
        walk_error_free(error);
        return true;
    }
    if (!grow(&saved->frame, &saver->frame_capacity, SAVED_COUNT(saved, frame), sizeof *saved->frame))
        return false;
    struct saved_frame *frame = &saved->frame[SAVED_COUNT(saved, frame)++];
    *frame = (struct saved_frame){id, string(saver, place.function), string(saver, place.file), place.line, 0};
    for (size_t i = 0; i < refs->count; i++) {
        struct walk_text_out out;
        walk_id value = walk_graph_find(&heap->graph, refs->ref[i].target);
        if (value == WALK_NO_ID)
            continue;
        if (!grow(&saved->local, &saver->local_capacity, SAVED_COUNT(saved, local), sizeof *saved->local))
            return false;
        walk_text_init(&out, saver->text, WALK_LABEL_SIZE);
        heap->facts->label(heap, &refs->ref[i], WALK_LABEL_BARE, &out);
        walk_label_cut(saver->text, WALK_LABEL_SIZE);
        saved->local[SAVED_COUNT(saved, local)++] = (struct saved_local){value, string(saver, saver->text)};
        frame->local_count++;
    }
    return true;
}

/* Arrays with an item for each node begin with zeros. */
#define NODES(member)                                                                                                  \
    (SAVED_COUNT(saved, member) = nodes, (saved->member = calloc((size_t)nodes + 1, sizeof *saved->member)) != NULL)

static struct walk_error *add_nodes(struct saver *saver, walk_progress *progress, void *context)
{
    const struct walk_heap *heap = saver->heap;
    const struct walk_graph *graph = &heap->graph;
    struct walk_saved *saved = saver->saved;
    walk_id nodes = graph->node_count;
    if (!NODES(key) || !NODES(class) || !NODES(flags) || !NODES(size) || !NODES(refcount) || !NODES(how) ||
        !NODES(value) || !NODES(annotation) || !NODES(edge_count) || !NODES(ref_count))
        return walk_error_no_memory();
    walk_graph_keys(graph, saved->key);
    memcpy(saved->flags, graph->flags, nodes);
    walk_heap_limit(heap, &saver->refs);
    for (walk_id id = 0; id < nodes; id++) {
        bool object = walk_node_kind(heap, id) == WALK_OBJECT;
        saved->class[id] = object ? graph->class[id] : 0;
        saved->size[id] = object ? heap->facts->size(heap, id) : 0;
        saved->refcount[id] = object ? heap->facts->refcount(heap, id) : -1;
        saved->edge_count[id] = (uint32_t)(graph->forward.start[id + 1] - graph->forward.start[id]);
        if (!add_refs(saver, id) || !add_frame(saver, id))
            return walk_error_no_memory();
        add_texts(saver, id);
        if (walk_node_is_generator(heap, id) && heap->facts->suspended(heap, id))
            saved->how[id] |= SAVED_SUSPENDED;
        if (progress && id % (1 << 16) == 0 && !progress(context, id, nodes))
            return walk_error_new(WALK_ERROR_INTERRUPTED, "interrupted");
    }
    SAVED_COUNT(saved, ref_label) = SAVED_COUNT(saved, ref_flags) = SAVED_COUNT(saved, ref_target);
    SAVED_COUNT(saved, edge) = graph->edge_count;
    saved->edge = malloc((graph->edge_count + 1) * sizeof *saved->edge);
    if (!saved->edge)
        return walk_error_no_memory();
    memcpy(saved->edge, graph->forward.edge, graph->edge_count * sizeof *saved->edge);
    return NULL;
}

/* ---- tables ---- */

#define ITEMS(member, items)                                                                                           \
    (SAVED_COUNT(saved, member) = (items), (saved->member = calloc((size_t)(items) + 1, sizeof *saved->member)) != NULL)

static bool add_types(struct saver *saver)
{
    const struct walk_heap *heap = saver->heap;
    struct walk_saved *saved = saver->saved;
    if (!ITEMS(type, walk_heap_type_count(heap)) || !ITEMS(dispute, heap->tables.dispute_count))
        return false;
    for (uint32_t i = 0; i < SAVED_COUNT(saved, type); i++) {
        const struct walk_type_facts *facts = &heap->tables.types[i];
        const struct walk_type_stats *stats = &heap->types[i];
        saved->type[i] = (struct saved_type){.address = facts->address,
                                             .guessed = stats->guessed,
                                             .fault_pc = stats->fault.pc,
                                             .fault_instructions = stats->fault.instructions,
                                             .name = string(saver, facts->name),
                                             .fault = string(saver, facts->fault),
                                             .fault_file = string(saver, facts->fault_file),
                                             .known = facts->known,
                                             .role = facts->role};
    }
    for (size_t i = 0; i < heap->tables.dispute_count; i++)
        saved->dispute[i] = (struct saved_dispute){heap->tables.disputes[i].object, heap->tables.disputes[i].type, 0};
    return true;
}

static void add_stack(struct walk_saved *saved, const walk_id *frames, size_t count)
{
    for (size_t i = 0; i < count; i++)
        saved->stack[SAVED_COUNT(saved, stack)++] = frames[i];
}

static bool add_stacks(struct saver *saver)
{
    struct walk_saved *saved = saver->saved;
    const struct walk_tables *tables = &saver->heap->tables;
    size_t frames = 0;
    for (size_t i = 0; i < tables->thread_count; i++)
        frames += tables->threads[i].frame_count;
    for (size_t i = 0; i < tables->greenlet_count; i++)
        frames += tables->greenlets[i].frame_count;
    if (!ITEMS(stack, frames) || !ITEMS(thread, tables->thread_count) || !ITEMS(greenlet, tables->greenlet_count) ||
        !ITEMS(on_stack, tables->on_stack_count))
        return false;
    SAVED_COUNT(saved, stack) = 0;
    for (size_t i = 0; i < tables->thread_count; i++) {
        const struct walk_thread *thread = &tables->threads[i];
        saved->thread[i] = (struct saved_thread){.address = thread->address,
                                                 .ident = thread->ident,
                                                 .native_id = thread->native_id,
                                                 .id = thread->id,
                                                 .interpreter = thread->interpreter,
                                                 .name = string(saver, thread->name),
                                                 .frame_count = (uint32_t)thread->frame_count,
                                                 .frames_complete = thread->frames_complete};
        add_stack(saved, thread->frames, thread->frame_count);
    }
    for (size_t i = 0; i < tables->greenlet_count; i++) {
        const struct walk_greenlet *greenlet = &tables->greenlets[i];
        saved->greenlet[i] =
            (struct saved_greenlet){greenlet->id, (uint32_t)greenlet->frame_count, greenlet->frames_complete};
        add_stack(saved, greenlet->frames, greenlet->frame_count);
    }
    for (size_t i = 0; i < tables->on_stack_count; i++)
        saved->on_stack[i] = (struct saved_on_stack){tables->on_stack[i].frame, tables->on_stack[i].thread};
    return true;
}

static bool add_interpreters(struct saver *saver)
{
    struct walk_saved *saved = saver->saved;
    const struct walk_tables *tables = &saver->heap->tables;
    const uint32_t *collector = saver->heap->interpreter;
    if (!ITEMS(interpreter, tables->interpreter_count) ||
        !ITEMS(collector, collector ? saver->heap->graph.node_count : 0))
        return false;
    if (collector)
        memcpy(saved->collector, collector, SAVED_COUNT(saved, collector) * sizeof *collector);
    for (size_t i = 0; i < tables->interpreter_count; i++) {
        const struct walk_interpreter *interpreter = &tables->interpreters[i];
        saved->interpreter[i] = (struct saved_interpreter){.address = interpreter->address,
                                                           .number = interpreter->number,
                                                           .id = interpreter->id,
                                                           .has_collector = interpreter->has_collector,
                                                           .tracked = interpreter->tracked};
    }
    return true;
}

static bool add_garbage_of(struct saver *saver, size_t interpreter, const struct walk_garbage *garbage)
{
    struct walk_saved *saved = saver->saved;
    uint64_t before = SAVED_COUNT(saved, garbage), count = before + garbage->count;
    struct saved_garbage *grown = realloc(saved->garbage, (count + 1) * sizeof *grown);
    if (!grown)
        return false;
    saved->garbage = grown;
    for (size_t i = 0; i < garbage->count; i++)
        grown[before + i] = (struct saved_garbage){garbage->id[i], garbage->flags[i] & WALK_FOUND_FINALIZERS};
    saved->interpreter[interpreter].garbage_count = (uint32_t)garbage->count;
    SAVED_COUNT(saved, garbage) = count;
    return true;
}

static bool add_uncollectable(struct walk_saved *saved, const struct walk_ids *ids)
{
    if (!ITEMS(uncollectable, ids->count))
        return false;
    memcpy(saved->uncollectable, ids->id, ids->count * sizeof *ids->id);
    return true;
}

/* What each collector would find: a saved heap has not what it was found from. After add_tables(). */
static struct walk_error *add_garbage(struct saver *saver)
{
    const struct walk_heap *heap = saver->heap;
    size_t collectors = walk_heap_shares_collector(heap) ? 1 : heap->tables.interpreter_count;
    for (size_t i = 0; i < collectors; i++) {
        struct walk_garbage *garbage;
        struct walk_error *error = walk_heap_garbage(heap, i, &garbage);
        if (error)
            return error;
        bool added = add_garbage_of(saver, i, garbage);
        walk_garbage_free(garbage);
        if (!added)
            return walk_error_no_memory();
    }
    struct walk_ids *ids;
    struct walk_error *error = walk_heap_uncollectable(heap, &ids);
    if (error)
        return error;
    bool added = add_uncollectable(saver->saved, ids);
    walk_ids_free(ids);
    return added ? NULL : walk_error_no_memory();
}

/* Which way the lists were followed depends on the machine, and must not be seen in the file. */
static const char *found_by(const struct walk_target_info *info)
{
    return strcmp(info->tracked_by, "allocator") == 0 ? info->tracked_by : "lists";
}

static bool add_info(struct saver *saver)
{
    struct walk_saved *saved = saver->saved;
    struct walk_target *target = saver->heap->target;
    struct walk_target_info info;
    walk_target_info(target, &info);
    if (!ITEMS(info, 1) || !ITEMS(part, walk_target_layout_part_count(target)) ||
        !ITEMS(file, walk_target_file_count(target)) || !ITEMS(invariant, walk_target_invariant_count(target)))
        return false;
    *saved->info = (struct saved_info){.hexversion = info.version,
                                       .word = info.word,
                                       .nameless = saver->nameless,
                                       .core_truncated = info.truncated,
                                       .version_text = string(saver, info.version_text),
                                       .python_path = string(saver, info.python_path),
                                       .build_id = string(saver, info.build_id),
                                       .build = string(saver, info.build),
                                       .file_problem = string(saver, info.file_problem),
                                       .layout_source = string(saver, info.layout_source),
                                       .tracked_by = string(saver, found_by(&info)),
                                       .run_problem = string(saver, saver->heap->stats.run_problem),
#define X(name) .name = saver->heap->stats.name,
                                       WALK_SAVED_STATS(X)
#undef X
    };
    for (size_t i = 0; i < SAVED_COUNT(saved, part); i++) {
        struct walk_layout_part part;
        walk_target_layout_part(target, i, &part);
        saved->part[i] = (struct saved_part){part.count, string(saver, part.source), string(saver, part.structures)};
    }
    for (size_t i = 0; i < SAVED_COUNT(saved, file); i++) {
        struct walk_file file;
        walk_target_file(target, i, &file);
        saved->file[i] = (struct saved_target_file){string(saver, file.path), string(saver, file.problem),
                                                    file.has_build_id, file.has_code};
    }
    for (size_t i = 0; i < SAVED_COUNT(saved, invariant); i++) {
        struct walk_invariant invariant;
        walk_target_invariant(target, i, &invariant);
        saved->invariant[i] = (struct saved_invariant){string(saver, invariant.words), invariant.verdict};
    }
    return true;
}

static bool add_tables(struct saver *saver)
{
    return add_info(saver) && add_types(saver) && add_stacks(saver) && add_interpreters(saver);
}

struct walk_error *walk_heap_save(const struct walk_heap *heap, const char *path, bool values, walk_progress *progress,
                                  void *context)
{
    struct saver *saver = calloc(1, sizeof *saver);
    if (!saver)
        return walk_error_no_memory();
    saver->heap = heap;
    saver->nameless = !values || (heap->saved && heap->saved->info->nameless);
    saver->saved = calloc(1, sizeof *saver->saved);
    saver->cache = calloc(CACHE, sizeof *saver->cache);
    struct walk_error *error = NULL;
    if (!saver->saved || !saver->cache || !add_tables(saver))
        error = walk_error_no_memory();
    if (!error)
        error = add_garbage(saver);
    if (!error)
        error = add_nodes(saver, progress, context);
    if (!error && saver->strings.failed)
        error = walk_error_new(WALK_ERROR_UNSUPPORTED, "more than 4 GB of names and values: save it with --no-values");
    if (!error) {
        saver->saved->text = saver->strings.text;
        SAVED_COUNT(saver->saved, text) = saver->strings.size;
        saver->saved->string = saver->strings.start;
        SAVED_COUNT(saver->saved, string) = saver->strings.count;
        saver->strings.text = NULL;
        saver->strings.start = NULL;
        error = walk_saved_write(saver->saved, path);
    }
    walk_strings_deinit(&saver->strings);
    walk_refs_deinit(&saver->refs);
    walk_saved_free(saver->saved);
    free(saver->cache);
    free(saver);
    return error;
}
