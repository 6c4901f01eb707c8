/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector's lists, followed in a table. Who follows them in the memory waits for each object's bytes before it is
 * known where the next one is. So all memory is read once, in order of address and by several threads, and of
 * everything that looks like an object on a list three things are noted: where its link leads, its ob_type and its
 * size. The lists are then followed in these notes.
 *
 * What was noted too much does no harm, since no list leads there. If a list leads to what was not noted, or to the
 * same place twice, nothing is believed, and the lists are followed in the memory: so the result is always the same.
 */
#include <stdlib.h>

#include "bytes/large.h"
#include "bytes/stream.h"
#include "bytes/workers.h"
#include "objects/header.h"
#include "objects/measure.h"
#include "objects/tracked.h"

/* _gc_next and _gc_prev keep flags in their low bits. */
#define LINK_MASK (~(uint64_t)3)
/* What a link leads to: a place (later the number of a note), the head of a list, or nothing that is known. */
enum { HEADS_MAX = 1 << 8, LISTS = 4 /* of an interpreter */, OWNERS_MAX = HEADS_MAX / LISTS + 2 };
/* What is read behind a span, for objects that begin in it. */
enum { TAIL = 1 << 10 };
#define NOWHERE UINT32_MAX
#define FIRST_HEAD (UINT32_MAX - HEADS_MAX)

/* The notes of one span. */
struct part {
    struct note *note;     /* in a page of its worker */
    uint32_t count, first; /* `first`: how many are in front of the span */
    unsigned worker;       /* who numbered their classes */
    size_t far, far_count; /* keys that are to be read: in that worker's list */
    size_t *to;            /* of each owner: how many of its objects are here; then: where they go */
};

struct note {
    union {
        walk_addr type; /* ob_type */
        uint32_t class; /* of what is on a list: the worker's number for it */
    };
    uint32_t link; /* a place */
    uint32_t size;
};

/* Where a worker notes. */
struct page {
    struct page *before;
    uint8_t *bytes; /* PAGE of them */
    size_t used;
};
enum { PAGE = 8 << 20 };

struct worker {
    _Alignas(WALK_APART) uint8_t *buffer;
    struct page *page;           /* the last one */
    struct walk_classes classes; /* of its notes that are on lists */
    struct walk_measure measure;
    struct walk_far_keys *far; /* of what was noted */
    size_t far_count, far_capacity;
    uint32_t *number; /* of its classes among those of all workers */
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
    struct walk_measures *measures;
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

/* What no word of a head and its object has. */
struct filter {
    walk_addr low;               /* in front of all that is looked at; a multiple of words */
    uint64_t beyond, link, type; /* bits behind all that; bits that no link has, and no address of a type */
};

static struct filter make_filter(const struct sweep *sweep)
{
    walk_addr low = sweep->lowest, size = sweep->highest - low;
    return (struct filter){.low = low,
                           .beyond = ~(UINT64_MAX >> __builtin_clzll(size | 1)),
                           .link = (sweep->python->word - 1) & LINK_MASK,
                           .type = sweep->python->word - 1};
}

/*
 * Whether a head with an object behind it may begin at `view`: four words, each of which rules most memory out, and
 * which does so cannot be foreseen. So all are looked at before a branch is taken.
 */
static inline bool may_begin(struct filter filter, const uint8_t *view, struct places at, unsigned word)
{
    walk_addr type = walk_load_word(word, view + at.type) - filter.low;
    walk_addr links =
        (walk_load_word(word, view + at.next) - filter.low) | (walk_load_word(word, view + at.prev) - filter.low);
    uint64_t wrong = ((links | type) & filter.beyond) | (links & filter.link) | (type & filter.type);
    return !wrong && walk_load_word(word, view + at.count);
}

/* The size of an object; what its keys add may be left for later. */
static uint32_t measure(struct worker *worker, const struct part *part, walk_addr type, walk_addr object)
{
    struct walk_size_keys rest;
    uint32_t size = walk_measure_object(&worker->measure, type, object, &rest);
    if (!rest.keys)
        return size;
    if (worker->far_count == worker->far_capacity) {
        size_t capacity = worker->far_capacity ? worker->far_capacity * 2 : 1 << 12;
        struct walk_far_keys *far = realloc(worker->far, capacity * sizeof *far);
        if (!far)
            return WALK_UNSIZED;
        worker->far = far;
        worker->far_capacity = capacity;
    }
    worker->far[worker->far_count++] = (struct walk_far_keys){rest, part->count};
    return size;
}

/* Whether a list may lead to it: if so, it is the next note. */
static __attribute__((noinline)) bool looks_tracked(const struct sweep *sweep, struct worker *worker, struct part *part,
                                                    const uint8_t *view, struct places at, walk_addr address)
{
    const struct walk_layout *layout = sweep->python->layout;
    unsigned word = sweep->python->word;
    walk_addr type = walk_load_word(word, view + at.type);
    if (!walk_header_plausible(sweep->python, view + WALK_SIZE(layout, gc_head)))
        return false;
    if (WALK_HAS(layout, gc_head, refs) && walk_header_refs_in(sweep->python, view) != WALK_REFS_REACHABLE)
        return false;
    walk_addr next = walk_load_word(word, view + at.next) & LINK_MASK;
    walk_addr prev = walk_load_word(word, view + at.prev) & LINK_MASK;
    uint32_t link = place_of(sweep, next, &worker->next_hint);
    if (link == NOWHERE || place_of(sweep, prev, &worker->prev_hint) == NOWHERE)
        return false;
    uint32_t size = measure(worker, part, type, address + WALK_SIZE(layout, gc_head));
    part->note[part->count] = (struct note){.type = type, .link = link, .size = size};
    return true;
}

/* Returns how many notes there are. */
static inline __attribute__((always_inline)) uint32_t look_through(const struct sweep *sweep, struct worker *worker,
                                                                   struct part part, const uint8_t *bytes, size_t size,
                                                                   walk_addr start, uint64_t *bits,
                                                                   struct places places, unsigned word)
{
    const struct filter filter = make_filter(sweep);
    const unsigned granule_bits = sweep->stream.granule_bits;
    const size_t granule = sweep->granule;
    for (size_t at = 0; at < size; at += granule) {
        if (!may_begin(filter, bytes + at, places, word) ||
            !looks_tracked(sweep, worker, &part, bytes + at, places, start + at))
            continue;
        bits[at >> granule_bits >> 6] |= UINT64_C(1) << (at >> granule_bits) % 64;
        part.count++;
    }
    return part.count;
}

/* The most common places are known to the compiler. */
static uint32_t look_through_any(const struct sweep *sweep, struct worker *worker, struct part part,
                                 const uint8_t *bytes, size_t size, walk_addr start, uint64_t *bits)
{
    const struct walk_layout *layout = sweep->python->layout;
    const uint32_t object = WALK_SIZE(layout, gc_head);
    const struct places common = {0, 8, 16, 24},
                        places = {WALK_OFFSET(layout, gc_head, next), WALK_OFFSET(layout, gc_head, prev),
                                  object + WALK_OFFSET(layout, object, ob_refcnt),
                                  object + WALK_OFFSET(layout, object, ob_type)};
    if (sweep->python->word == 4)
        return look_through(sweep, worker, part, bytes, size, start, bits, places, 4);
    if (memcmp(&places, &common, sizeof common) == 0)
        return look_through(sweep, worker, part, bytes, size, start, bits, common, 8);
    return look_through(sweep, worker, part, bytes, size, start, bits, places, 8);
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

/* Room for as many notes as a span can need: there may be one per place. False: out of memory. */
static bool begin_notes(const struct sweep *sweep, struct worker *worker, struct part *part)
{
    size_t size = sizeof *part->note << sweep->stream.place_bits;
    if (!worker->page || PAGE - worker->page->used < size) {
        struct page *page = calloc(1, sizeof *page);
        if (!page || !(page->bytes = walk_large_alloc(PAGE, 1))) {
            free(page);
            return false;
        }
        page->before = worker->page;
        worker->page = page;
    }
    part->note = (struct note *)(void *)(worker->page->bytes + worker->page->used);
    return true;
}

static void look(void *context, size_t span, unsigned number)
{
    struct sweep *sweep = context;
    struct worker *worker = &sweep->workers[number];
    struct part part = {.worker = number, .far = worker->far_count};
    uint64_t *bits = sweep->bits + span * words_of_span(sweep);
    walk_addr start = sweep->stream.spans[span].start;
    size_t got, size;
    const uint8_t *bytes =
        worker->failed ? NULL : walk_stream_read(&sweep->stream, span, sweep->needed + TAIL, worker->buffer, &got);
    if (!bytes || !begin_notes(sweep, worker, &part)) {
        worker->failed = true;
        return;
    }
    walk_measure_aim(&worker->measure, start, got, bytes);
    size = got < sweep->needed ? 0 : got - sweep->needed + 1;
    if (size > sweep->stream.spans[span].size)
        size = sweep->stream.spans[span].size;
    part.count = look_through_any(sweep, worker, part, bytes, size, start, bits);
    worker->page->used += part.count * sizeof *part.note;
    part.far_count = worker->far_count - part.far;
    sweep->parts[span] = part;
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
        sweep->next[part->first + i] = number_of(sweep, part->note[i].link);
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

/* Of the spans that one worker has noted. */
static void classify_notes(void *context, size_t noted_by, unsigned number)
{
    struct sweep *sweep = context;
    struct walk_classes *classes = &sweep->workers[noted_by].classes;
    uint32_t class = 0;
    walk_addr type = 0;
    (void)number;
    for (size_t span = 0; span < sweep->stream.span_count; span++) {
        const struct part *part = &sweep->parts[span];
        const uint8_t *owner = sweep->owner + part->first;
        size_t of[OWNERS_MAX] = {0};
        for (uint32_t i = 0; part->worker == noted_by && i < part->count; i++) {
            struct note *note = &part->note[i];
            of[owner[i]]++;
            if (!owner[i])
                continue;
            if (type != note->type && !walk_classes_enter(classes, note->type, &class)) {
                sweep->workers[noted_by].failed = true;
                return;
            }
            type = note->type;
            note->class = class;
            classes->class[class].count++;
        }
        if (part->worker == noted_by)
            memcpy(part->to, of, sweep->owner_count * sizeof *part->to);
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
    bool good = !worker->failed && (worker->number = calloc((size_t)worker->classes.count + 1, sizeof *worker->number));
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
    walk_workers_run(sweep->worker_count, sweep->worker_count, classify_notes, sweep);
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

/* Keys of what is on no list are nobody's. */
static struct walk_far_keys *pass_far(struct walk_far_keys *far, const struct walk_far_keys *end, uint32_t note)
{
    for (; far < end && far->object < note; far++)
        far->object = SIZE_MAX;
    return far;
}

static void take_part(void *context, size_t span, unsigned number)
{
    const struct sweep *sweep = context;
    struct walk_python *python = sweep->python;
    const struct part *part = &sweep->parts[span];
    const struct worker *worker = &sweep->workers[part->worker];
    struct walk_far_keys *far = worker->far + part->far, *far_end = far + part->far_count;
    const uint8_t *owner = sweep->owner + part->first;
    uint32_t head = WALK_SIZE(python->layout, gc_head), i = 0;
    size_t first = span * words_of_span(sweep);
    (void)number;
    for (size_t word = first; word < first + words_of_span(sweep); word++) {
        for (uint64_t bits = sweep->bits[word]; bits; bits &= bits - 1, i++) {
            if (!owner[i])
                continue;
            size_t to = part->to[owner[i]]++;
            uint32_t place = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(bits);
            python->tracked[to] = walk_stream_address(&sweep->stream, place) + head;
            python->tracked_class[to] = worker->number[part->note[i].class];
            python->tracked_size[to] = part->note[i].size;
            far = pass_far(far, far_end, i);
            if (far < far_end && far->object == i)
                (far++)->object = to;
        }
    }
    pass_far(far, far_end, UINT32_MAX);
}

static bool take_far(const struct sweep *sweep)
{
    struct walk_python *python = sweep->python;
    size_t count = 0;
    for (unsigned w = 0; w < sweep->worker_count; w++)
        count += sweep->workers[w].far_count;
    python->far_keys = walk_large_alloc(count + 1, sizeof *python->far_keys);
    for (unsigned w = 0; w < sweep->worker_count && python->far_keys; w++)
        for (size_t i = 0; i < sweep->workers[w].far_count; i++)
            if (sweep->workers[w].far[i].object != SIZE_MAX)
                python->far_keys[python->far_keys_count++] = sweep->workers[w].far[i];
    return python->far_keys != NULL;
}

static bool take(struct sweep *sweep)
{
    struct walk_python *python = sweep->python;
    lay_out(sweep);
    python->tracked = walk_large_alloc(python->tracked_count + 1, sizeof *python->tracked);
    python->tracked_class = walk_large_alloc(python->tracked_count + 1, sizeof *python->tracked_class);
    python->tracked_size = walk_large_alloc(python->tracked_count + 1, sizeof *python->tracked_size);
    if (!python->tracked || !python->tracked_class || !python->tracked_size)
        return false;
    walk_workers_run(sweep->worker_count, sweep->stream.span_count, take_part, sweep);
    return take_far(sweep);
}

static void forget(struct walk_python *python)
{
    walk_large_free(python->tracked);
    walk_large_free(python->tracked_class);
    walk_python_forget_sizes(python);
    walk_classes_deinit(&python->classes);
    python->tracked = NULL;
    python->tracked_class = NULL;
    python->tracked_count = python->permanent_count = 0;
}

/* ---- the whole ---- */

static bool open_workers(struct sweep *sweep)
{
    sweep->worker_count = sweep->stream.image->workers ? sweep->stream.image->workers : 1;
    sweep->workers = walk_workers_state(sweep->worker_count, sizeof *sweep->workers);
    for (unsigned i = 0; sweep->workers && i < sweep->worker_count; i++)
        if (!walk_measure_open(&sweep->workers[i].measure, sweep->measures) ||
            !(sweep->workers[i].buffer = walk_stream_buffer(sweep->needed + TAIL)))
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
    return sweep->parts && sweep->measures && open_workers(sweep);
}

static void close_worker(struct worker *worker)
{
    for (struct page *page = worker->page, *before; page; page = before) {
        before = page->before;
        walk_large_free(page->bytes);
        free(page);
    }
    walk_large_free(worker->buffer);
    walk_measure_close(&worker->measure);
    free(worker->far);
    free(worker->number);
    walk_classes_deinit(&worker->classes);
}

static void close_sweep(struct sweep *sweep)
{
    for (unsigned i = 0; sweep->workers && i < sweep->worker_count; i++)
        close_worker(&sweep->workers[i]);
    free(sweep->workers);
    walk_measures_close(sweep->measures);
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

bool walk_tracked_by_sweep(struct walk_python *python, const struct walk_sample *sample)
{
    struct sweep sweep = {.python = python, .measures = walk_measures_open(python, sample)};
    struct walk_error *error = walk_stream_open(&sweep.stream, python->runtime->image, granule_bits(python));
    if (error) {
        walk_error_free(error);
        walk_measures_close(sweep.measures);
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
