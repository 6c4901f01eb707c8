/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector's lists, followed in a table. Who follows them in the memory waits for each object's bytes before it is
 * known where the next one is. So all memory is read once, in order of address and by several threads, and of
 * everything that looks like an object on a list two things are noted: where its link leads, and its ob_type. The lists
 * are then followed in these notes.
 *
 * What was noted too much does no harm, since no list leads there. If a list leads to what was not noted, or to the
 * same place twice, nothing is believed, and the lists are followed in the memory: so the result is always the same.
 */
#include <stdlib.h>

#include "bytes/large.h"
#include "bytes/stream.h"
#include "bytes/workers.h"
#include "objects/header.h"
#include "objects/tracked.h"

/* _gc_next and _gc_prev keep flags in their low bits. */
#define LINK_MASK (~(uint64_t)3)
/* What a link leads to: a place (later the number of a note), the head of a list, or nothing that is known. */
enum { HEADS_MAX = 1 << 8, LISTS = 4 /* of an interpreter */ };
#define NOWHERE UINT32_MAX
#define FIRST_HEAD (UINT32_MAX - HEADS_MAX)

/* The notes of one span. */
struct part {
    uint32_t *link;        /* places; in a page of its worker, as is `type`; then `class` */
    walk_addr *type;       /* ob_type */
    uint32_t *class;       /* of what is on a list: its worker's number */
    uint32_t count, first; /* `first`: how many are in front of the span */
    unsigned worker;       /* who numbered their classes */
    size_t *to;            /* of each owner: how many of its objects are here; then: where they go */
};

/* Where a worker notes. */
struct page {
    struct page *before;
    uint8_t *bytes; /* PAGE of them */
    size_t used;
};
enum { PAGE = 8 << 20 };

struct worker {
    uint8_t *buffer;
    struct page *page;           /* the last one */
    struct walk_classes classes; /* of the objects on lists */
    uint32_t *number;            /* of its classes among those of all workers */
    size_t next_hint, prev_hint;
    bool failed;
};

struct sweep {
    struct walk_python *python;
    struct walk_stream stream;
    unsigned granule;          /* bytes */
    walk_addr lowest, highest; /* of all stretches */
    size_t needed;             /* bytes from a head to the end of what is looked at */
    struct walk_collector *collectors;
    size_t collector_count, owner_count;
    walk_addr first_head, last_head; /* by address */
    uint64_t *bits;                  /* per place: whether there is a note of it */
    uint16_t *before;                /* behind them, per word of them: how many are in front of it in its span */
    struct part *parts;              /* per span */
    size_t *to;                      /* of all parts */
    struct worker *workers;
    unsigned worker_count;
    uint32_t count; /* of all notes */
    uint32_t *next; /* by number, which is by address; `owner` is behind them */
    uint8_t *owner; /* 0: on no list; else 1 + the collector's, the last one: the permanent lists' */
};

/* ---- heads of lists ---- */

static walk_addr head_at(const struct sweep *sweep, size_t head)
{
    const struct walk_collector *collector = &sweep->collectors[head / LISTS];
    return head % LISTS < 3 ? collector->generation[head % LISTS] : collector->permanent;
}

/* NOWHERE: it is none. */
static uint32_t find_head(const struct sweep *sweep, walk_addr address)
{
    if (address < sweep->first_head || address > sweep->last_head)
        return NOWHERE;
    for (size_t i = 0; i < sweep->collector_count * LISTS; i++)
        if (head_at(sweep, i) == address)
            return FIRST_HEAD + (uint32_t)i;
    return NOWHERE;
}

/* False: the lists are not what they are at other times, or there are too many. */
static bool read_heads(struct sweep *sweep)
{
    struct walk_python *python = sweep->python;
    bool shared = walk_runtime_shares_collector(python->runtime);
    sweep->collector_count = shared ? 1 : python->interpreter_count;
    sweep->owner_count = sweep->collector_count + 2;
    if (sweep->collector_count * LISTS >= HEADS_MAX ||
        !(sweep->collectors = calloc(sweep->collector_count, sizeof *sweep->collectors)))
        return false;
    for (size_t i = 0; i < sweep->collector_count; i++) {
        walk_runtime_collector(python->runtime, python->interpreters[i].address, &sweep->collectors[i]);
        if (sweep->collectors[i].collecting)
            return false;
    }
    sweep->first_head = UINT64_MAX;
    for (size_t i = 0; i < sweep->collector_count * LISTS; i++) {
        walk_addr head = head_at(sweep, i);
        if (head && head < sweep->first_head)
            sweep->first_head = head;
        if (head > sweep->last_head)
            sweep->last_head = head;
    }
    return true;
}

/* ---- what is in a span ---- */

static uint32_t place_of(const struct sweep *sweep, walk_addr address, size_t *hint)
{
    uint32_t head = find_head(sweep, address);
    if (head != NOWHERE)
        return head;
    const struct walk_stretch *stretch = walk_stream_stretch(&sweep->stream, address, hint);
    return stretch && !(address & (sweep->granule - 1)) ? walk_stream_place(&sweep->stream, stretch, address) : NOWHERE;
}

/* Where the words stand that are looked at, from a head on. */
struct places {
    uint32_t next, prev, count, type;
};

/*
 * Whether a head with an object behind it may begin at `view`: four words, each of which rules most memory out, and
 * which does so cannot be foreseen. So all are looked at, and one branch is taken.
 */
static inline bool may_begin(const struct sweep *sweep, const uint8_t *view, struct places at, unsigned word)
{
    const walk_addr low = sweep->lowest, size = sweep->highest - low;
    walk_addr next = walk_load_word(word, view + at.next) & LINK_MASK;
    walk_addr prev = walk_load_word(word, view + at.prev) & LINK_MASK;
    walk_addr type = walk_load_word(word, view + at.type);
    uint64_t count = walk_load_word(word, view + at.count);
    return (next - low < size) & (prev - low < size) & (type - low < size) & (count != 0);
}

/* Whether a list may lead to it: if so, it is the next note. */
static bool looks_tracked(const struct sweep *sweep, struct worker *worker, struct part *part, const uint8_t *view,
                          struct places at)
{
    const struct walk_layout *layout = sweep->python->layout;
    unsigned word = sweep->python->word;
    walk_addr type = walk_load_word(word, view + at.type);
    if ((type & (word - 1)) || !walk_header_plausible(sweep->python, view + WALK_SIZE(layout, gc_head)))
        return false;
    if (WALK_HAS(layout, gc_head, refs) && walk_header_refs_in(sweep->python, view) != WALK_REFS_REACHABLE)
        return false;
    walk_addr next = walk_load_word(word, view + at.next) & LINK_MASK;
    walk_addr prev = walk_load_word(word, view + at.prev) & LINK_MASK;
    part->link[part->count] = place_of(sweep, next, &worker->next_hint);
    part->type[part->count] = type;
    return part->link[part->count] != NOWHERE && place_of(sweep, prev, &worker->prev_hint) != NOWHERE;
}

static inline __attribute__((always_inline)) void look_through(const struct sweep *sweep, struct worker *worker,
                                                               struct part *part, const uint8_t *bytes, size_t size,
                                                               uint64_t *bits, unsigned word)
{
    const struct walk_layout *layout = sweep->python->layout;
    const uint32_t object = WALK_SIZE(layout, gc_head);
    const struct places places = {WALK_OFFSET(layout, gc_head, next), WALK_OFFSET(layout, gc_head, prev),
                                  object + WALK_OFFSET(layout, object, ob_refcnt),
                                  object + WALK_OFFSET(layout, object, ob_type)};
    unsigned granule_bits = sweep->stream.granule_bits;
    for (size_t at = 0; at < size; at += sweep->granule) {
        if (!may_begin(sweep, bytes + at, places, word) || !looks_tracked(sweep, worker, part, bytes + at, places))
            continue;
        bits[at >> granule_bits >> 6] |= UINT64_C(1) << (at >> granule_bits) % 64;
        part->count++;
    }
}

/* The bits of a word that are set. */
static inline unsigned population(uint64_t word)
{
    word -= word >> 1 & 0x5555555555555555u;
    word = (word & 0x3333333333333333u) + (word >> 2 & 0x3333333333333333u);
    word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (unsigned)(word * 0x0101010101010101u >> 56);
}

static size_t words_of_span(const struct sweep *sweep) { return (size_t)1 << (sweep->stream.place_bits - 6); }

static void count_before(const struct sweep *sweep, size_t span)
{
    size_t first = span * words_of_span(sweep);
    unsigned count = 0;
    for (size_t i = first; i < first + words_of_span(sweep); i++) {
        sweep->before[i] = (uint16_t)count;
        count += population(sweep->bits[i]);
    }
}

/* Room for as many notes as a span can need: there may be one per place, and one that is begun. False: out of memory.
 */
static bool begin_notes(const struct sweep *sweep, struct worker *worker, struct part *part)
{
    size_t notes = ((size_t)1 << sweep->stream.place_bits) + 1,
           size = notes * (sizeof *part->type + sizeof *part->link);
    if (!worker->page || PAGE - worker->page->used < size) {
        struct page *page = calloc(1, sizeof *page);
        if (!page || !(page->bytes = walk_large_alloc(PAGE, 1))) {
            free(page);
            return false;
        }
        page->before = worker->page;
        worker->page = page;
    }
    part->type = (walk_addr *)(void *)(worker->page->bytes + worker->page->used);
    part->link = (uint32_t *)(part->type + notes);
    return true;
}

/* Only what was noted stays: the links move up behind the types. */
static void end_notes(struct worker *worker, struct part *part)
{
    uint32_t *link = (uint32_t *)(part->type + part->count);
    memmove(link, part->link, part->count * sizeof *link);
    part->link = link;
    worker->page->used += (part->count * (sizeof *part->type + sizeof *link) + 7) / 8 * 8;
}

static void look(void *context, size_t span, unsigned number)
{
    struct sweep *sweep = context;
    struct worker *worker = &sweep->workers[number];
    struct part *part = &sweep->parts[span];
    uint64_t *bits = sweep->bits + span * words_of_span(sweep);
    size_t got, size;
    const uint8_t *bytes =
        worker->failed ? NULL : walk_stream_read(&sweep->stream, span, sweep->needed, worker->buffer, &got);
    if (!bytes || !begin_notes(sweep, worker, part)) {
        worker->failed = true;
        return;
    }
    size = got < sweep->needed ? 0 : got - sweep->needed + 1;
    if (size > sweep->stream.spans[span].size)
        size = sweep->stream.spans[span].size;
    if (sweep->python->word == 8)
        look_through(sweep, worker, part, bytes, size, bits, 8);
    else
        look_through(sweep, worker, part, bytes, size, bits, 4);
    end_notes(worker, part);
    count_before(sweep, span);
}

/* ---- from places to numbers ---- */

/* NOWHERE: there is no note of it. */
static inline uint32_t number_of(const struct sweep *sweep, uint32_t link)
{
    if (link >= FIRST_HEAD)
        return link;
    uint64_t word = sweep->bits[link / 64], bit = UINT64_C(1) << link % 64;
    if (!(word & bit))
        return NOWHERE;
    return sweep->parts[walk_stream_span(&sweep->stream, link)].first + sweep->before[link / 64] +
           population(word & (bit - 1));
}

static void number_part(void *context, size_t span, unsigned worker)
{
    struct sweep *sweep = context;
    const struct part *part = &sweep->parts[span];
    (void)worker;
    for (uint32_t i = 0; i < part->count; i++)
        sweep->next[part->first + i] = number_of(sweep, part->link[i]);
}

static bool number_all(struct sweep *sweep)
{
    uint64_t count = 0;
    for (unsigned w = 0; w < sweep->worker_count; w++)
        if (sweep->workers[w].failed)
            return false;
    for (size_t i = 0; i < sweep->stream.span_count; i++) {
        sweep->parts[i].first = (uint32_t)count;
        count += sweep->parts[i].count;
    }
    if (count >= FIRST_HEAD)
        return false;
    sweep->count = (uint32_t)count;
    sweep->next = walk_large_alloc(count + 1, sizeof *sweep->next + sizeof *sweep->owner);
    if (!sweep->next)
        return false;
    sweep->owner = (uint8_t *)(sweep->next + count + 1);
    memset(sweep->owner, 0, count + 1);
    walk_workers_run(sweep->worker_count, sweep->stream.span_count, number_part, sweep);
    return true;
}

/* ---- the lists ---- */

/* False: it leads to what there is no note of, or where a list was before. */
static bool follow(const struct sweep *sweep, size_t head, uint8_t owner)
{
    walk_addr address = head_at(sweep, head);
    uint64_t next;
    size_t hint = 0;
    if (!address)
        return true; /* 3.6 has no permanent one */
    if (!walk_memory_word(sweep->python->memory, address + WALK_OFFSET(sweep->python->layout, gc_head, next), &next))
        return false;
    uint32_t at = number_of(sweep, place_of(sweep, next & LINK_MASK, &hint));
    for (; at < sweep->count; at = sweep->next[at]) {
        if (sweep->owner[at])
            return false;
        sweep->owner[at] = owner;
    }
    return at == find_head(sweep, address);
}

static bool follow_all(const struct sweep *sweep)
{
    bool good = true;
    for (size_t head = 0; head < sweep->collector_count * LISTS && good; head++)
        good = follow(sweep, head, (uint8_t)(head % LISTS < 3 ? 1 + head / LISTS : 1 + sweep->collector_count));
    return good;
}

/* ---- what is on lists: its classes ---- */

static void classify_part(void *context, size_t span, unsigned number)
{
    struct sweep *sweep = context;
    struct worker *worker = &sweep->workers[number];
    struct part *part = &sweep->parts[span];
    part->worker = number;
    part->class = part->link; /* which `next` has taken over */
    for (uint32_t i = 0; i < part->count && !worker->failed; i++) {
        uint8_t owner = sweep->owner[part->first + i];
        if (!owner)
            continue;
        part->to[owner]++;
        worker->failed = !walk_classes_enter(&worker->classes, part->type[i], &part->class[i]);
        if (!worker->failed)
            worker->classes.class[part->class[i]].count++;
    }
}

static int by_type(const void *a, const void *b)
{
    const struct walk_class *x = a, *y = b;
    return (x->type > y->type) - (x->type < y->type);
}

/* All that any worker met, in order of address: who met which first is not to be seen in them. */
static bool collect_classes(const struct sweep *sweep, struct walk_classes *all)
{
    struct walk_classes met = {0};
    uint32_t number;
    bool good = true;
    for (unsigned w = 0; w < sweep->worker_count && good; w++)
        for (uint32_t i = 0; i < sweep->workers[w].classes.count && good; i++)
            good = walk_classes_enter(&met, sweep->workers[w].classes.class[i].type, &number);
    if (met.count)
        qsort(met.class, met.count, sizeof *met.class, by_type);
    for (uint32_t i = 0; i < met.count && good; i++)
        good = walk_classes_enter(all, met.class[i].type, &number);
    walk_classes_deinit(&met);
    return good;
}

static bool number_classes(struct worker *worker, struct walk_classes *all)
{
    bool good = !worker->failed && (worker->number = calloc(worker->classes.count + 1, sizeof *worker->number));
    for (uint32_t i = 0; i < worker->classes.count && good; i++) {
        const struct walk_class *class = &worker->classes.class[i];
        good = walk_classes_enter(all, class->type, &worker->number[i]);
        if (good)
            all->class[worker->number[i]].count += class->count;
    }
    return good;
}

static bool classify(struct sweep *sweep)
{
    sweep->to = calloc(sweep->stream.span_count * sweep->owner_count, sizeof *sweep->to);
    if (!sweep->to)
        return false;
    for (size_t span = 0; span < sweep->stream.span_count; span++)
        sweep->parts[span].to = sweep->to + span * sweep->owner_count;
    walk_workers_run(sweep->worker_count, sweep->stream.span_count, classify_part, sweep);
    bool good = collect_classes(sweep, &sweep->python->classes);
    for (unsigned w = 0; w < sweep->worker_count && good; w++)
        good = number_classes(&sweep->workers[w], &sweep->python->classes);
    return good;
}

/* ---- the result ---- */

/* Where each owner's objects go; sets what interpreters have of them. */
static void lay_out(struct sweep *sweep)
{
    struct walk_python *python = sweep->python;
    bool shared = sweep->collector_count < python->interpreter_count;
    size_t sum = 0, first = 0;
    for (size_t owner = 1; owner < sweep->owner_count; owner++) {
        first = sum;
        for (size_t span = 0; span < sweep->stream.span_count; span++) {
            size_t count = sweep->parts[span].to[owner];
            sweep->parts[span].to[owner] = sum;
            sum += count;
        }
        if (owner > sweep->collector_count)
            break;
        python->interpreters[owner - 1].first_tracked = first;
        python->interpreters[owner - 1].tracked_count = shared ? 0 : sum - first;
    }
    python->tracked_count = sum;
    python->permanent_count = sum - first;
}

static void take_part(void *context, size_t span, unsigned worker)
{
    const struct sweep *sweep = context;
    struct walk_python *python = sweep->python;
    const struct part *part = &sweep->parts[span];
    const uint32_t *class = sweep->workers[part->worker].number;
    uint32_t head = WALK_SIZE(python->layout, gc_head), number = part->first;
    size_t first = span * words_of_span(sweep);
    (void)worker;
    for (size_t word = first; word < first + words_of_span(sweep); word++) {
        for (uint64_t bits = sweep->bits[word]; bits; bits &= bits - 1, number++) {
            if (!sweep->owner[number])
                continue;
            size_t to = part->to[sweep->owner[number]]++;
            uint32_t place = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(bits);
            python->tracked[to] = walk_stream_address(&sweep->stream, place) + head;
            python->tracked_class[to] = class[part->class[number - part->first]];
        }
    }
}

static bool take(struct sweep *sweep)
{
    struct walk_python *python = sweep->python;
    lay_out(sweep);
    python->tracked = walk_large_alloc(python->tracked_count + 1, sizeof *python->tracked);
    python->tracked_class = walk_large_alloc(python->tracked_count + 1, sizeof *python->tracked_class);
    if (!python->tracked || !python->tracked_class)
        return false;
    walk_workers_run(sweep->worker_count, sweep->stream.span_count, take_part, sweep);
    return true;
}

static void forget(struct walk_python *python)
{
    walk_large_free(python->tracked);
    walk_large_free(python->tracked_class);
    walk_classes_deinit(&python->classes);
    python->tracked = NULL;
    python->tracked_class = NULL;
    python->tracked_count = python->permanent_count = 0;
}

/* ---- the whole ---- */

static bool open_workers(struct sweep *sweep)
{
    sweep->worker_count = sweep->stream.image->workers ? sweep->stream.image->workers : 1;
    sweep->workers = calloc(sweep->worker_count, sizeof *sweep->workers);
    for (unsigned i = 0; sweep->workers && i < sweep->worker_count; i++)
        if (!(sweep->workers[i].buffer = walk_stream_buffer(sweep->needed)))
            return false;
    return sweep->workers != NULL;
}

static bool open_sweep(struct sweep *sweep)
{
    const struct walk_stream *stream = &sweep->stream;
    const struct walk_layout *layout = sweep->python->layout;
    if (!stream->span_count || !walk_stream_numbered(stream) || !read_heads(sweep))
        return false;
    size_t places = stream->span_count << stream->place_bits;
    if (places > FIRST_HEAD)
        return false;
    sweep->granule = 1u << stream->granule_bits;
    sweep->lowest = stream->stretches[0].start;
    sweep->highest = stream->stretches[stream->stretch_count - 1].end;
    sweep->needed = WALK_SIZE(layout, gc_head) + WALK_SIZE(layout, object);
    sweep->bits = walk_large_alloc(places / 64, sizeof *sweep->bits + sizeof *sweep->before);
    if (!sweep->bits)
        return false;
    memset(sweep->bits, 0, places / 64 * sizeof *sweep->bits);
    sweep->before = (uint16_t *)(sweep->bits + places / 64);
    sweep->parts = calloc(stream->span_count, sizeof *sweep->parts);
    return sweep->parts && open_workers(sweep);
}

static void close_worker(struct worker *worker)
{
    for (struct page *page = worker->page, *before; page; page = before) {
        before = page->before;
        walk_large_free(page->bytes);
        free(page);
    }
    walk_large_free(worker->buffer);
    free(worker->number);
    walk_classes_deinit(&worker->classes);
}

static void close_sweep(struct sweep *sweep)
{
    for (unsigned i = 0; sweep->workers && i < sweep->worker_count; i++)
        close_worker(&sweep->workers[i]);
    free(sweep->workers);
    free(sweep->collectors);
    walk_large_free(sweep->bits);
    free(sweep->parts);
    free(sweep->to);
    walk_large_free(sweep->next);
    walk_stream_close(&sweep->stream);
}

/* The allocator aligns to 8 bytes up to 3.7 and with words of 4 bytes, else to 16. */
static unsigned granule_bits(const struct walk_python *python)
{
    return python->word == 4 || WALK_HAS(python->layout, gc_head, refs) ? 3 : 4;
}

bool walk_tracked_by_sweep(struct walk_python *python)
{
    struct sweep sweep = {.python = python};
    struct walk_error *error = walk_stream_open(&sweep.stream, python->runtime->image, granule_bits(python));
    if (error) {
        walk_error_free(error);
        return false;
    }
    bool good = open_sweep(&sweep);
    if (good) {
        walk_workers_run(sweep.worker_count, sweep.stream.span_count, look, &sweep);
        good = number_all(&sweep) && follow_all(&sweep) && classify(&sweep) && take(&sweep);
    }
    close_sweep(&sweep);
    if (!good)
        forget(python);
    return good;
}
