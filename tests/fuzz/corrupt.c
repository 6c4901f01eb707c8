/* SPDX-License-Identifier: Apache-2.0 */
/*
 * corrupt CORE RUNS SEED: damages a copy of a core, again and again, and asks everything of it in a child process that
 * must neither crash nor leak, nor run longer than SECONDS, nor need more memory than MEGABYTES.
 *
 * Run i uses the seed SEED + i, so `corrupt CORE 1 S` repeats the run that failed with seed S; with WALK_KEEP=FILE set
 * that run leaves its damaged core there. Build it with the sanitizers (make fuzz-core). The children have walk's
 * options of the environment: WALK_SYSROOT=/nonexistent WALK_LAYOUT=probe for damaged cores without any file.
 *
 * Where the damage goes is learnt from the undamaged core: its objects (every type as likely as every other), what they
 * point to, the collector's heads, threads, frames, interpreters, types, dict keys; now and then any word and the
 * headers and notes of the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "answers/heap.h"
#include "objects/target.h"
#include "workload.h"

enum { SECONDS = 20, MEGABYTES = 3000, PATCHES_MAX = 4096, PATCH_SIZE = 64, SUMMARIES = 64 };

#define EXPORTED __attribute__((visibility("default"))) /* the sanitizers look for them */
EXPORTED const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "exitcode=97:hard_rss_limit_mb=4000:allocator_may_return_null=1:max_allocation_size_mb=3000:"
           "detect_stack_use_after_return=0:quarantine_size_mb=32";
}
EXPORTED const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void) { return "print_stacktrace=1:report_error_type=1"; }

/* ---- the core: a private file, mapped for writing; and what the undamaged one holds ---- */

struct patch {
    uint64_t at;
    unsigned size;
    uint8_t old[PATCH_SIZE];
};

struct subject {
    char path[64];
    uint8_t *bytes;
    size_t size;
    struct walk_target *target; /* of the undamaged core: another file */
    struct walk_heap *heap;
    const uint8_t *original; /* its mapping */
    walk_id *by_type;        /* node ids, sorted by type */
    uint32_t *type_start;
    uint32_t type_count;
    walk_id *by_kind;
    uint32_t kind_start[WALK_KIND_COUNT + 1];
    struct patch patch[PATCHES_MAX];
    size_t patch_count;
    bool spare_state; /* in this run the interpreter's own state stays: damage there mostly ends at the open */
};

static void die(const char *what)
{
    fprintf(stderr, "corrupt: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void die_of(struct walk_error *error)
{
    if (!error)
        return;
    fprintf(stderr, "corrupt: %s\n", walk_error_message(error));
    exit(2);
}

static void copy_core(struct subject *subject, const char *path)
{
    int from = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (from < 0 || fstat(from, &status) < 0)
        die(path);
    snprintf(subject->path, sizeof subject->path, "/dev/shm/walk-corrupt-XXXXXX");
    int to = mkostemp(subject->path, O_CLOEXEC);
    subject->size = (size_t)status.st_size;
    if (to < 0 || ftruncate(to, status.st_size) < 0)
        die(subject->path);
    subject->bytes = mmap(NULL, subject->size, PROT_READ | PROT_WRITE, MAP_SHARED, to, 0);
    if (subject->bytes == MAP_FAILED)
        die(subject->path);
    for (size_t done = 0; done < subject->size;) {
        ssize_t got = pread(from, subject->bytes + done, subject->size - done, (off_t)done);
        if (got <= 0)
            die(path);
        done += (size_t)got;
    }
    close(from);
    close(to);
}

/* Counting sort of the nodes; start[c] .. start[c + 1] are those of class c. */
static walk_id *sort_nodes(const struct subject *subject, uint32_t (*class_of)(const struct walk_heap *, walk_id),
                           uint32_t *start, size_t classes)
{
    walk_id nodes = subject->heap->graph.node_count;
    walk_id *sorted = calloc((size_t)nodes + 1, sizeof *sorted);
    uint32_t *next = malloc((classes + 1) * sizeof *next);
    if (!sorted || !next)
        die("memory");
    for (walk_id id = 0; id < nodes; id++)
        start[class_of(subject->heap, id) + 1]++;
    for (size_t i = 1; i <= classes; i++)
        start[i] += start[i - 1];
    memcpy(next, start, (classes + 1) * sizeof *next);
    for (walk_id id = 0; id < nodes; id++)
        sorted[next[class_of(subject->heap, id)]++] = id;
    free(next);
    return sorted;
}

static uint32_t type_of(const struct walk_heap *heap, walk_id id) { return heap->graph.class[id]; }

static uint32_t kind_of(const struct walk_heap *heap, walk_id id)
{
    return walk_node_kind(heap, id) == WALK_OBJECT ? heap->python->types[heap->graph.class[id]].kind : WALK_KIND_NONE;
}

static void sort_all(struct subject *subject)
{
    subject->type_count = subject->heap->type_count;
    subject->type_start = calloc((size_t)subject->type_count + 1, sizeof *subject->type_start);
    if (!subject->type_start)
        die("memory");
    subject->by_type = sort_nodes(subject, type_of, subject->type_start, subject->type_count);
    subject->by_kind = sort_nodes(subject, kind_of, subject->kind_start, WALK_KIND_COUNT);
}

/* The bytes of a core are at the mapping of the file, so a view tells the offset in the file. */
static bool in_file(const struct subject *subject, walk_addr address, uint64_t *offset)
{
    const uint8_t *view = walk_memory_view(&subject->target->image.memory, address, 8);
    if (!view || view < subject->original || view >= subject->original + subject->size - 8)
        return false;
    *offset = (uint64_t)(view - subject->original);
    return true;
}

/* A segment's view less its offset in the file is where the file is mapped. */
static void find_mapping(struct subject *subject)
{
    Elf *elf = elf_memory((char *)subject->bytes, subject->size);
    GElf_Phdr header;
    for (int i = 0; !subject->original && gelf_getphdr(elf, i, &header); i++)
        if (header.p_type == PT_LOAD && header.p_filesz >= 4096)
            subject->original =
                walk_memory_view(&subject->target->image.memory, header.p_vaddr, 4096) - header.p_offset;
    elf_end(elf);
    if (!subject->original)
        die("no segment of the core was found in it");
}

static void open_subject(struct subject *subject, const char *path)
{
    copy_core(subject, path);
    die_of(walk_target_open_core(path, NULL, &subject->target));
    die_of(walk_heap_build(subject->target, NULL, NULL, &subject->heap));
    sort_all(subject);
    find_mapping(subject);
}

/* ---- damage ---- */

static walk_addr any_node(const struct subject *subject, struct rng *rng)
{
    const struct walk_graph *graph = &subject->heap->graph;
    if (rng_below(rng, 4) == 0)
        return walk_graph_key(graph, rng_below(rng, graph->node_count));
    uint32_t type = (uint32_t)rng_below(rng, subject->type_count), first = subject->type_start[type];
    uint32_t count = subject->type_start[type + 1] - first;
    return walk_graph_key(graph, count ? subject->by_type[first + rng_below(rng, count)] : 0);
}

static walk_addr any_type(const struct subject *subject, struct rng *rng)
{
    return subject->heap->python->types[rng_below(rng, subject->type_count)].address;
}

static walk_addr state_of(const struct subject *subject, struct rng *rng)
{
    const struct walk_python *python = subject->heap->python;
    const struct walk_layout *layout = python->layout;
    switch (rng_below(rng, 5)) {
    case 0:
        return python->runtime->runtime + rng_below(rng, 4096) / 8 * 8;
    case 1:
        return walk_python_main(python) + rng_below(rng, WALK_SIZE(layout, interp)) / 8 * 8;
    case 2:
        return python->threads[rng_below(rng, python->thread_count)].address +
               rng_below(rng, WALK_SIZE(layout, thread)) / 8 * 8;
    case 3: {
        walk_addr gc = WALK_HAS(layout, interp, gc) ? walk_python_main(python) + WALK_OFFSET(layout, interp, gc)
                                                    : python->runtime->runtime + WALK_OFFSET(layout, runtime, gc);
        return gc + WALK_OFFSET(layout, gc, generations) + rng_below(rng, 10) * 8;
    }
    default:
        return python->stack_frame_count
                   ? python->stack_frames[rng_below(rng, python->stack_frame_count)].iframe + rng_below(rng, 16) * 8
                   : walk_python_main(python);
    }
}

/* Where one damage goes, and the addresses on the way there: pointing back to one of them makes a circle. */
struct spot {
    walk_addr at, way[8];
    size_t steps;
};

/* A word that matters: of an object, of its type, of the collector's head, of what a pointer in it leads to. */
static walk_addr find_spot(const struct subject *subject, struct rng *rng, struct spot *spot)
{
    struct walk_memory *memory = &subject->target->image.memory;
    const struct walk_segment *segment = &memory->segments[rng_below(rng, memory->count)];
    walk_addr at = any_node(subject, rng);
    switch (rng_below(rng, subject->spare_state ? 256 : 16)) {
    case 0:
        return segment->start + rng_below(rng, segment->end - segment->start);
    case 1:
    case 2:
        return state_of(subject, rng);
    case 3:
    case 4:
        return any_type(subject, rng) + rng_below(rng, 60) * 8;
    case 5:
    case 20:
        return at - 8 - rng_below(rng, 4) * 8;
    default:
        break;
    }
    spot->way[spot->steps++] = at;
    for (uint64_t hops = rng_below(rng, 5); hops; hops--) {
        uint64_t next;
        if (walk_memory_word(memory, at + rng_below(rng, 12) * 8, &next) && walk_memory_segment(memory, next))
            spot->way[spot->steps++] = at = next;
    }
    return at + rng_below(rng, rng_below(rng, 4) ? 12 : 64) * 8;
}

static struct spot any_spot(const struct subject *subject, struct rng *rng)
{
    struct spot spot = {0};
    spot.at = find_spot(subject, rng, &spot);
    return spot;
}

static uint64_t any_value(const struct subject *subject, struct rng *rng, const struct spot *spot, uint64_t old)
{
    static const uint64_t huge[] = {
        0,           1,           2,           (uint64_t)-1, INT64_MAX,           UINT64_C(1) << 63, UINT64_C(1) << 62,
        1ull << 61,  1ull << 48,  1ull << 40,  1ull << 39,   (1ull << 40) - 1,    1ull << 32,        (1ull << 32) - 1,
        1ull << 31,  INT32_MAX,   1ull << 30,  1ull << 24,   (1ull << 24) - 1,    1ull << 20,        1ull << 16,
        65535,       4096,        255,         127,          (uint64_t)INT32_MIN, (uint64_t)-8,      (uint64_t)-4096,
        0x100000001, 0x8000000ff, 0xff00000001};
    switch (rng_below(rng, 12)) {
    case 10:
    case 11:
        return spot->steps ? spot->way[rng_below(rng, spot->steps)] : spot->at;
    case 0:
    case 1:
        return any_node(subject, rng);
    case 2:
        return any_node(subject, rng) + rng_below(rng, 17);
    case 3:
        return spot->at + rng_below(rng, 16) * 8 - 64;
    case 4:
    case 5:
        return huge[rng_below(rng, sizeof huge / sizeof *huge)];
    case 6:
        return old + rng_below(rng, 33) - 16;
    case 7:
        return old ^ UINT64_C(1) << rng_below(rng, 64);
    case 8:
        return rng_next(rng) >> rng_below(rng, 64);
    default:
        return any_type(subject, rng);
    }
}

static void write_patch(struct subject *subject, uint64_t at, const void *bytes, unsigned size)
{
    if (subject->patch_count == PATCHES_MAX || at > subject->size || size > subject->size - at)
        return;
    struct patch *patch = &subject->patch[subject->patch_count++];
    patch->at = at;
    patch->size = size;
    memcpy(patch->old, subject->bytes + at, size);
    memmove(subject->bytes + at, bytes, size);
}

static void damage_file_head(struct subject *subject, struct rng *rng)
{
    uint64_t at = rng_below(rng, rng_below(rng, 2) ? 1024 : 65536);
    uint64_t value = rng_below(rng, 2) ? rng_next(rng) >> rng_below(rng, 64) : rng_below(rng, 2) ? 0 : (uint64_t)-1;
    write_patch(subject, at, &value, 1u << rng_below(rng, 4));
}

/* What the proof of the layout looks at: most runs spare it, to get beyond the open. */
static bool is_proof(const struct subject *subject, walk_addr spot)
{
    static const char *const symbols[] = {"PyType_Type",  "PyDict_Type",   "PyList_Type",    "PySet_Type",
                                          "PyFloat_Type", "PyModule_Type", "PyUnicode_Type", "PyBaseObject_Type"};
    const struct walk_python *python = subject->heap->python;
    walk_addr sysdict = WALK_MEMBER(python, walk_python_main(python), interp, sysdict);
    if (spot - sysdict < 64 || spot - WALK_MEMBER(python, sysdict, dict, ma_keys) < 4096)
        return true;
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        walk_addr type = walk_symbols_find(&python->runtime->symbols, symbols[i]);
        if (spot - type < WALK_SIZE(python->layout, type))
            return true;
    }
    return false;
}

static void damage_one(struct subject *subject, struct rng *rng)
{
    uint64_t at, from, old;
    struct spot spot = any_spot(subject, rng);
    if (subject->spare_state && is_proof(subject, spot.at))
        return;
    if (!in_file(subject, spot.at, &at))
        return;
    memcpy(&old, subject->bytes + at, sizeof old);
    uint64_t value = any_value(subject, rng, &spot, old);
    if (rng_below(rng, 24) == 0 && in_file(subject, any_spot(subject, rng).at, &from) &&
        from + PATCH_SIZE <= subject->size)
        write_patch(subject, at, subject->bytes + from, 8u << rng_below(rng, 4));
    else if (rng_below(rng, 8) == 0)
        write_patch(subject, at + rng_below(rng, 8), &value, 1u << rng_below(rng, 3));
    else
        write_patch(subject, at, &value, 8);
}

/*
 * The same damage to many objects of one kind: along the same words, with the same sort of value. What only a certain
 * word of a certain kind can do is found sooner this way.
 */
static void damage_kind(struct subject *subject, struct rng *rng)
{
    struct walk_memory *memory = &subject->target->image.memory;
    uint32_t kind = 0, first = 0, count = 0;
    for (int i = 0; i < 100 && !count; i++) {
        kind = (uint32_t)rng_below(rng, WALK_KIND_COUNT);
        first = subject->kind_start[kind];
        count = subject->kind_start[kind + 1] - first;
    }
    uint64_t hops = rng_below(rng, 3), word[3], seed = rng_next(rng);
    for (int i = 0; i < 3; i++)
        word[i] = rng_below(rng, 3) ? 2 + rng_below(rng, 5) : rng_below(rng, 24) - 4;
    for (uint64_t n = 1 + rng_below(rng, 64); n && count; n--) {
        struct spot spot = {.at =
                                walk_graph_key(&subject->heap->graph, subject->by_kind[first + rng_below(rng, count)])};
        struct rng again = {seed + rng_below(rng, 2)};
        uint64_t next, at, old;
        for (uint64_t hop = 0; hop < hops; hop++) {
            spot.way[spot.steps++] = spot.at;
            if (walk_memory_word(memory, spot.at + word[hop] * 8, &next) && walk_memory_segment(memory, next))
                spot.at = next;
        }
        spot.way[spot.steps++] = spot.at;
        spot.at += word[2] * 8;
        if (!in_file(subject, spot.at, &at) || is_proof(subject, spot.at))
            continue;
        memcpy(&old, subject->bytes + at, sizeof old);
        uint64_t value = any_value(subject, &again, &spot, old);
        write_patch(subject, at, &value, 8);
    }
}

static void damage(struct subject *subject, struct rng *rng)
{
    static const uint64_t most[] = {4, 30, 300, 3000};
    uint64_t count = 1 + rng_below(rng, most[rng_below(rng, 4)]);
    subject->patch_count = 0;
    subject->spare_state = rng_below(rng, 4) != 0;
    if (rng_below(rng, 3)) {
        count = rng_below(rng, 4);
        for (uint64_t i = 1 + rng_below(rng, 8); i; i--)
            damage_kind(subject, rng);
    }
    for (uint64_t i = 0; i < count; i++)
        damage_one(subject, rng);
    if (rng_below(rng, 25) == 0)
        damage_file_head(subject, rng);
}

static void repair(struct subject *subject)
{
    while (subject->patch_count) {
        const struct patch *patch = &subject->patch[--subject->patch_count];
        memcpy(subject->bytes + patch->at, patch->old, patch->size);
    }
}

/* ---- runs ---- */

struct tally {
    uint64_t answered, refused, failed;
    double slowest;
    uint64_t slowest_seed;
    long largest; /* kilobytes */
    uint64_t largest_seed;
    struct {
        char text[160];
        uint64_t count, seed;
    } summary[SUMMARIES];
    size_t summary_count;
};

/* The first line that says what happened. */
static void find_summary(int log, char *text, size_t size)
{
    char buffer[65536];
    ssize_t got = pread(log, buffer, sizeof buffer - 1, 0);
    buffer[got > 0 ? got : 0] = '\0';
    const char *found = strstr(buffer, "runtime error:");
    if (!found)
        found = strstr(buffer, "SUMMARY:");
    if (!found)
        found = buffer;
    const char *start = found;
    while (start > buffer && start[-1] != '\n')
        start--;
    snprintf(text, size, "%.*s", (int)strcspn(start, "\n"), start);
}

static void note(struct tally *tally, const char *text, uint64_t seed)
{
    size_t i = 0;
    tally->failed++;
    while (i < tally->summary_count && strcmp(tally->summary[i].text, text) != 0)
        i++;
    if (i == SUMMARIES)
        return;
    if (i == tally->summary_count) {
        tally->summary_count++;
        snprintf(tally->summary[i].text, sizeof tally->summary[i].text, "%s", text);
        tally->summary[i].seed = seed;
        printf("seed %" PRIu64 ": %s\n", seed, text);
        fflush(stdout);
    }
    tally->summary[i].count++;
}

static void keep_damaged(const struct subject *subject)
{
    const char *path = getenv("WALK_KEEP");
    FILE *file = path ? fopen(path, "we") : NULL;
    if (!file)
        return;
    fwrite(subject->bytes, 1, subject->size, file);
    fclose(file);
}

static void run(struct subject *subject, uint64_t seed, int log, struct tally *tally)
{
    struct rng rng = {seed * UINT64_C(0x100000001b3)};
    struct timespec start, end;
    damage(subject, &rng);
    keep_damaged(subject);
    if (ftruncate(log, 0) < 0)
        die("log");
    clock_gettime(CLOCK_MONOTONIC, &start);
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        dup2(log, STDERR_FILENO);
        lseek(STDERR_FILENO, 0, SEEK_SET);
        alarm(SECONDS);
        exit(workload(subject->path, &rng));
    }
    int status;
    struct rusage usage;
    if (wait4(child, &status, 0, &usage) < 0)
        die("wait");
    clock_gettime(CLOCK_MONOTONIC, &end);
    repair(subject);
    double seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    if (seconds > tally->slowest) {
        tally->slowest = seconds;
        tally->slowest_seed = seed;
    }
    if (usage.ru_maxrss > tally->largest) {
        tally->largest = usage.ru_maxrss;
        tally->largest_seed = seed;
    }
    char text[160];
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        note(tally, "ran longer than the limit", seed);
    } else if (WIFSIGNALED(status)) {
        snprintf(text, sizeof text, "killed by signal %d", WTERMSIG(status));
        note(tally, text, seed);
    } else if (WEXITSTATUS(status) > WORKLOAD_REFUSED) {
        find_summary(log, text, sizeof text);
        note(tally, text, seed);
    } else if (usage.ru_maxrss > (long)MEGABYTES * 1024) {
        note(tally, "needed more memory than the limit", seed);
    } else if (WEXITSTATUS(status) == WORKLOAD_REFUSED) {
        tally->refused++;
    } else {
        tally->answered++;
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: corrupt CORE RUNS SEED\n");
        return 2;
    }
    static struct subject subject;
    static struct tally tally;
    uint64_t runs = strtoull(argv[2], NULL, 10), seed = strtoull(argv[3], NULL, 10);
    open_subject(&subject, argv[1]);
    FILE *log = tmpfile();
    if (!log)
        die("log");
    for (uint64_t i = 0; i < runs; i++)
        run(&subject, seed + i, fileno(log), &tally);
    if (runs == 1 && tally.failed) {
        char line[4096];
        rewind(log);
        while (fgets(line, sizeof line, log))
            fputs(line, stdout);
    }
    unlink(subject.path);
    printf("%s: %" PRIu64 " runs: %" PRIu64 " answered, %" PRIu64 " refused, %" PRIu64 " failed; slowest %.1f s (seed "
           "%" PRIu64 "), largest %ld MB (seed %" PRIu64 ")\n",
           argv[1], runs, tally.answered, tally.refused, tally.failed, tally.slowest, tally.slowest_seed,
           tally.largest / 1024, tally.largest_seed);
    for (size_t i = 0; i < tally.summary_count; i++)
        printf("  %6" PRIu64 " times, first with seed %" PRIu64 ": %s\n", tally.summary[i].count, tally.summary[i].seed,
               tally.summary[i].text);
    fclose(log);
    free(subject.by_type);
    free(subject.by_kind);
    free(subject.type_start);
    walk_heap_destroy(subject.heap);
    walk_target_close(subject.target);
    return tally.failed != 0;
}
