/* SPDX-License-Identifier: Apache-2.0 */
#include "workload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "walk.h"

enum { SAMPLE = 24, SAMPLE_ALL = 2 };

#define PROMISE(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "SUMMARY: broken promise: %s (%s:%d)\n", #condition, __FILE__, __LINE__);                  \
            exit(WORKLOAD_BROKEN);                                                                                     \
        }                                                                                                              \
    } while (0)

/* Printable, valid UTF-8: no overlong forms, no surrogates, nothing that a terminal obeys. */
static bool is_clean(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        unsigned more = *p < 0x80 ? 0 : *p >= 0xf0 ? 3 : *p >= 0xe0 ? 2 : 1;
        uint32_t c = more == 0 ? *p : more == 1 ? *p & 0x1fu : more == 2 ? *p & 0x0fu : *p & 0x07u;
        if (*p < 0x20 || *p == 0x7f || (*p >= 0x80 && *p < 0xc2) || *p > 0xf4)
            return false;
        for (p++; more; more--, p++) {
            if ((*p & 0xc0) != 0x80)
                return false;
            c = c << 6 | (*p & 0x3fu);
        }
        if ((c >= 0x80 && c < 0xa0) || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
            return false;
    }
    return true;
}

/* True: it went well. An error must have a message of one line. */
static bool good(struct walk_error *error)
{
    if (!error)
        return true;
    if (getenv("WALK_ERRORS"))
        printf("%s\n", walk_error_message(error));
    PROMISE(walk_error_message(error)[0]);
    PROMISE(is_clean(walk_error_message(error)));
    PROMISE(walk_error_code(error) >= WALK_ERROR_MEMORY && walk_error_code(error) <= WALK_ERROR_INTERRUPTED);
    walk_error_free(error);
    return false;
}

struct work {
    struct walk_target *target;
    struct walk_heap *heap;
    struct walk_heap_stats stats;
    struct rng *rng;
};

static void check_edge(const struct work *work, const struct walk_edge *edge)
{
    PROMISE(edge->holder < work->stats.nodes);
    PROMISE(edge->referent < work->stats.nodes || edge->referent == WALK_NO_ID);
    PROMISE(is_clean(edge->label));
}

static void check_edges(const struct work *work, const struct walk_edges *edges)
{
    for (size_t i = 0; i < edges->count; i++)
        check_edge(work, &edges->edge[i]);
}

static void ask_types(const struct work *work)
{
    size_t objects = 0, tracked = 0;
    for (uint32_t i = 0; i < walk_heap_type_count(work->heap); i++) {
        struct walk_type type;
        walk_heap_type(work->heap, i, &type);
        PROMISE(is_clean(type.name));
        PROMISE(type.tracked <= type.objects);
        objects += type.objects;
        tracked += type.tracked;
    }
    PROMISE(objects == work->stats.nodes);
    PROMISE(tracked == work->stats.tracked);
}

static void ask_find(const struct work *work, const char *name)
{
    struct walk_ids *ids;
    if (!good(walk_heap_find(work->heap, name, WALK_ALL_INTERPRETERS, &ids)))
        return;
    for (size_t i = 0; i < ids->count; i++)
        PROMISE(ids->id[i] < work->stats.nodes);
    walk_ids_free(ids);
}

static void ask_frame(const struct work *work, walk_id id)
{
    struct walk_frame frame;
    struct walk_edges *locals;
    if (good(walk_heap_frame(work->heap, id, &frame)))
        PROMISE(is_clean(frame.function) && is_clean(frame.file));
    if (good(walk_heap_frame_locals(work->heap, id, &locals))) {
        check_edges(work, locals);
        walk_edges_free(locals);
    }
}

static void ask_threads(const struct work *work)
{
    for (size_t t = 0; t < walk_heap_thread_count(work->heap); t++) {
        struct walk_thread thread;
        walk_heap_thread(work->heap, t, &thread);
        PROMISE(is_clean(thread.name));
        PROMISE(thread.id < work->stats.nodes && thread.interpreter < work->stats.nodes);
        for (size_t i = 0; i < thread.frame_count; i++) {
            PROMISE(thread.frames[i] < work->stats.nodes);
            if (i < 1000)
                ask_frame(work, thread.frames[i]);
        }
    }
}

static void ask_greenlets(const struct work *work)
{
    for (size_t i = 0; i < walk_heap_greenlet_count(work->heap); i++) {
        struct walk_greenlet greenlet;
        walk_heap_greenlet(work->heap, i, &greenlet);
        PROMISE(greenlet.id < work->stats.nodes);
        for (size_t f = 0; f < greenlet.frame_count && f < 1000; f++)
            ask_frame(work, greenlet.frames[f]);
    }
}

static void ask_suspended(const struct work *work)
{
    struct walk_ids *ids;
    if (!good(walk_heap_suspended(work->heap, &ids)))
        return;
    for (size_t i = 0; i < ids->count; i++)
        ask_frame(work, ids->id[i]);
    walk_ids_free(ids);
}

static void ask_interpreters(const struct work *work)
{
    size_t types = walk_heap_type_count(work->heap);
    struct walk_total *totals = calloc(types, sizeof *totals);
    PROMISE(totals);
    for (size_t i = 0; i < walk_heap_interpreter_count(work->heap); i++) {
        struct walk_interpreter interpreter;
        size_t objects = 0;
        walk_heap_interpreter(work->heap, i, &interpreter);
        PROMISE(interpreter.id < work->stats.nodes);
        if (i < 100)
            walk_heap_interpreter_totals(work->heap, i, totals);
        for (size_t type = 0; i < 100 && type < types; type++)
            objects += totals[type].objects;
        PROMISE(i >= 100 || objects == interpreter.tracked);
    }
    free(totals);
}

/* What costs little, of every node. */
static void ask_node(const struct work *work, walk_id id)
{
    char text[1024];
    struct walk_node node;
    struct walk_edges *edges;
    walk_id again;
    walk_heap_node(work->heap, id, &node);
    PROMISE(node.type < walk_heap_type_count(work->heap));
    PROMISE(good(walk_heap_lookup(work->heap, node.address, &again)) && again == id);
    for (int which = WALK_TEXT_VALUE; which <= WALK_TEXT_ANNOTATION; which++) {
        size_t wanted = walk_heap_text(work->heap, id, (enum walk_text)which, text, sizeof text);
        PROMISE(wanted >= sizeof text || strlen(text) == wanted);
        PROMISE(wanted >= sizeof text || is_clean(text));
        char little[5];
        PROMISE(walk_heap_text(work->heap, id, (enum walk_text)which, little, sizeof little) == wanted);
        PROMISE(strlen(little) < sizeof little);
    }
    if (good(walk_heap_referents(work->heap, id, &edges))) {
        check_edges(work, edges);
        walk_edges_free(edges);
    }
    if (node.kind == WALK_FRAME)
        ask_frame(work, id);
}

static void ask_within(const struct work *work, walk_id id, enum walk_direction direction, uint32_t generations)
{
    struct walk_subgraph *subgraph;
    bool everything = rng_below(work->rng, 2);
    if (!good(walk_heap_within(work->heap, id, direction, generations, everything, &subgraph)))
        return;
    PROMISE(subgraph->count && subgraph->id[0] == id && subgraph->depth[0] == 0);
    for (size_t i = 0; i < subgraph->count; i++)
        PROMISE(subgraph->id[i] < work->stats.nodes && subgraph->depth[i] <= generations);
    struct walk_edges *edges;
    if (good(walk_heap_subgraph_edges(work->heap, subgraph, &edges))) {
        check_edges(work, edges);
        walk_edges_free(edges);
    }
    walk_subgraph_free(subgraph);
}

static void check_paths(const struct work *work, walk_id id, struct walk_paths *paths)
{
    for (size_t i = 0; i < paths->count; i++) {
        const struct walk_path *path = &paths->path[i];
        walk_id at = path->root;
        for (size_t e = 0; e < path->count; e++) {
            check_edge(work, &path->edge[e]);
            PROMISE(path->edge[e].holder == at);
            at = path->edge[e].referent;
        }
        PROMISE(at == id);
    }
    walk_paths_free(paths);
}

/* What costs more, of a few nodes. */
static void ask_far(const struct work *work, walk_id id, bool all)
{
    struct walk_edges *edges;
    struct walk_paths *paths;
    uint32_t generations = all ? WALK_ALL_GENERATIONS : 2;
    if (good(walk_heap_referrers(work->heap, id, &edges))) {
        for (size_t i = 0; i < edges->count; i++)
            PROMISE(edges->edge[i].referent == id);
        check_edges(work, edges);
        walk_edges_free(edges);
    }
    ask_within(work, id, WALK_ANCESTORS, generations);
    ask_within(work, id, WALK_DESCENDANTS, generations);
    if (good(walk_heap_why(work->heap, id, all ? 100 : 1, &paths)))
        check_paths(work, id, paths);
    if (good(walk_heap_locals(work->heap, id, all ? WALK_ALL_GENERATIONS : 3, all ? SIZE_MAX : 10, &paths)))
        check_paths(work, id, paths);
}

/* Questions about parts of the heap: about the tracked objects, and what is found in them. */
static void ask_chains(const struct work *work, const struct walk_heap_part *part)
{
    struct walk_paths *paths;
    for (int i = 0; i < SAMPLE && part->count; i++) {
        walk_id id = part->ids[rng_below(work->rng, part->count)], other = part->ids[rng_below(work->rng, part->count)];
        const struct walk_chain chain = {.direction = i % 2 ? WALK_ANCESTORS : WALK_DESCENDANTS,
                                         .goal = (enum walk_goal)(i % 4),
                                         .type = "frame",
                                         .node = other,
                                         .max_depth = 20};
        if (good(walk_heap_chain(work->heap, i % 3 ? NULL : part, id, &chain, &paths))) {
            const struct walk_path *path = paths->path;
            PROMISE(paths->count == 1);
            check_paths(work, path->count ? path->edge[path->count - 1].referent : id, paths);
        }
        if (good(walk_heap_path(work->heap, part, id, other, &paths)))
            check_paths(work, other, paths);
        if (good(walk_heap_cycle(work->heap, part, id, &paths)))
            check_paths(work, id, paths);
    }
}

static void ask_components(const struct work *work, const struct walk_heap_part *part)
{
    struct walk_components *components;
    size_t nodes = 0;
    if (!good(walk_heap_components(work->heap, part, true, &components)))
        return;
    for (size_t i = 0; i < components->count; i++)
        nodes += components->component[i].count;
    PROMISE(nodes == part->count);
    walk_components_free(components);
}

static void ask_parts(const struct work *work)
{
    struct walk_garbage *garbage;
    struct walk_ids *ids;
    struct walk_edges *edges;
    if (!good(walk_heap_tracked(work->heap, WALK_ALL_INTERPRETERS, &ids)))
        return;
    struct walk_heap_part part = {ids->id, ids->count, true};
    ask_components(work, &part);
    ask_chains(work, &part);
    if (good(walk_heap_part_edges(work->heap, &part, WALK_NO_ID, WALK_NO_ID, &edges))) {
        check_edges(work, edges);
        walk_edges_free(edges);
    }
    walk_ids_free(ids);
    if (good(walk_heap_garbage(work->heap, WALK_ALL_INTERPRETERS, &garbage))) {
        part = (struct walk_heap_part){garbage->id, garbage->count, true};
        ask_components(work, &part);
        walk_garbage_free(garbage);
    }
    if (good(walk_heap_uncollectable(work->heap, &ids)))
        walk_ids_free(ids);
    if (good(walk_heap_leaks(work->heap, false, &ids)))
        walk_ids_free(ids);
}

static void ask(struct work *work)
{
    struct walk_target_info info;
    walk_id id;
    walk_target_info(work->target, &info);
    walk_heap_stats(work->heap, &work->stats);
    PROMISE(is_clean(info.version_text));
    ask_types(work);
    ask_find(work, "dict");
    ask_find(work, "Session");
    ask_find(work, "collections.OrderedDict");
    ask_find(work, "");
    ask_threads(work);
    ask_greenlets(work);
    ask_suspended(work);
    ask_interpreters(work);
    ask_parts(work);
    for (id = 0; id < work->stats.nodes; id++)
        ask_node(work, id);
    for (int i = 0; i < SAMPLE && work->stats.nodes; i++)
        ask_far(work, (walk_id)rng_below(work->rng, work->stats.nodes), i < SAMPLE_ALL);
    for (int i = 0; i < SAMPLE; i++)
        good(walk_heap_lookup(work->heap, rng_next(work->rng) >> rng_below(work->rng, 64), &id));
}

int workload(const char *core, struct rng *rng)
{
    struct work work = {.rng = rng};
    static const char *const readings[] = {"windows", "mapping"}; /* or a measurement would choose */
    struct walk_options options = {.sysroot = getenv("WALK_SYSROOT"),
                                   .debug_dirs = getenv("WALK_DEBUG_DIRS"),
                                   .layout = getenv("WALK_LAYOUT"),
                                   .reading = readings[rng_below(rng, 2)]};
    if (!good(walk_target_is_saved(core) ? walk_target_open_saved(core, &work.target)
                                         : walk_target_open_core(core, &options, &work.target)))
        return WORKLOAD_REFUSED;
    bool built = good(walk_heap_build(work.target, NULL, NULL, &work.heap));
    if (built) {
        ask(&work);
        walk_heap_destroy(work.heap);
    }
    walk_target_close(work.target);
    return built ? WORKLOAD_ANSWERED : WORKLOAD_REFUSED;
}
