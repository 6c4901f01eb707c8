/* SPDX-License-Identifier: Apache-2.0 */
/*
 * questions CORE ADDRESS ROUNDS: seconds for what a person asks of an object (ADDRESS, hex): its referrers when nothing
 * was read yet, and its referrers, its ancestors within 5 references and why it is alive when the graph is there,
 * ROUNDS times each, in turns. Every line ends with how much was found.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "walk.h"

enum { GENERATIONS = 5, PATHS = 3 };

static void die_of(struct walk_error *error)
{
    if (!error)
        return;
    fprintf(stderr, "questions: %s\n", walk_error_message(error));
    exit(1);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static size_t ask_referrers(const struct walk_heap *heap, walk_id id)
{
    struct walk_edges *edges;
    die_of(walk_heap_referrers(heap, id, &edges));
    size_t count = edges->count;
    walk_edges_free(edges);
    return count;
}

static size_t ask_ancestors(const struct walk_heap *heap, walk_id id)
{
    struct walk_subgraph *subgraph;
    die_of(walk_heap_within(heap, id, WALK_ANCESTORS, GENERATIONS, false, &subgraph));
    size_t count = subgraph->count;
    walk_subgraph_free(subgraph);
    return count;
}

/* The same, and all references between them, with their labels. */
static size_t ask_between(const struct walk_heap *heap, walk_id id)
{
    struct walk_subgraph *subgraph;
    struct walk_edges *edges;
    die_of(walk_heap_within(heap, id, WALK_ANCESTORS, GENERATIONS, false, &subgraph));
    die_of(walk_heap_subgraph_edges(heap, subgraph, &edges));
    size_t count = edges->count;
    walk_edges_free(edges);
    walk_subgraph_free(subgraph);
    return count;
}

static size_t ask_why(const struct walk_heap *heap, walk_id id)
{
    struct walk_paths *paths;
    die_of(walk_heap_why(heap, id, PATHS, &paths));
    size_t count = paths->count;
    walk_paths_free(paths);
    return count;
}

static const struct question {
    const char *name;
    size_t (*ask)(const struct walk_heap *heap, walk_id id);
} questions[] = {
    {"referrers", ask_referrers}, {"ancestors", ask_ancestors}, {"between", ask_between}, {"why", ask_why}};

/* What a person asks first, of a core that nobody has read. */
static size_t ask_cold(struct walk_target *target, walk_addr address)
{
    struct walk_heap *heap;
    walk_id id;
    bool whole;
    die_of(walk_heap_build_around(target, address, NULL, NULL, &heap, &whole));
    die_of(walk_heap_lookup(heap, address, &id));
    size_t count = ask_referrers(heap, id);
    walk_heap_destroy(heap);
    return count;
}

int main(int argc, char **argv)
{
    struct walk_options options = {
        .sysroot = getenv("WALK_SYSROOT"), .debug_dirs = getenv("WALK_DEBUG_DIRS"), .first = "graph"};
    struct walk_target *target;
    struct walk_heap *heap;
    walk_id id;
    if (argc != 4) {
        fprintf(stderr, "usage: questions CORE ADDRESS ROUNDS\n");
        return 2;
    }
    walk_addr address = strtoull(argv[2], NULL, 16);
    double start = seconds();
    die_of(walk_target_open_core(argv[1], &options, &target));
    printf("open\t%.6f\t0\n", seconds() - start);
    size_t count = ask_cold(target, address);
    printf("cold referrers\t%.6f\t%zu\n", seconds() - start, count);
    if (strcmp(argv[3], "0") == 0)
        exit(0);
    die_of(walk_heap_build(target, NULL, NULL, &heap));
    die_of(walk_heap_lookup(heap, address, &id));

    for (long round = strtol(argv[3], NULL, 10); round > 0; round--)
        for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
            start = seconds();
            count = questions[i].ask(heap, id);
            printf("%s\t%.6f\t%zu\n", questions[i].name, seconds() - start, count);
        }
    walk_heap_destroy(heap);
    walk_target_close(target);
    return 0;
}
