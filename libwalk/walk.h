/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_H
#define WALK_H

/*
 * libwalk: the object graph of a CPython process, read from bytes alone.
 *
 * A *target* is where the bytes come from: a core file, a stopped process, or memory served by a callback.
 * A *heap* is the frozen graph of one target: every object on a list of the cyclic garbage collector and everything
 * reachable from these, from the threads' frames and from the interpreters.
 *
 * Conventions, for every function below:
 *  - It returns NULL on success, else an error that the caller frees with walk_error_free(). Results are the last
 *    parameters and are written only on success.
 *  - Addresses are the target's, never pointers of this process. Sizes are in bytes.
 *  - Handles are opaque; what `_open`/`_build` made, `_close`/`_destroy` frees (NULL is allowed there).
 *  - Strings that a function returns belong to the handle that it was given and live as long as that handle.
 *    Strings from the target are valid UTF-8, shortened and with control characters escaped.
 *  - A handle may be used by one thread at a time. Nothing is ever written to a target.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The library is built with hidden symbols: what is declared here is all that it exports. */
#pragma GCC visibility push(default)

typedef uint64_t walk_addr; /* an address in the target */
typedef uint32_t walk_id;   /* a node of a heap: dense, 0 .. nodes-1 */
#define WALK_NO_ID UINT32_MAX

/* ---- errors ---------------------------------------------------------------------------------------------------- */

struct walk_error;

enum walk_error_code {
    WALK_ERROR_MEMORY = 1,  /* this process has no memory left */
    WALK_ERROR_SYSTEM,      /* the operating system refused: open, read, ptrace */
    WALK_ERROR_FORMAT,      /* a file that is not what it should be */
    WALK_ERROR_NO_PYTHON,   /* no CPython interpreter in the target */
    WALK_ERROR_UNSUPPORTED, /* a CPython or machine that this build cannot read */
    WALK_ERROR_LAYOUT,      /* no layout for this CPython, or one that its memory disproves */
    WALK_ERROR_UNMAPPED,    /* an address outside of every mapping of the target */
    WALK_ERROR_NOT_SAVED,   /* mapped in the target, but its bytes are not in the core and in no file at hand */
    WALK_ERROR_IMPLAUSIBLE, /* readable, but not what was asked for */
    WALK_ERROR_NOT_FOUND,   /* an object that is not part of the heap, a file that is not there */
    WALK_ERROR_INTERRUPTED, /* the progress callback asked to stop */
};

/* One line, without a newline: what, where and what to do. */
const char *walk_error_message(const struct walk_error *error);
enum walk_error_code walk_error_code(const struct walk_error *error);
void walk_error_free(struct walk_error *error);

/* ---- targets --------------------------------------------------------------------------------------------------- */

struct walk_target;

/* How the files of a target are found on this machine. Every member may be NULL. The strings are copied. */
struct walk_options {
    const char *executable; /* the file of the main program: tried before the path that the target names */
    const char *sysroot;    /* put in front of the absolute paths that the target names */
    const char
        *debug_dirs; /* folders with separate debug files, ':' between; NULL: beside the file, .debug, /usr/lib/debug */
    /*
     * Which sources of layouts are asked, in their order, ',' between: "row" (built in for this very build), "cache"
     * (remembered of it), "dwarf", "probe" (layouts of other builds, as far as the memory agrees). "probe:3.13" takes
     * only builds whose name begins so ("3.13.5 debug 7e8d5f6d"), this one among them. NULL: all.
     */
    const char *layout;
    bool guess; /* run no code of the target: the references of types without a table are guessed */
    /* How many threads may work on one question; 0: as many as there are processors. A live target is read by one. */
    unsigned threads;
    /*
     * How the collector's objects are looked for: "lists" follows its lists; "sublists" does so at many places at the
     * same time; "sweep" reads the memory from one end to the other and follows the lists in what was found. Where
     * these are not possible, it is "lists" as well. The result is the same. NULL: what is faster here.
     */
    const char *tracked;
    /*
     * How a whole graph reads a core's bytes: "windows" copies them, stretch by stretch, "mapping" looks at them where
     * the file is mapped. Without `tracked` it also says where the collector's objects are looked for ("sweep" copies,
     * "sublists" looks there). The result is the same. NULL: what is faster here, which is measured.
     */
    const char *reading;
    /*
     * What is asked first, "counts" (walk_target_counts()) or "graph": what the other one needs is not kept ready when
     * the target is opened, and takes longer if it is asked; and for this one it is measured what is faster. The result
     * is the same. NULL: either may be.
     */
    const char *first;
};

/* Opens a core file. Errors: SYSTEM, FORMAT, UNSUPPORTED, NO_PYTHON, LAYOUT. The file must not change while it is open.
 */
struct walk_error *walk_target_open_core(const char *path, const struct walk_options *options,
                                         struct walk_target **target);

/* Opens a process that somebody holds stopped (a debugger, SIGSTOP). Its memory is read when needed, once. */
struct walk_error *walk_target_open_process(int pid, const struct walk_options *options, struct walk_target **target);

/* One mapping of a target that a callback serves; `path` is NULL for anonymous memory, `offset` is in that file. */
struct walk_mapping {
    walk_addr start, end;
    uint64_t offset;
    const char *path;
};

/*
 * Memory served by the caller: `read` copies up to `size` bytes at `address` to `buffer` and returns how many it could
 * read from there on without a hole. The mappings are sorted by address and are copied; `context` is handed to `read`.
 * `word` is the target's pointer size, 4 or 8.
 */
struct walk_reader {
    size_t (*read)(void *context, walk_addr address, void *buffer, size_t size);
    void *context;
    const struct walk_mapping *mappings;
    size_t mapping_count;
    unsigned word;
};
struct walk_error *walk_target_open_reader(const struct walk_reader *reader, const struct walk_options *options,
                                           struct walk_target **target);

/*
 * A heap that walk_heap_save() wrote: walk_heap_build() of it is quick, and its answers are those of the heap that was
 * saved. The file is not needed afterwards. Errors: SYSTEM, FORMAT, UNSUPPORTED (another version of the format).
 */
struct walk_error *walk_target_open_saved(const char *path, struct walk_target **target);
/* Whether a file begins as those do. */
bool walk_target_is_saved(const char *path);

void walk_target_close(struct walk_target *target);

enum walk_saved_kind { WALK_NOT_SAVED_HEAP, WALK_SAVED, WALK_SAVED_WITHOUT_VALUES };

struct walk_target_info {
    uint32_t version;          /* PY_VERSION_HEX, from sys.hexversion in the target */
    unsigned word;             /* pointer size, bytes */
    const char *version_text;  /* sys.version on one line, or "" */
    const char *python_path;   /* the ELF file that holds the interpreter: libpython or the executable */
    const char *build_id;      /* of that file, hex, or "" */
    const char *build;         /* "release", "debug", "free-threaded" or "free-threaded debug", from sys.abiflags */
    const char *file_problem;  /* why that file is not used: not found, another build; "" when it is */
    const char *layout_source; /* where the structures' layout is from, for people */
    const char *tracked_by; /* how the collector's objects were found: "lists", "sublists", "sweep", or "allocator"; of
                               a saved heap no more than "lists" or "allocator" */
    bool truncated;         /* the core is shorter than its program headers say */
    enum walk_saved_kind saved; /* what is read is a heap that walk_heap_save() wrote */
};
void walk_target_info(const struct walk_target *target, struct walk_target_info *info);

/* What one source gave of the layout. "Left out": what fits no source, and is read nowhere. */
struct walk_layout_part {
    const char *source;
    size_t count;           /* structures */
    const char *structures; /* their names, with commas; "" when they are all that the other parts do not name */
};
size_t walk_target_layout_part_count(const struct walk_target *target);
void walk_target_layout_part(const struct walk_target *target, size_t index, struct walk_layout_part *part);

/* A file with code or data of the target. */
struct walk_file {
    const char *path;    /* as the target names it */
    const char *problem; /* why it is not used: not found, another build; NULL: it is */
    bool has_build_id;   /* false: that it is the one which the target ran cannot be proven */
    bool has_code;       /* false: it is data, none of it was mapped to be run */
};
size_t walk_target_file_count(const struct walk_target *target);
void walk_target_file(const struct walk_target *target, size_t index, struct walk_file *file);

/* What the target's memory was asked before its layout was believed. */
enum walk_verdict { WALK_UNASKED, WALK_HOLDS, WALK_FAILS }; /* UNASKED: the target has nothing to ask it of */
struct walk_invariant {
    const char *words;
    enum walk_verdict verdict;
};
size_t walk_target_invariant_count(const struct walk_target *target);
/* Of a core, they are all asked when the first is wanted. */
void walk_target_invariant(struct walk_target *target, size_t index, struct walk_invariant *invariant);

/* ---- heaps ----------------------------------------------------------------------------------------------------- */

struct walk_heap;

/* Called now and then while a heap is built; nodes visited and nodes known so far. Return false to stop. */
typedef bool walk_progress(void *context, size_t visited, size_t known);

/* `progress` may be NULL. The target must stay open as long as the heap. */
struct walk_error *walk_heap_build(struct walk_target *target, walk_progress *progress, void *context,
                                   struct walk_heap **heap);
/*
 * The same for questions about one object: the heap has this node, if there is one at `address`, what refers to it,
 * what it refers to, and the threads and frames; all references between these. Everything is visited, but no other
 * reference is kept: that takes less time, and much less memory. Such a heap can be asked walk_heap_lookup() of that
 * address, what there is to know of its nodes, walk_heap_referents() and walk_heap_referrers() of that node, and the
 * statistics: they are of all that was visited, but edges are not counted. The answers are those of the whole heap.
 * `*whole`: it is the whole heap, as only that can tell here (memory that is damaged, several interpreters, C types
 * that hide references), or as it is a saved one.
 */
struct walk_error *walk_heap_build_around(struct walk_target *target, walk_addr address, walk_progress *progress,
                                          void *context, struct walk_heap **heap, bool *whole);
void walk_heap_destroy(struct walk_heap *heap);

struct walk_heap_stats {
    size_t nodes;            /* objects, frames, threads, interpreters */
    size_t objects;          /* nodes that are Python objects */
    size_t tracked;          /* objects on a list of the collector: what gc.get_objects() returns */
    size_t permanent;        /* objects in the permanent generation (gc.freeze()), which gc.get_objects() leaves out */
    size_t edges;            /* strong references, parallel ones counted */
    size_t extra_edges;      /* of these: not seen by gc.get_referents */
    size_t guessed_edges;    /* of these: words that are addresses of objects, in objects of which no more is known */
    size_t guessed_objects;  /* objects whose references were guessed */
    size_t run_objects;      /* objects whose references are what their tp_traverse, run over the memory, visited */
    const char *run_problem; /* why no code of this target is run; NULL: it is */
    size_t unreadable;       /* objects with references that could not be read */
    size_t recovered_types;  /* types of objects whose name was found in the heap: the file that has it is not used */
    size_t unnamed_objects;  /* objects of types whose name is not known: "type@0x…" */
    size_t broken_lists;     /* lists of the collector, or of the allocator, that could not be followed to their end */
    size_t broken_stacks;    /* threads and greenlets whose frames could not be followed to the outermost */
    bool collecting;         /* the collector was running: some of the tracked objects may be on no list */
    bool truncated;          /* the core is shorter than its program headers say */
    bool unknown_layout;     /* parts of the layout fit no source, and were left out (walk_target_layout_part), or the
                              * version is newer than all that are known */
    bool complete;           /* nothing was unreadable, broken or left out, no collection under way */
};
void walk_heap_stats(const struct walk_heap *heap, struct walk_heap_stats *stats);

/*
 * Writes the heap to a file (docs/heap-file.md), for the user alone; it replaces one of that name when it is whole.
 * With `values` false neither values nor keys of dicts are in it. Errors: SYSTEM, INTERRUPTED.
 */
struct walk_error *walk_heap_save(const struct walk_heap *heap, const char *path, bool values, walk_progress *progress,
                                  void *context);

/* ---- counting without a heap ----------------------------------------------------------------------------------- */

struct walk_type_count {
    walk_addr address; /* of the type object */
    const char *name;  /* as of struct walk_type; it belongs to the target */
    size_t tracked;
    uint64_t tracked_size; /* bytes */
};

/* Free with walk_counts_free(). */
struct walk_counts {
    struct walk_heap_stats stats; /* what of them is known without a graph; the rest is 0 */
    size_t count;                 /* types with tracked objects */
    struct walk_type_count type[];
};

/*
 * The tracked objects of each type, as a heap has them (walk_heap_type), in a small part of the time. While the
 * collector runs (`stats.collecting`) a heap may find more of them.
 */
struct walk_error *walk_target_counts(struct walk_target *target, struct walk_counts **counts);
void walk_counts_free(struct walk_counts *counts);

enum walk_node_kind { WALK_OBJECT, WALK_FRAME, WALK_THREAD, WALK_INTERPRETER };

struct walk_node {
    enum walk_node_kind kind; /* FRAME also for frame objects */
    walk_addr address;
    uint32_t type;    /* index of the type; nodes that are no objects have types of their own: "frame", "thread", … */
    bool tracked;     /* on a list of the collector */
    bool is_object;   /* false for threads, interpreters and frames without a frame object */
    uint64_t size;    /* what sys.getsizeof() says for builtin types; 0 for nodes that are no objects */
    int64_t refcount; /* -1 for nodes that are no objects; immortal objects have a huge one */
    /*
     * Whose collector tracks the object; WALK_NO_ID: none does, or (up to 3.8) all interpreters share one. Of a thread:
     * the one that it runs in.
     */
    walk_id interpreter;
};

/* The node at exactly this address. Errors: UNMAPPED, NOT_SAVED, IMPLAUSIBLE, NOT_FOUND (an object in no list and in no
 * reach). */
struct walk_error *walk_heap_lookup(const struct walk_heap *heap, walk_addr address, walk_id *id);
void walk_heap_node(const struct walk_heap *heap, walk_id id, struct walk_node *node);

struct walk_type {
    walk_addr address;           /* of the type object; 0 for the types of nodes that are no objects */
    const char *name;            /* module.__qualname__, builtins bare */
    size_t tracked, objects;     /* how many objects: tracked, all */
    uint64_t tracked_size, size; /* bytes: of the tracked, of all */
    bool known;        /* a table has this type; else its tp_traverse is run, and its size is tp_basicsize's */
    size_t unreadable; /* objects with references that could not be read */
    size_t guessed;    /* objects whose references are guesses: tp_traverse could not be run to its end */
    /* Of the first of these: what went wrong, NULL if nothing was run; where, and after how many instructions. */
    const char *fault;
    walk_addr fault_pc;
    uint64_t fault_instructions;
    const char *fault_file; /* the file that would have been needed, and why it is not used; NULL: none */
};
/*
 * A type whose objects refer to something else than its table says: what their tp_traverse visits is believed. On
 * opening a few objects of each type are read both ways. `object`: the one that showed it.
 */
struct walk_dispute {
    uint32_t type;
    walk_addr object;
};
size_t walk_heap_dispute_count(const struct walk_heap *heap);
void walk_heap_dispute(const struct walk_heap *heap, size_t index, struct walk_dispute *dispute);

size_t walk_heap_type_count(const struct walk_heap *heap);
void walk_heap_type(const struct walk_heap *heap, uint32_t index, struct walk_type *type);

/* ---- interpreters ---------------------------------------------------------------------------------------------- */

struct walk_interpreter {
    walk_id id;
    walk_addr address;  /* of its state */
    int64_t number;     /* the main one has 0 */
    bool has_collector; /* false: it shares one with others (up to 3.8) */
    size_t tracked;     /* objects that its own collector tracks: its gc.get_objects() */
};
/* At least one: the main interpreter is the first, the others are in the order in which they were made. */
size_t walk_heap_interpreter_count(const struct walk_heap *heap);
void walk_heap_interpreter(const struct walk_heap *heap, size_t index, struct walk_interpreter *interpreter);

struct walk_total {
    size_t objects;
    uint64_t size; /* bytes */
};
/* Adds up per type what the collector of one interpreter tracks; `totals` has walk_heap_type_count() of them. */
void walk_heap_interpreter_totals(const struct walk_heap *heap, size_t index, struct walk_total *totals);

/* ---- lists of nodes -------------------------------------------------------------------------------------------- */

/* A list of nodes. Free with walk_ids_free(). */
struct walk_ids {
    size_t count;
    walk_id id[];
};
void walk_ids_free(struct walk_ids *ids);

#define WALK_ALL_INTERPRETERS SIZE_MAX

/*
 * The objects of every type called `name`, in order of address: a name with a dot is module-qualified and must match
 * whole, one without also matches the last part of a qualified name. With the index of an interpreter only those that
 * its collector tracks.
 */
struct walk_error *walk_heap_find(const struct walk_heap *heap, const char *name, size_t interpreter,
                                  struct walk_ids **ids);

/*
 * Generators, coroutines and asynchronous generators that have a frame which is on no stack: not begun, or suspended.
 * In order of address. walk_heap_frame() and walk_heap_frame_locals() take them.
 */
struct walk_error *walk_heap_suspended(const struct walk_heap *heap, struct walk_ids **ids);

/*
 * What people read of a node. VALUE is the repr of int, float, complex, None, bool, bytes and str (shortened), else "".
 * ANNOTATION is refcycle's: "list[3]", "function f", "frame app.py:88 worker", the value, or the type's name.
 * Writes at most `size` bytes with the final NUL and returns the length that it would have liked, as snprintf().
 */
enum walk_text { WALK_TEXT_VALUE, WALK_TEXT_ANNOTATION };
size_t walk_heap_text(const struct walk_heap *heap, walk_id id, enum walk_text which, char *buffer, size_t size);

/* ---- edges ----------------------------------------------------------------------------------------------------- */

enum walk_edge_flags {
    WALK_EDGE_EXTRA = 1, /* a strong reference that gc.get_referents does not report */
    WALK_EDGE_GUESS = 2, /* a word that is the address of an object, in an object of a type without a table */
    WALK_EDGE_WEAK = 4,  /* not a strong reference: shown by walk_heap_referents() only, never part of the graph */
};

struct walk_edge {
    walk_id holder;    /* who refers */
    walk_id referent;  /* to whom; WALK_NO_ID for a weak reference to something outside of the heap */
    uint32_t flags;    /* enum walk_edge_flags */
    const char *label; /* "item[3]", "local 'job'", … (DESIGN: edge labels); belongs to the list */
};

/* Free with walk_edges_free(). */
struct walk_edges {
    size_t count;
    struct walk_edge *edge;
    /* Where the references of the holders are from: some are guesses, some are what a run of tp_traverse visited. */
    bool guessed, run;
};
void walk_edges_free(struct walk_edges *edges);

/* One step down, in the order of the object, weak ones marked; one step up, by holder's id. */
struct walk_error *walk_heap_referents(const struct walk_heap *heap, walk_id id, struct walk_edges **edges);
struct walk_error *walk_heap_referrers(const struct walk_heap *heap, walk_id id, struct walk_edges **edges);

/* ---- answers --------------------------------------------------------------------------------------------------- */

/* Nodes within a distance, breadth first, each with its depth. */
struct walk_subgraph {
    size_t count;
    walk_id *id;
    uint32_t *depth;
    size_t beyond; /* holders (referents) that were left out because the collector does not see the way to them */
};
void walk_subgraph_free(struct walk_subgraph *subgraph);

#define WALK_ALL_GENERATIONS UINT32_MAX
enum walk_direction { WALK_ANCESTORS, WALK_DESCENDANTS };

/*
 * refcycle's ancestors (descendants) of `start`, itself included, within `generations` edges. Among tracked objects
 * only references that the collector sees are followed, so that the tracked part is what refcycle computes in the
 * process; nodes that are not tracked (frames, threads, code, strings) are added to it. With `everything`, or when
 * `start` is no object, every edge is followed from everywhere.
 */
struct walk_error *walk_heap_within(const struct walk_heap *heap, walk_id start, enum walk_direction direction,
                                    uint32_t generations, bool everything, struct walk_subgraph **subgraph);

/* All edges between its nodes, those of each holder together. */
struct walk_error *walk_heap_subgraph_edges(const struct walk_heap *heap, const struct walk_subgraph *subgraph,
                                            struct walk_edges **edges);

/* A path from a root down to an object: edge[0].holder is the root, edge[count-1].referent the object. */
struct walk_path {
    walk_id root;
    walk_id thread; /* of a root that is a frame on a thread's stack, else WALK_NO_ID */
    size_t count;
    struct walk_edge *edge;
};

/* Free with walk_paths_free(). */
struct walk_paths {
    size_t count;
    struct walk_path *path;
    struct walk_edges *edges; /* owns the edges of all paths */
};
void walk_paths_free(struct walk_paths *paths);

/* Shortest paths from roots (modules of sys.modules, frames on stacks, threads, interpreters), at most `limit`, each
 * from another root. */
struct walk_error *walk_heap_why(const struct walk_heap *heap, walk_id id, size_t limit, struct walk_paths **paths);

/*
 * For every frame, and every suspended generator, a local variable of which leads to the object within `distance`
 * references: the shortest path from it. At most `limit` of them, the shortest first; none is an empty list. What is
 * reached through the namespace of a module does not count.
 */
struct walk_error *walk_heap_locals(const struct walk_heap *heap, walk_id id, uint32_t distance, size_t limit,
                                    struct walk_paths **paths);

/* ---- parts of a heap ------------------------------------------------------------------------------------------- */

/*
 * Some nodes of a heap and the edges between them: a graph of its own, of which the functions below are asked. It is
 * borrowed for the call. NULL in its place, as {0}, is the whole heap with all edges. Ids must be ascending; else:
 * IMPLAUSIBLE.
 */
struct walk_heap_part {
    const walk_id *ids; /* NULL: every node */
    size_t count;
    bool seen; /* only the edges that gc.get_referents() reports */
};

/* What gc.get_objects() returns, of one interpreter or all; ascending ids. */
struct walk_error *walk_heap_tracked(const struct walk_heap *heap, size_t interpreter, struct walk_ids **ids);

/* The nodes of the part whose type is called `name` (as in walk_heap_find(), "frame" and "thread" too); ascending ids.
 */
struct walk_error *walk_heap_part_find(const struct walk_heap *heap, const struct walk_heap_part *part,
                                       const char *name, struct walk_ids **ids);

/* Adds up the part per type; `totals` has walk_heap_type_count() of them. */
struct walk_error *walk_heap_part_totals(const struct walk_heap *heap, const struct walk_heap_part *part,
                                         struct walk_total *totals);

/*
 * Everything within `generations` edges of any of the `count` nodes at `start` (in any order), these included;
 * ascending ids. A start that is not in the part: NOT_FOUND.
 */
struct walk_error *walk_heap_part_within(const struct walk_heap *heap, const struct walk_heap_part *part,
                                         const walk_id *start, size_t count, enum walk_direction direction,
                                         uint32_t generations, struct walk_ids **ids);

/*
 * The edges of the part, by holder: those of one holder in its order; with `holder` (`referent`) only those from (to)
 * that node, else WALK_NO_ID. The count alone costs no labels.
 */
struct walk_error *walk_heap_part_edges(const struct walk_heap *heap, const struct walk_heap_part *part, walk_id holder,
                                        walk_id referent, struct walk_edges **edges);
struct walk_error *walk_heap_part_edge_count(const struct walk_heap *heap, const struct walk_heap_part *part,
                                             size_t *count);

/* Lists of ascending ids, compared: what is in both; what is in the first only. */
struct walk_error *walk_ids_common(const walk_id *first, size_t first_count, const walk_id *second, size_t second_count,
                                   struct walk_ids **ids);
struct walk_error *walk_ids_without(const walk_id *first, size_t first_count, const walk_id *second,
                                    size_t second_count, struct walk_ids **ids);

/* ---- chains and cycles ------------------------------------------------------------------------------------------ */

enum walk_goal {
    WALK_GOAL_TYPE,   /* an object of a type called `type`, as in walk_heap_find() */
    WALK_GOAL_MODULE, /* a module of sys.modules */
    WALK_GOAL_FRAME,  /* a frame on a thread's stack, or one that a greenlet has put aside */
    WALK_GOAL_NODE,   /* this `node` */
};
struct walk_chain {
    enum walk_direction direction; /* ANCESTORS: objgraph's find_backref_chain; DESCENDANTS: its find_ref_chain */
    enum walk_goal goal;
    const char *type;
    walk_id node;
    uint32_t max_depth;               /* edges; objgraph's default is 20 */
    const char *const *ignored_types; /* never entered; NULL: none */
    size_t ignored_type_count;
    const walk_id *ignored; /* nodes that are never entered, ascending; NULL: none */
    size_t ignored_count;
};

/*
 * The shortest chain of references between `start` and the nearest goal: one path, from who refers down to what is
 * referred to. `start` itself may be the goal: then the path has no edges, and `start` as its root. Stale words of
 * value stacks are followed only when nothing else leads there. Errors: NOT_FOUND when no chain is that short.
 */
struct walk_error *walk_heap_chain(const struct walk_heap *heap, const struct walk_heap_part *part, walk_id start,
                                   const struct walk_chain *chain, struct walk_paths **paths);

/* A shortest path from one node down to another (refcycle's shortest_path); none: NOT_FOUND. */
struct walk_error *walk_heap_path(const struct walk_heap *heap, const struct walk_heap_part *part, walk_id from,
                                  walk_id to, struct walk_paths **paths);

/* A shortest cycle through a node, from itself to itself (refcycle's shortest_cycle); none: NOT_FOUND. */
struct walk_error *walk_heap_cycle(const struct walk_heap *heap, const struct walk_heap_part *part, walk_id id,
                                   struct walk_paths **paths);

/* ---- strongly connected components ------------------------------------------------------------------------------ */

struct walk_component {
    const walk_id *ids; /* ascending */
    size_t count;
    uint64_t size; /* bytes */
    bool cyclic;   /* more than one node, or a node that refers to itself */
    bool source;   /* no other component of the part refers to it */
};
/* Largest first: by count, by size, by lowest id. Free with walk_components_free(). */
struct walk_components {
    size_t count;
    struct walk_component *component;
};
/* With `singletons` also components that are no cycle. */
struct walk_error *walk_heap_components(const struct walk_heap *heap, const struct walk_heap_part *part,
                                        bool singletons, struct walk_components **components);
void walk_components_free(struct walk_components *components);

/* ---- garbage ---------------------------------------------------------------------------------------------------- */

enum walk_garbage_flags {
    WALK_GARBAGE_FINALIZER = 1, /* its type has a tp_finalize (__del__ of a class, also generators, files, sockets) */
    WALK_GARBAGE_FINALIZED = 2, /* and that was called before: it is not called again */
    WALK_GARBAGE_LEGACY = 4,    /* its type has a tp_del: the collector puts it into gc.garbage */
    WALK_GARBAGE_KEPT = 8,      /* a legacy object, or what such objects lead to: the collector leaves it alive */
};

/* What a full collection (gc.collect()) would find unreachable if it ran now. Free with walk_garbage_free(). */
struct walk_garbage {
    size_t count;
    walk_id *id;    /* ascending */
    uint8_t *flags; /* enum walk_garbage_flags of each */
    bool exact;     /* false: references of some objects are guesses, or could not be read */
};
/* Of the collector of one interpreter, or of each. */
struct walk_error *walk_heap_garbage(const struct walk_heap *heap, size_t interpreter, struct walk_garbage **garbage);
void walk_garbage_free(struct walk_garbage *garbage);

/* What is in gc.garbage, of all interpreters; ascending ids. */
struct walk_error *walk_heap_uncollectable(const struct walk_heap *heap, struct walk_ids **ids);

/*
 * Tracked objects that no tracked object refers to, as gc.get_referents() sees it: objgraph's get_leaking_objects().
 * With `any_holder` only those to which nothing known refers at all: no frame, thread or untracked object either.
 * Ascending ids.
 */
struct walk_error *walk_heap_leaks(const struct walk_heap *heap, bool any_holder, struct walk_ids **ids);

/* ---- threads, greenlets and frames ------------------------------------------------------------------------------ */

struct walk_thread {
    walk_id id;
    walk_addr address; /* of the thread state */
    walk_id interpreter;
    uint64_t ident;     /* threading.get_ident(): the pthread_t */
    uint64_t native_id; /* LWP, 0 when unknown */
    const char *name;   /* of the threading.Thread, "" when unknown */
    size_t frame_count;
    const walk_id *frames; /* innermost first */
    bool frames_complete;  /* false: the chain of frames could not be followed to its end */
};
size_t walk_heap_thread_count(const struct walk_heap *heap);
void walk_heap_thread(const struct walk_heap *heap, size_t index, struct walk_thread *thread);

/* A greenlet that is suspended: one that runs, has not begun or has ended has no frames of its own. */
struct walk_greenlet {
    walk_id id;
    size_t frame_count;
    const walk_id *frames; /* innermost first */
    bool frames_complete;  /* false: the chain of frames could not be followed to its end */
};
size_t walk_heap_greenlet_count(const struct walk_heap *heap);
void walk_heap_greenlet(const struct walk_heap *heap, size_t index, struct walk_greenlet *greenlet);

struct walk_frame {
    const char *function; /* co_qualname where there is one (3.11), else co_name */
    const char *file;
    int line; /* as frame.f_lineno; 0 when unknown */
};
/* Errors: IMPLAUSIBLE when the node is no frame. */
struct walk_error *walk_heap_frame(const struct walk_heap *heap, walk_id id, struct walk_frame *frame);
/* The locals that are bound, as edges of the frame; the value of a cell for a cell variable. The label is the bare
 * name. */
struct walk_error *walk_heap_frame_locals(const struct walk_heap *heap, walk_id id, struct walk_edges **locals);

/* ---- growth: a heap against earlier ones ------------------------------------------------------------------------ */

/* What is kept of a heap, to compare a later one with: it needs neither the heap nor its target. */
struct walk_baseline;
struct walk_error *walk_heap_baseline(const struct walk_heap *heap, struct walk_baseline **baseline);
void walk_baseline_free(struct walk_baseline *baseline);

struct walk_growth;

/* Types are matched by name; types of one name count together. Sizes are in bytes. */
struct walk_growth_row {
    const char *type;
    size_t old_objects, objects; /* in the (first) baseline, in the heap */
    uint64_t old_size, size;
    size_t new_objects; /* at whose address the baseline has no object of this type */
    uint64_t new_size;
    size_t instance_dicts; /* of the new dicts: each is the __dict__ of a new object */
    uint64_t instance_dicts_size;
};

/*
 * Compares a heap with `first`: tracked objects, with `everything` all. With `second`, between `first` and the heap,
 * only such objects are new that `second` has and `first` has not. Heap and baselines must stay as long as the growth.
 */
struct walk_error *walk_heap_growth(const struct walk_heap *heap, const struct walk_baseline *first,
                                    const struct walk_baseline *second, bool everything, struct walk_growth **growth);
void walk_growth_free(struct walk_growth *growth);
size_t walk_growth_type_count(const struct walk_growth *growth); /* sorted by name */
void walk_growth_type(const struct walk_growth *growth, size_t index, struct walk_growth_row *row);
/* How many tracked objects of the heap the first baseline has too: few, and it is of another process. */
size_t walk_growth_matched(const struct walk_growth *growth);
/* The new objects of a type, in order of address. */
struct walk_error *walk_growth_new(const struct walk_growth *growth, size_t index, struct walk_ids **ids);

#define WALK_ALL_TYPES UINT32_MAX

/*
 * New objects by what holds them. `long_lived`: the nearest node on the way to them that the baseline has too, or that
 * lives as long as the process (a module, a frame on a stack). `holder`: the nearest node that holds them all: that
 * one, or a new one behind it. Both are WALK_NO_ID where no way leads from there to the objects.
 */
struct walk_growth_holder {
    walk_id holder, long_lived;
    size_t objects; /* new ones that are reached through it */
    uint64_t size;
    uint32_t type; /* of those that it refers to directly: the type with the most behind it; WALK_ALL_TYPES: none */
    size_t direct; /* how many it refers to of this type */
};
struct walk_growth_holders {
    size_t count;
    struct walk_growth_holder *holder; /* the most objects first */
};
/* Of the new objects of one type, or of all. */
struct walk_error *walk_growth_holders(struct walk_growth *growth, uint32_t type, struct walk_growth_holders **holders);
void walk_growth_holders_free(struct walk_growth_holders *holders);

/* ---- layouts ---------------------------------------------------------------------------------------------------- */

/*
 * Writes what is known of the target's interpreter as a row, for layout/rows.inc: the layout, where its state is, its
 * static types by name. Open the target with the layout "dwarf".
 */
struct walk_error *walk_heap_print_row(const struct walk_heap *heap, FILE *out);

/* Writes what each static type offers, as a number, the minor version and its name, for objects/type_names.inc. */
void walk_heap_print_type_names(const struct walk_heap *heap, FILE *out);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
