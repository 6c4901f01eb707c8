/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_ANSWERS_HEAP_H
#define WALK_ANSWERS_HEAP_H

/* A heap: the objects of a target as a graph. Here a node's class is its type and its flags are these. */

#include "answers/facts.h"
#include "graph/graph.h"
#include "objects/target.h"
#include "objects/visit.h"

enum walk_node_flags {
    WALK_NODE_KIND = 3,        /* enum walk_node_kind of nodes that are no objects; WALK_OBJECT for all objects */
    WALK_NODE_TRACKED = 4,     /* on a list of the collector, but not in the permanent generation */
    WALK_NODE_MODULE = 8,      /* a module of sys.modules */
    WALK_NODE_NAMESPACE = 16,  /* the __dict__ of such a module */
    WALK_NODE_ON_STACK = 32,   /* a frame on the stack of a thread, or put aside by its main greenlet */
    WALK_NODE_UNREADABLE = 64, /* some of its references could not be read */
    WALK_NODE_ASIDE = 128,     /* a frame that another greenlet has put aside: alive as long as that is */
};

struct walk_type_stats {
    size_t tracked, objects;
    uint64_t tracked_size, size;
    size_t unreadable;                /* objects with references that could not be read */
    size_t guessed;                   /* objects whose references were guessed */
    struct walk_traverse_fault fault; /* why, of the first of them by address, which is this: */
    walk_addr fault_at;
};

/* The public list of the frames on a stack. */
struct walk_frame_ids {
    walk_id *id;
    size_t count;
};

struct walk_heap {
    const struct walk_facts *facts; /* what is asked of single nodes: of the memory, or of a saved file (facts.h) */
    struct walk_tables tables;      /* what there are few of (tables.c, load.c) */
    uint64_t word_limit;            /* see walk_heap_limit(); 0: none */
    const struct walk_saved *saved; /* the file that it is from; belongs to the target. NULL: from memory */
    struct walk_target *target;
    struct walk_python *python; /* NULL when it was loaded: only what reads memory uses it (facts.h) */
    struct walk_graph graph;
    struct walk_heap_stats stats;
    struct walk_type_stats *types; /* type_count, then one each for frames, threads, interpreters */
    uint32_t type_count;
    struct walk_frame_ids *threads, *greenlets; /* of walk_python.threads and .greenlets */
    uint32_t *interpreter; /* per node: 1 + the index of the one whose collector tracks it; NULL: there is only one */
    size_t *interpreter_tracked; /* where there are several: how many nodes are whose */
};

static inline enum walk_node_kind walk_node_kind(const struct walk_heap *heap, walk_id id)
{
    return heap->graph.flags[id] & WALK_NODE_KIND;
}

static inline bool walk_node_tracked(const struct walk_heap *heap, walk_id id)
{
    return (heap->graph.flags[id] & WALK_NODE_TRACKED) != 0;
}

/* True for frame objects and for frames without one. */
bool walk_node_is_frame(const struct walk_heap *heap, walk_id id);
/* True for generators, coroutines and asynchronous generators: since 3.11 their frame's variables are theirs. */
bool walk_node_is_generator(const struct walk_heap *heap, walk_id id);

/* Whether a type's name is `name`, or ends with it when that has no dot. */
bool walk_type_is_called(const char *type, const char *name);

struct walk_layout_row;
/* What is known of the target's interpreter, as a row (row.c). Free with walk_layout_row_free(). */
struct walk_error *walk_heap_row(const struct walk_heap *heap, struct walk_layout_row **row);

/* Whether the collector of an interpreter tracks a node (interpreters.c). */
bool walk_interpreter_tracks(const struct walk_heap *heap, size_t index, walk_id id);
/* To be called once when the graph is there. */
struct walk_error *walk_interpreter_find(struct walk_heap *heap);
/* Whether one collector is that of all interpreters: there is but one of them, or (up to 3.8) they share it. */
bool walk_heap_shares_collector(const struct walk_heap *heap);
/* struct walk_node's `interpreter`. */
walk_id walk_node_interpreter(const struct walk_heap *heap, walk_id id);

/* The thread on whose stack a frame is; WALK_NO_ID: on none (paths.c). */
walk_id walk_thread_of_frame(const struct walk_heap *heap, walk_id frame);
/* walk_facts.visit, .garbage and .uncollectable of the memory (visit.c, collection.c, uncollectable.c). */
void walk_live_visit(const struct walk_heap *heap, walk_id id, struct walk_refs *refs);
struct walk_error *walk_live_garbage(const struct walk_heap *heap, size_t interpreter, uint8_t *found);
void walk_live_uncollectable(const struct walk_heap *heap, uint8_t *found);

/*
 * Builds the graph and what of the statistics is known of single nodes, with the workers of the target's image
 * (source.c).
 */
struct walk_error *walk_heap_build_graph(struct walk_heap *heap, walk_progress *progress, void *context);

/*
 * Who refers to `sought->node.key`, without a graph: of heap->graph there is walk_graph_has(). What of the statistics
 * is known of single nodes is as with walk_heap_build_graph(), if `sought->certain`.
 */
struct walk_error *walk_heap_seek(struct walk_heap *heap, walk_progress *progress, void *context,
                                  struct walk_sought *sought);
/* Class and flags of an object that walk_heap_seek() found; false: it is no object but another node. */
bool walk_heap_know(struct walk_python *python, struct walk_known *object);
/* Interpreters, threads, and frames that are no objects. */
struct walk_error *walk_heap_add_others(const struct walk_python *python, struct walk_builder *builder);

/* A heap of a memory that has no graph yet, and what is known of its nodes when it has (heap.c). */
struct walk_heap *walk_heap_new(struct walk_target *target);
struct walk_error *walk_heap_describe(struct walk_heap *heap);

/* Asks a caller's progress (which may be NULL) also while code of the target runs long, within one visit. */
struct walk_watch {
    struct walk_heap *heap;
    walk_progress *progress;
    void *context;
};
void walk_heap_watch(struct walk_watch *watch);
void walk_heap_unwatch(struct walk_heap *heap);

void walk_heap_visit_key(struct walk_python *python, walk_addr key, uint32_t class, enum walk_node_kind kind,
                         struct walk_refs *refs);

/* What a node refers to, whatever kind of node it is. Refs are appended. */
void walk_heap_visit(const struct walk_heap *heap, walk_id id, struct walk_refs *refs);

/*
 * Limits the words that may be looked at with `refs` from now on, to visit every node once: a word belongs to one
 * object, so four times the target's are enough (an OrderedDict visits its keys twice). Damaged objects that all claim
 * one huge table as theirs end here, not after hours.
 */
void walk_heap_limit(const struct walk_heap *heap, struct walk_refs *refs);
/* struct walk_heap's `word_limit`, of a memory. */
uint64_t walk_word_limit(const struct walk_python *python);

/*
 * Words of objects whose tp_traverse leaves them out, of which the counts of references say that they are held
 * (omitted.c): notes them in heap->python, which visits them from then on. `count`: how many are new.
 */
struct walk_error *walk_heap_take_omitted(struct walk_heap *heap, size_t *count);

/* ---- lists of edges with labels (edges.c) ---- */

enum { WALK_LABEL_SIZE = 512 }; /* with its NUL; longer ones are cut */
void walk_label_cut(char *label, size_t size);

struct walk_edge_list;
/* Between open (or renew) and close every holder is visited once. */
struct walk_error *walk_edge_list_open(const struct walk_heap *heap, struct walk_edge_list **list);
void walk_edge_list_renew(struct walk_edge_list *list);
/* All edges from `holder` for which `wanted` says yes, or all when it is NULL; in the order of the holder. */
struct walk_error *walk_edge_list_add(struct walk_edge_list *list, walk_id holder,
                                      bool (*wanted)(void *context, walk_id referent), void *context);
/* All edges from `holder` to `count` nodes, at most WALK_EDGE_LIST_FEW different ones. */
enum { WALK_EDGE_LIST_FEW = 8 };
struct walk_error *walk_edge_list_add_to(struct walk_edge_list *list, walk_id holder, const walk_id *to, size_t count);
/* The first edge from `holder` to `referent`. */
struct walk_error *walk_edge_list_add_first(struct walk_edge_list *list, walk_id holder, walk_id referent);
/* Also weak references, and those to what is no node. */
struct walk_error *walk_edge_list_add_with_weak(struct walk_edge_list *list, walk_id holder);
/* One edge with a label of its own. */
struct walk_error *walk_edge_list_add_named(struct walk_edge_list *list, walk_id holder, walk_id referent,
                                            const struct walk_ref *ref, bool bare);
struct walk_error *walk_edge_list_close(struct walk_edge_list *list, struct walk_error *error,
                                        struct walk_edges **edges);

#endif
