/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_IMAGE_H
#define WALK_BYTES_IMAGE_H

/*
 * The image of a process: its memory, the files mapped into it, its threads. Where it comes from (core, process,
 * callback) is decided in walk_image_open_*(); nobody behind this header can tell the difference.
 */

#include "bytes/memory.h"

/* One mapping of a file, as NT_FILE or /proc/PID/maps has it. */
struct walk_file_mapping {
    walk_addr start, end;
    uint64_t offset;  /* in the file, bytes */
    const char *path; /* as the target names it */
};

/* An ELF file mapped into the target: the executable or a shared library. */
struct walk_module {
    const char *path;           /* as the target names it */
    char *file;                 /* where it was found on this machine; NULL: not found, or another build */
    walk_addr start, first_end; /* its first mapping */
    walk_addr end;              /* of its memory, .bss included where its first page says how long that is */
    walk_addr bias;             /* address in the target = address in the file + bias */
    bool bias_known;            /* its first page is in the target's memory */
    uint8_t build_id[32];
    size_t build_id_size; /* 0: neither the target's memory says it nor a file that fits */
    char *problem;        /* why `file` is NULL, for people */
};

/* A thread of the operating system. */
struct walk_lwp {
    uint64_t tid;
    uint64_t thread_pointer; /* the register that pthread_self() is read from; 0: unknown */
    walk_addr stack_pointer; /* of a live process, which does not tell the other one; 0: unknown */
};

/* How the collector's objects are looked for. */
enum walk_search { WALK_SEARCH_ANY, WALK_SEARCH_LISTS, WALK_SEARCH_SWEEP, WALK_SEARCH_SUBLISTS };
enum walk_first { WALK_FIRST_ANY, WALK_FIRST_COUNTS, WALK_FIRST_GRAPH };
enum walk_reading { WALK_READING_ANY, WALK_READING_WINDOWS, WALK_READING_MAPPING };

struct walk_image {
    struct walk_memory memory;
    unsigned machine; /* EM_*; 0: unknown */
    struct walk_file_mapping *mappings;
    size_t mapping_count;
    struct walk_module *modules;
    size_t module_count;
    struct walk_lwp *lwps;
    size_t lwp_count;
    char *strings;  /* owns the paths of `mappings` */
    bool truncated; /* the core ends before its last segment does */
    char *sysroot;  /* NULL: / */
    char *executable;
    char *debug_dirs;
    char *layout;              /* walk_options; NULL: all */
    bool guess;                /* walk_options */
    unsigned workers;          /* at least 1 */
    enum walk_search search;   /* walk_options */
    enum walk_first first;     /* walk_options */
    struct walk_stock *stock;  /* of what is made of it; may be NULL */
    enum walk_reading reading; /* walk_options */
    /* The core's file, whose bytes are mapped at `data`; NULL: there is none. */
    struct {
        const uint8_t *data;
        size_t size;
        int fd;
        bool on_disk;    /* not nearly all was in memory when it was asked last (bytes/mapping.c) */
        double entering; /* in readings (bytes/mapping.c); 0: not measured yet */
    } core;
    /* What keeps the bytes: the mapped core and mapped files. */
    struct walk_mapped_file *mapped;
    size_t mapped_count;
    struct walk_process_reader *process;
    struct walk_reader reader;
};

struct walk_error *walk_image_open_core(const char *path, const struct walk_options *options, struct walk_image *image);
struct walk_error *walk_image_open_process(int pid, const struct walk_options *options, struct walk_image *image);
struct walk_error *walk_image_open_reader(const struct walk_reader *reader, const struct walk_options *options,
                                          struct walk_image *image);
void walk_image_close(struct walk_image *image);

/* `id` as hex digits into a buffer of 2 * size + 1 bytes. */
void walk_build_id_format(const uint8_t *id, size_t size, char *hex);

/* ---- for the three kinds of images only ---- */

struct walk_error *walk_image_init(struct walk_image *image, unsigned word, const struct walk_options *options);

/* Maps a whole file read-only. It is unmapped by walk_image_close(). */
struct walk_error *walk_image_map_file(struct walk_image *image, const char *path, const uint8_t **data, size_t *size);

/* The same, of the core: it also stays open. */
struct walk_error *walk_image_map_core(struct walk_image *image, const char *path, const uint8_t **data, size_t *size);

/* Whether bytes are those of the core's file; then `offset` is where they stand in it. */
bool walk_image_in_core(const struct walk_image *image, const uint8_t *data, uint64_t *offset);

/* Reads bytes of the core's file, without the mapping; false: not all of them. */
bool walk_image_read_core(const struct walk_image *image, uint64_t offset, uint8_t *buffer, size_t size);

/*
 * Groups the mappings into modules, finds each module's file and checks its build-id against the one in memory. The
 * memory must be sealed.
 */
struct walk_error *walk_image_find_modules(struct walk_image *image);

/* A part of a module's writable memory that can be viewed. */
struct walk_chunk {
    walk_addr start; /* a multiple of words */
    const uint8_t *view;
    size_t size;
};
/* The next one; `next` begins as 0. */
bool walk_module_next_chunk(struct walk_memory *memory, const struct walk_module *module, size_t *next,
                            struct walk_chunk *chunk);

/*
 * The places on this machine where a file that the target names may be, from 0 on: false after the last one. An empty
 * path: there is no such place here.
 */
bool walk_image_place(const struct walk_image *image, const char *path, bool is_executable, unsigned place,
                      char *buffer, size_t size);

/*
 * Makes the mappings of a target that does not name them: the executable's by the auxiliary vector (`auxv`, `size`
 * bytes, may be none), its libraries' by the dynamic linker's list, those of further ELF files by their headers at
 * `starts`. The memory must be sealed.
 */
struct walk_error *walk_image_infer_mappings(struct walk_image *image, const uint8_t *auxv, size_t size,
                                             const walk_addr *starts, size_t start_count);

/* Adds the bytes of found module files for the mapped ranges that `memory` has no bytes for; seals again. */
struct walk_error *walk_image_back_by_files(struct walk_image *image);

#endif
