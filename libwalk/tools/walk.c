/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk: the library without gdb, for tests, timing and scripts: walk COMMAND CORE|PID|SAVED HEAP
 *
 *   info         seconds, version, layout and its sources, counts, invariants
 *   types        count, bytes and name of every type of tracked objects
 *   objects      every object: address, type, size, tracked, where its references are from (a table, a run of its
 *                tp_traverse, a guess), those that the collector sees, the number of the interpreter whose collector
 *                tracks it
 *   ancestors    reads "ADDRESS N" lines from stdin, prints the tracked ancestors of each
 *   values       reads "ADDRESS" lines from stdin, prints the short value of each
 *   around       reads "ADDRESS" lines from stdin, prints each node and one step around it; alone, without a graph
 *   garbage      what the collector would find if it ran now, which of it has finalizers of what sort, what it would
 *                leave alive for them, its key cycles, what is in gc.garbage; whether all of this is exact
 *   components   the strongly connected components of the tracked objects in which there is a cycle, largest first
 *   leaks        tracked objects that no tracked object refers to; to which nothing refers at all
 *   save         reads "FILE" or "FILE no-values" lines from stdin and saves the heap there
 *   frames       interpreters, threads, frames and locals; suspended generators and greenlets
 *   row          the row of layout/rows.inc for the interpreter of the target, from its DWARF
 *   type-names   the lines of objects/type_names.inc for its static types
 *
 * Tab-separated lines; addresses are bare hex digits. Several commands with commas between are answered from one
 * reading of the target, the lines of each after a line "== COMMAND"; on stdin, a line "." separates their questions.
 * The environment gives options: WALK_SYSROOT, WALK_DEBUG_DIRS, WALK_LAYOUT (row, cache, dwarf, probe, probe:3.13, with
 * commas between), WALK_GUESS (run no code of the target), WALK_THREADS (how many may work on one question),
 * WALK_TRACKED (lists, sublists, sweep), WALK_READING (windows, mapping).
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

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* How long it took until the heap was there. */
static struct {
    double open, build;
} took;

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

static struct walk_error *print_info(struct walk_target *target, struct walk_heap *heap)
{
    struct walk_target_info info;
    struct walk_heap_stats stats;
    double start = seconds();
    struct walk_error *error = ask_ancestors(heap);
    if (error)
        return error;
    printf("time\topen\t%.4f\ntime\tbuild\t%.4f\ntime\tancestors\t%.4f\n", took.open, took.build, seconds() - start);
    walk_target_info(target, &info);
    walk_heap_stats(heap, &stats);
    printf("version\t%08x\t%s\t%s\npython\t%s\t%s\t%s\nlayout\t%s\ntracked-by\t%s\n", info.version, info.version_text,
           info.build, info.python_path, info.build_id, info.file_problem, info.layout_source, info.tracked_by);
    for (size_t i = 0; i < walk_target_layout_part_count(target); i++) {
        struct walk_layout_part part;
        walk_target_layout_part(target, i, &part);
        printf("part\t%s\t%zu\t%s\n", part.source, part.count, part.structures);
    }
    printf("recovered\t%zu\nunnamed\t%zu\n", stats.recovered_types, stats.unnamed_objects);
    printf("tracked\t%zu\npermanent\t%zu\nobjects\t%zu\nnodes\t%zu\nedges\t%zu\nextra\t%zu\nguessed\t%zu\t%zu\n"
           "run\t%zu\t%s\nunreadable\t%zu\nbroken\t%zu\ncomplete\t%d\n",
           stats.tracked, stats.permanent, stats.objects, stats.nodes, stats.edges, stats.extra_edges,
           stats.guessed_edges, stats.guessed_objects, stats.run_objects, stats.run_problem ? stats.run_problem : "",
           stats.unreadable, stats.broken_lists, stats.complete);
    for (uint32_t i = 0; i < walk_heap_type_count(heap); i++) {
        struct walk_type type;
        walk_heap_type(heap, i, &type);
        if (type.guessed)
            printf("guessed-type\t%zu\t%s\t%s\t%" PRIx64 "\t%" PRIu64 "\t%s\n", type.guessed, type.name,
                   type.fault ? type.fault : "", type.fault_pc, type.fault_instructions,
                   type.fault_file ? type.fault_file : "");
    }
    for (size_t i = 0; i < walk_target_file_count(target); i++) {
        struct walk_file file;
        walk_target_file(target, i, &file);
        if (file.problem || !file.has_build_id)
            printf("file\t%s\t%s\n", file.path, file.problem ? file.problem : "no build-id");
    }
    for (size_t i = 0; i < walk_heap_dispute_count(heap); i++) {
        struct walk_dispute dispute;
        struct walk_type type;
        walk_heap_dispute(heap, i, &dispute);
        walk_heap_type(heap, dispute.type, &type);
        printf("disputed\t%s\t%" PRIx64 "\n", type.name, dispute.object);
    }
    static const char *const verdicts[] = {"unasked", "holds", "fails"};
    for (size_t i = 0; i < walk_target_invariant_count(target); i++) {
        struct walk_invariant invariant;
        walk_target_invariant(target, i, &invariant);
        printf("invariant\t%s\t%s\n", verdicts[invariant.verdict], invariant.words);
    }
    return NULL;
}

static void print_heap_types(const struct walk_heap *heap)
{
    for (uint32_t i = 0; i < walk_heap_type_count(heap); i++) {
        struct walk_type type;
        walk_heap_type(heap, i, &type);
        if (type.tracked)
            printf("%zu\t%" PRIu64 "\t%s\n", type.tracked, type.tracked_size, type.name);
    }
}

/* Without a heap they are counted by themselves, as far as that is possible. */
static struct walk_error *print_types(struct walk_target *target, struct walk_heap *heap)
{
    struct walk_heap *made = NULL;
    struct walk_counts *counts = NULL;
    struct walk_error *error = heap ? NULL : walk_target_counts(target, &counts);
    if (counts && counts->stats.collecting)
        error = walk_heap_build(target, NULL, NULL, &made);
    if (!error && (heap || made))
        print_heap_types(heap ? heap : made);
    for (size_t i = 0; !error && counts && !made && i < counts->count; i++)
        printf("%zu\t%" PRIu64 "\t%s\n", counts->type[i].tracked, counts->type[i].tracked_size, counts->type[i].name);
    if (!error && counts && !counts->stats.complete)
        fprintf(stderr, "walk: this is not all: walk info says what is missing\n");
    walk_counts_free(counts);
    walk_heap_destroy(made);
    return error;
}

/* The number of an interpreter, or "-". */
static void format_number(const struct walk_heap *heap, walk_id id, char *text, size_t size)
{
    snprintf(text, size, "-");
    for (size_t i = 0; id != WALK_NO_ID && i < walk_heap_interpreter_count(heap); i++) {
        struct walk_interpreter interpreter;
        walk_heap_interpreter(heap, i, &interpreter);
        if (interpreter.id == id)
            snprintf(text, size, "%" PRId64, interpreter.number);
    }
}

static struct walk_error *print_object(struct walk_heap *heap, walk_id id, const struct walk_node *node)
{
    struct walk_type type;
    struct walk_edges *edges;
    walk_heap_type(heap, node->type, &type);
    struct walk_error *error = walk_heap_referents(heap, id, &edges);
    if (error)
        return error;
    printf("%" PRIx64 "\t%s\t%" PRIu64 "\t%d\t%s\t", node->address, type.name, node->size, node->tracked,
           edges->guessed ? "guess"
           : edges->run   ? "run"
                          : "table");
    const char *comma = "";
    for (size_t i = 0; i < edges->count; i++) {
        struct walk_node referent = {0};
        if ((edges->edge[i].flags & (WALK_EDGE_EXTRA | WALK_EDGE_WEAK)) || edges->edge[i].referent == WALK_NO_ID)
            continue;
        walk_heap_node(heap, edges->edge[i].referent, &referent);
        printf("%s%" PRIx64, comma, referent.address);
        comma = ",";
    }
    char number[32];
    format_number(heap, node->interpreter, number, sizeof number);
    printf("\t%s\n", number);
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

/* After the questions of a command. */
static void end_questions(void)
{
    int end = scanf(" .");
    (void)end;
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
    end_questions();
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
    end_questions();
    return NULL;
}

static struct walk_error *print_held_by(struct walk_heap *heap, uint64_t address)
{
    struct walk_edges *edges;
    walk_id id;
    struct walk_error *error = walk_heap_lookup(heap, address, &id);
    if (error || (error = walk_heap_referents(heap, id, &edges)))
        return error;
    for (size_t i = 0; i < edges->count; i++) {
        struct walk_node referent = {0};
        uint32_t flags = edges->edge[i].flags;
        if (!(flags & WALK_EDGE_EXTRA) || edges->edge[i].referent == WALK_NO_ID)
            continue;
        walk_heap_node(heap, edges->edge[i].referent, &referent);
        printf("%" PRIx64 "\t%s\t%" PRIx64 "\t%d\n", address, edges->edge[i].label, referent.address,
               (flags & WALK_EDGE_GUESS) != 0);
    }
    walk_edges_free(edges);
    return NULL;
}

static void print_edges(const struct walk_heap *heap, const char *name, const struct walk_edges *edges, bool up)
{
    for (size_t i = 0; i < edges->count; i++) {
        const struct walk_edge *edge = &edges->edge[i];
        walk_id other = up ? edge->holder : edge->referent;
        struct walk_node node = {0};
        char text[512] = "";
        if (other != WALK_NO_ID) {
            walk_heap_node(heap, other, &node);
            walk_heap_text(heap, other, WALK_TEXT_ANNOTATION, text, sizeof text);
        }
        printf("%s\t%" PRIx64 "\t%s\t%" PRIu32 "\t%d\t%d\t%s\n", name, node.address, edge->label, edge->flags,
               node.kind, node.tracked, text);
    }
}

/* A node and one step around it; that there is none, with the reason. */
static struct walk_error *print_step(struct walk_heap *heap, uint64_t address)
{
    struct walk_edges *edges;
    struct walk_node node;
    struct walk_type type;
    walk_id id;
    struct walk_error *error = walk_heap_lookup(heap, address, &id);
    if (error) {
        printf("%" PRIx64 "\t%s\n", address, walk_error_message(error));
        walk_error_free(error);
        return NULL;
    }
    walk_heap_node(heap, id, &node);
    walk_heap_type(heap, node.type, &type);
    printf("%" PRIx64 "\t%s\t%d\t%d\t%" PRIu64 "\n", address, type.name, node.kind, node.tracked, node.size);
    if ((error = walk_heap_referents(heap, id, &edges)))
        return error;
    print_edges(heap, "referent", edges, false);
    walk_edges_free(edges);
    if ((error = walk_heap_referrers(heap, id, &edges)))
        return error;
    print_edges(heap, "referrer", edges, true);
    walk_edges_free(edges);
    return NULL;
}

/* Without a heap each has one of its own, and of no more than that if that is possible: the last line says how many. */
static struct walk_error *print_around(struct walk_target *target, struct walk_heap *heap)
{
    uint64_t address;
    size_t small = 0;
    struct walk_error *error = NULL;
    while (!error && scanf("%" SCNx64, &address) == 1) {
        struct walk_heap *around = heap;
        bool whole = true;
        if (!heap)
            error = walk_heap_build_around(target, address, NULL, NULL, &around, &whole);
        if (!error)
            error = print_step(around, address);
        if (!heap)
            walk_heap_destroy(around);
        small += !whole;
    }
    printf("small\t%zu\n", small);
    end_questions();
    return error;
}

static struct walk_error *save_heap(struct walk_target *target, struct walk_heap *heap)
{
    (void)target;
    char line[4096];
    struct walk_error *error = NULL;
    while (!error && fgets(line, sizeof line, stdin) && strcmp(line, ".\n") != 0) {
        line[strcspn(line, "\n")] = '\0';
        char *nameless = strstr(line, " no-values");
        if (nameless)
            *nameless = '\0';
        double start = seconds();
        error = walk_heap_save(heap, line, !nameless, NULL, NULL);
        printf("saved\t%s\t%.4f\n", line, seconds() - start);
    }
    return error;
}

/* What objects hold that no tp_traverse visits. */
static struct walk_error *print_held(struct walk_target *target, struct walk_heap *heap)
{
    (void)target;
    uint64_t address;
    struct walk_error *error = NULL;
    while (!error && scanf("%" SCNx64, &address) == 1)
        error = print_held_by(heap, address);
    end_questions();
    return error;
}

/* `frame` and `local` begin the lines of a frame and of its variables, `stack` says of which stack it is. */
struct lines {
    const char *frame, *local;
    char stack[64];
};

static struct walk_error *print_frame(struct walk_heap *heap, const struct lines *lines, size_t depth, walk_id id)
{
    struct walk_frame frame;
    struct walk_edges *locals;
    struct walk_error *error = walk_heap_frame(heap, id, &frame);
    if (error)
        return error;
    printf("%s\t%s\t%zu\t%s\t%s\t%d\n", lines->frame, lines->stack, depth, frame.function, frame.file, frame.line);
    error = walk_heap_frame_locals(heap, id, &locals);
    if (error)
        return error;
    for (size_t i = 0; i < locals->count; i++) {
        struct walk_node node;
        walk_heap_node(heap, locals->edge[i].referent, &node);
        printf("%s\t%s\t%zu\t%s\t%" PRIx64 "\n", lines->local, lines->stack, depth, locals->edge[i].label,
               node.address);
    }
    walk_edges_free(locals);
    return NULL;
}

static struct walk_error *print_thread(struct walk_heap *heap, const struct walk_thread *thread)
{
    char number[32];
    struct lines lines = {.frame = "frame", .local = "local"};
    struct walk_error *error = NULL;
    format_number(heap, thread->interpreter, number, sizeof number);
    snprintf(lines.stack, sizeof lines.stack, "%s\t%" PRIx64, number, thread->ident);
    printf("thread\t%s\t%" PRIu64 "\t%s\n", lines.stack, thread->native_id, thread->name);
    for (size_t i = 0; i < thread->frame_count && !error; i++)
        error = print_frame(heap, &lines, i, thread->frames[i]);
    return error;
}

/* The frames that a generator (itself) or a greenlet has put aside. */
static struct walk_error *print_suspended(struct walk_heap *heap, walk_id holder, const walk_id *frames, size_t count)
{
    struct lines lines = {.frame = "suspended", .local = "held"};
    struct walk_error *error = NULL;
    struct walk_node node;
    walk_heap_node(heap, holder, &node);
    snprintf(lines.stack, sizeof lines.stack, "%" PRIx64, node.address);
    for (size_t i = 0; i < count && !error; i++)
        error = print_frame(heap, &lines, i, frames[i]);
    return error;
}

static struct walk_error *print_frames(struct walk_target *target, struct walk_heap *heap)
{
    (void)target;
    struct walk_ids *suspended;
    struct walk_error *error = NULL;
    for (size_t i = 0; i < walk_heap_interpreter_count(heap); i++) {
        struct walk_interpreter interpreter;
        walk_heap_interpreter(heap, i, &interpreter);
        printf("interpreter\t%" PRId64 "\n", interpreter.number);
    }
    for (size_t i = 0; i < walk_heap_thread_count(heap) && !error; i++) {
        struct walk_thread thread;
        walk_heap_thread(heap, i, &thread);
        error = print_thread(heap, &thread);
    }
    for (size_t i = 0; i < walk_heap_greenlet_count(heap) && !error; i++) {
        struct walk_greenlet greenlet;
        walk_heap_greenlet(heap, i, &greenlet);
        error = print_suspended(heap, greenlet.id, greenlet.frames, greenlet.frame_count);
    }
    if (error || (error = walk_heap_suspended(heap, &suspended)))
        return error;
    for (size_t i = 0; i < suspended->count && !error; i++)
        error = print_suspended(heap, suspended->id[i], &suspended->id[i], 1);
    walk_ids_free(suspended);
    return error;
}

/* A line of addresses after its name. */
static void print_ids(const struct walk_heap *heap, const char *name, const walk_id *ids, size_t count)
{
    printf("%s\t", name);
    for (size_t i = 0; i < count; i++) {
        struct walk_node node;
        walk_heap_node(heap, ids[i], &node);
        printf("%s%" PRIx64, i ? "," : "", node.address);
    }
    printf("\n");
}

static struct walk_error *print_list(const struct walk_heap *heap, const char *name, struct walk_error *error,
                                     struct walk_ids **ids)
{
    if (error)
        return error;
    print_ids(heap, name, (*ids)->id, (*ids)->count);
    walk_ids_free(*ids);
    return NULL;
}

static struct walk_error *print_components_of(const struct walk_heap *heap, const struct walk_heap_part *part,
                                              const char *name, bool sources)
{
    struct walk_components *components;
    struct walk_error *error = walk_heap_components(heap, part, sources, &components);
    if (error)
        return error;
    for (size_t i = 0; i < components->count; i++) {
        const struct walk_component *component = &components->component[i];
        if (!sources || component->source)
            print_ids(heap, name, component->ids, component->count);
    }
    walk_components_free(components);
    return NULL;
}

/* Those of the garbage that have one of the flags. */
static void print_flagged(const struct walk_heap *heap, const struct walk_garbage *garbage, const char *name,
                          unsigned flag)
{
    walk_id *ids = malloc((garbage->count + 1) * sizeof *ids);
    size_t count = 0;
    for (size_t i = 0; ids && i < garbage->count; i++)
        if (garbage->flags[i] & flag)
            ids[count++] = garbage->id[i];
    print_ids(heap, name, ids, count);
    free(ids);
}

static struct walk_error *print_garbage(struct walk_target *target, struct walk_heap *heap)
{
    (void)target;
    static const struct {
        const char *name;
        unsigned flag;
    } flags[] = {{"finalizer", WALK_GARBAGE_FINALIZER},
                 {"finalized", WALK_GARBAGE_FINALIZED},
                 {"legacy", WALK_GARBAGE_LEGACY},
                 {"kept", WALK_GARBAGE_KEPT}};
    struct walk_garbage *garbage;
    struct walk_ids *saved;
    struct walk_error *error = walk_heap_garbage(heap, WALK_ALL_INTERPRETERS, &garbage);
    if (error)
        return error;
    const struct walk_heap_part part = {garbage->id, garbage->count, true};
    print_ids(heap, "garbage", garbage->id, garbage->count);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        print_flagged(heap, garbage, flags[i].name, flags[i].flag);
    error = print_components_of(heap, &part, "key", true);
    if (!error)
        error = print_components_of(heap, &part, "cycle", false);
    if (!error)
        error = print_list(heap, "saved", walk_heap_uncollectable(heap, &saved), &saved);
    printf("exact\t%d\n", garbage->exact);
    walk_garbage_free(garbage);
    return error;
}

static struct walk_error *print_components(struct walk_target *target, struct walk_heap *heap)
{
    (void)target;
    struct walk_ids *tracked;
    struct walk_error *error = walk_heap_tracked(heap, WALK_ALL_INTERPRETERS, &tracked);
    if (error)
        return error;
    const struct walk_heap_part part = {tracked->id, tracked->count, true};
    error = print_components_of(heap, &part, "cycle", false);
    walk_ids_free(tracked);
    return error;
}

static struct walk_error *print_leaks(struct walk_target *target, struct walk_heap *heap)
{
    (void)target;
    struct walk_ids *leaks;
    struct walk_error *error = print_list(heap, "leak", walk_heap_leaks(heap, false, &leaks), &leaks);
    return error ? error : print_list(heap, "unheld", walk_heap_leaks(heap, true, &leaks), &leaks);
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

static const struct command {
    const char *name;
    struct walk_error *(*run)(struct walk_target *target, struct walk_heap *heap);
} commands[] = {
    {"info", print_info},     {"types", print_types},   {"objects", print_objects}, {"ancestors", print_ancestors},
    {"values", print_values}, {"held", print_held},     {"garbage", print_garbage}, {"components", print_components},
    {"leaks", print_leaks},   {"frames", print_frames}, {"row", print_row},         {"type-names", print_type_names},
    {"save", save_heap},      {"around", print_around},
};

/* The command that a list with commas begins with; NULL: none. */
static const struct command *first_of(const char *list)
{
    size_t length = strcspn(list, ",");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strlen(commands[i].name) == length && strncmp(commands[i].name, list, length) == 0)
            return &commands[i];
    return NULL;
}

/* What follows it; NULL at the end. */
static const char *rest_of(const char *list)
{
    const char *comma = strchr(list, ',');
    return comma ? comma + 1 : NULL;
}

static struct walk_error *run_all(const char *list, struct walk_target *target, struct walk_heap *heap)
{
    struct walk_error *error = NULL;
    bool several = rest_of(list) != NULL;
    for (const char *rest = list; rest && !error; rest = rest_of(rest)) {
        const struct command *command = first_of(rest);
        if (several)
            printf("== %s\n", command->name);
        error = command->run(target, heap);
    }
    return error;
}

static int run(const char *list, const char *name)
{
    double start = seconds();
    struct walk_target *target;
    struct walk_heap *heap = NULL;
    char *end;
    long pid = strtol(name, &end, 10);
    const char *layout = getenv("WALK_LAYOUT"), *threads = getenv("WALK_THREADS");
    struct walk_options options = {.sysroot = getenv("WALK_SYSROOT"),
                                   .debug_dirs = getenv("WALK_DEBUG_DIRS"),
                                   .layout = !layout && strcmp(list, "row") == 0 ? "dwarf" : layout,
                                   .guess = getenv("WALK_GUESS") != NULL,
                                   .tracked = getenv("WALK_TRACKED"),
                                   .reading = getenv("WALK_READING"),
                                   .first = strcmp(list, "types") == 0 ? "counts" : "graph",
                                   .threads = threads ? (unsigned)strtoul(threads, NULL, 10) : 0};
    struct walk_error *error = !*end                        ? walk_target_open_process((int)pid, &options, &target)
                               : walk_target_is_saved(name) ? walk_target_open_saved(name, &target)
                                                            : walk_target_open_core(name, &options, &target);
    if (error)
        return fail(error);
    took.open = seconds() - start;
    if (strcmp(list, "types") != 0 && strcmp(list, "around") != 0)
        error = walk_heap_build(target, NULL, NULL, &heap);
    took.build = seconds() - start - took.open;
    if (!error) {
        error = run_all(list, target, heap);
        walk_heap_destroy(heap);
    }
    walk_target_close(target);
    return error ? fail(error) : 0;
}

int main(int argc, char **argv)
{
    bool known = argc == 3;
    for (const char *rest = known ? argv[1] : NULL; rest && known; rest = rest_of(rest))
        known = first_of(rest) != NULL;
    if (known)
        return run(argv[1], argv[2]);
    fprintf(stderr, "usage: walk ");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(stderr, "%s%s", i ? "|" : "", commands[i].name);
    fprintf(stderr, "[,…] CORE|PID|FILE\n");
    return 2;
}
