/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk: the library without gdb, for tests, timing and scripts.
 *
 *   walk info CORE|PID             seconds, version, layout and its sources, counts, invariants
 *   walk types CORE|PID            count, bytes and name of every type of tracked objects
 *   walk objects CORE|PID          every object: address, type, size, tracked, guessed, referents seen by the collector
 *   walk ancestors CORE|PID        reads "ADDRESS N" lines from stdin, prints the tracked ancestors of each
 *   walk values CORE|PID           reads "ADDRESS" lines from stdin, prints the short value of each
 *   walk frames CORE|PID           threads, frames and locals
 *   walk type-names CORE|PID       the lines of objects/type_names.inc for the static types of the target
 *   walk row CORE|PID              the row of layout/rows.inc for the interpreter of the target, from its DWARF
 *
 * Tab-separated lines; addresses are bare hex digits. The environment gives options: WALK_SYSROOT, WALK_DEBUG_DIRS,
 * WALK_LAYOUT (row, cache, dwarf, probe, probe:3.13, with commas between).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "walk.h"

static int fail(struct walk_error *error)
{
    fprintf(stderr, "walk: %s\n", walk_error_message(error));
    walk_error_free(error);
    return 1;
}

static struct walk_error *print_info(struct walk_target *target, struct walk_heap *heap)
{
    struct walk_target_info info;
    struct walk_heap_stats stats;
    walk_target_info(target, &info);
    walk_heap_stats(heap, &stats);
    printf("version\t%08x\t%s\t%s\npython\t%s\t%s\t%s\nlayout\t%s\n", info.version, info.version_text, info.build,
           info.python_path, info.build_id, info.file_problem, info.layout_source);
    for (size_t i = 0; i < walk_target_layout_part_count(target); i++) {
        struct walk_layout_part part;
        walk_target_layout_part(target, i, &part);
        printf("part\t%s\t%zu\t%s\n", part.source, part.count, part.structures);
    }
    printf("recovered\t%zu\nunnamed\t%zu\n", stats.recovered_types, stats.unnamed_objects);
    printf("tracked\t%zu\npermanent\t%zu\nobjects\t%zu\nnodes\t%zu\nedges\t%zu\nextra\t%zu\nguessed\t%zu\t%zu\n"
           "unreadable\t%zu\nbroken\t%zu\ncomplete\t%d\n",
           stats.tracked, stats.permanent, stats.objects, stats.nodes, stats.edges, stats.extra_edges,
           stats.guessed_edges, stats.guessed_objects, stats.unreadable, stats.broken_lists, stats.complete);
    static const char *const verdicts[] = {"unasked", "holds", "fails"};
    for (size_t i = 0; i < walk_target_invariant_count(target); i++) {
        struct walk_invariant invariant;
        walk_target_invariant(target, i, &invariant);
        printf("invariant\t%s\t%s\n", verdicts[invariant.verdict], invariant.words);
    }
    return NULL;
}

/* The main question, of an object in the middle of the heap. */
static struct walk_error *ask_ancestors(const struct walk_heap *heap)
{
    struct walk_heap_stats stats;
    struct walk_subgraph *subgraph;
    walk_heap_stats(heap, &stats);
    if (!stats.nodes)
        return NULL;
    struct walk_error *error = walk_heap_within(heap, (walk_id)(stats.nodes / 2), WALK_ANCESTORS, 5, false, &subgraph);
    if (!error)
        walk_subgraph_free(subgraph);
    return error;
}

static struct walk_error *print_types(struct walk_target *target, struct walk_heap *heap)
{
    (void)target;
    for (uint32_t i = 0; i < walk_heap_type_count(heap); i++) {
        struct walk_type type;
        walk_heap_type(heap, i, &type);
        if (type.tracked)
            printf("%zu\t%" PRIu64 "\t%s\n", type.tracked, type.tracked_size, type.name);
    }
    return NULL;
}

static struct walk_error *print_object(struct walk_heap *heap, walk_id id, const struct walk_node *node)
{
    struct walk_type type;
    struct walk_edges *edges;
    walk_heap_type(heap, node->type, &type);
    struct walk_error *error = walk_heap_referents(heap, id, &edges);
    if (error)
        return error;
    printf("%" PRIx64 "\t%s\t%" PRIu64 "\t%d\t%d\t", node->address, type.name, node->size, node->tracked, type.guessed);
    const char *comma = "";
    for (size_t i = 0; i < edges->count; i++) {
        struct walk_node referent = {0};
        if ((edges->edge[i].flags & (WALK_EDGE_EXTRA | WALK_EDGE_WEAK)) || edges->edge[i].referent == WALK_NO_ID)
            continue;
        walk_heap_node(heap, edges->edge[i].referent, &referent);
        printf("%s%" PRIx64, comma, referent.address);
        comma = ",";
    }
    printf("\n");
    walk_edges_free(edges);
    return NULL;
}

static struct walk_error *print_objects(struct walk_target *target, struct walk_heap *heap)
{
    (void)target;
    struct walk_heap_stats stats;
    struct walk_error *error = NULL;
    walk_heap_stats(heap, &stats);
    for (walk_id id = 0; id < stats.nodes && !error; id++) {
        struct walk_node node;
        walk_heap_node(heap, id, &node);
        if (node.is_object)
            error = print_object(heap, id, &node);
    }
    return error;
}

static struct walk_error *print_ancestors(struct walk_target *target, struct walk_heap *heap)
{
    (void)target;
    uint64_t address;
    uint32_t generations;
    while (scanf("%" SCNx64 " %" SCNu32, &address, &generations) == 2) {
        struct walk_subgraph *subgraph;
        walk_id id;
        struct walk_error *error = walk_heap_lookup(heap, address, &id);
        if (!error)
            error = walk_heap_within(heap, id, WALK_ANCESTORS, generations, false, &subgraph);
        if (error)
            return error;
        printf("%" PRIx64 "\t%" PRIu32 "\t", address, generations);
        const char *comma = "";
        for (size_t i = 0; i < subgraph->count; i++) {
            struct walk_node node;
            walk_heap_node(heap, subgraph->id[i], &node);
            if (!node.tracked)
                continue;
            printf("%s%" PRIx64, comma, node.address);
            comma = ",";
        }
        printf("\n");
        walk_subgraph_free(subgraph);
    }
    return NULL;
}

static struct walk_error *print_values(struct walk_target *target, struct walk_heap *heap)
{
    (void)target;
    uint64_t address;
    while (scanf("%" SCNx64, &address) == 1) {
        char value[2048];
        walk_id id;
        struct walk_error *error = walk_heap_lookup(heap, address, &id);
        if (error)
            return error;
        walk_heap_text(heap, id, WALK_TEXT_VALUE, value, sizeof value);
        printf("%" PRIx64 "\t%s\n", address, value);
    }
    return NULL;
}

static struct walk_error *print_frame(struct walk_heap *heap, uint64_t ident, size_t depth, walk_id id)
{
    struct walk_frame frame;
    struct walk_edges *locals;
    struct walk_error *error = walk_heap_frame(heap, id, &frame);
    if (error)
        return error;
    printf("frame\t%" PRIx64 "\t%zu\t%s\t%s\t%d\n", ident, depth, frame.function, frame.file, frame.line);
    error = walk_heap_frame_locals(heap, id, &locals);
    if (error)
        return error;
    for (size_t i = 0; i < locals->count; i++) {
        struct walk_node node;
        walk_heap_node(heap, locals->edge[i].referent, &node);
        printf("local\t%" PRIx64 "\t%zu\t%s\t%" PRIx64 "\n", ident, depth, locals->edge[i].label, node.address);
    }
    walk_edges_free(locals);
    return NULL;
}

static struct walk_error *print_frames(struct walk_target *target, struct walk_heap *heap)
{
    (void)target;
    struct walk_error *error = NULL;
    for (size_t t = 0; t < walk_heap_thread_count(heap) && !error; t++) {
        struct walk_thread thread;
        walk_heap_thread(heap, t, &thread);
        printf("thread\t%" PRIx64 "\t%" PRIu64 "\t%s\n", thread.ident, thread.native_id, thread.name);
        for (size_t i = 0; i < thread.frame_count && !error; i++)
            error = print_frame(heap, thread.ident, i, thread.frames[i]);
    }
    return error;
}

static struct walk_error *print_row(struct walk_target *target, struct walk_heap *heap)
{
    (void)target;
    return walk_heap_print_row(heap, stdout);
}

static struct walk_error *print_type_names(struct walk_target *target, struct walk_heap *heap)
{
    (void)target;
    walk_heap_print_type_names(heap, stdout);
    return NULL;
}

static const struct {
    const char *name;
    struct walk_error *(*run)(struct walk_target *target, struct walk_heap *heap);
} commands[] = {
    {"info", print_info},     {"types", print_types},   {"objects", print_objects}, {"ancestors", print_ancestors},
    {"values", print_values}, {"frames", print_frames}, {"row", print_row},         {"type-names", print_type_names},
};

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int run(const char *command, const char *name)
{
    double start = seconds();
    struct walk_target *target;
    struct walk_heap *heap;
    char *end;
    long pid = strtol(name, &end, 10);
    const char *layout = getenv("WALK_LAYOUT");
    struct walk_options options = {.sysroot = getenv("WALK_SYSROOT"),
                                   .debug_dirs = getenv("WALK_DEBUG_DIRS"),
                                   .layout = !layout && strcmp(command, "row") == 0 ? "dwarf" : layout};
    struct walk_error *error =
        *end ? walk_target_open_core(name, &options, &target) : walk_target_open_process((int)pid, &options, &target);
    if (error)
        return fail(error);
    double opened = seconds();
    error = walk_heap_build(target, NULL, NULL, &heap);
    if (!error && strcmp(command, "info") == 0) {
        double built = seconds();
        error = ask_ancestors(heap);
        printf("time\topen\t%.4f\ntime\tbuild\t%.4f\ntime\tancestors\t%.4f\n", opened - start, built - opened,
               seconds() - built);
        if (error)
            walk_heap_destroy(heap);
    }
    if (!error) {
        for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
            if (strcmp(commands[i].name, command) == 0)
                error = commands[i].run(target, heap);
        walk_heap_destroy(heap);
    }
    walk_target_close(target);
    return error ? fail(error) : 0;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 3 && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, argv[1]) == 0)
            return run(argv[1], argv[2]);
    fprintf(stderr,
            "usage: walk info|types|objects|ancestors|values|frames CORE|PID\n       walk row FILE HEXVERSION\n");
    return 2;
}
