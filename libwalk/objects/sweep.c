/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector's lists, followed in a table. Who follows them in the memory waits for each object's bytes before it is
 * known where the next one is. So all memory is read once, in order of address and by several threads, and of
 * everything that looks like an object on a list three things are noted: where its link leads, its ob_type and its
 * size. The lists are then followed in these notes (sweep_follow.c).
 *
 * What was noted too much does no harm, since no list leads there. If a list leads to what was not noted, or to the
 * same place twice, nothing is believed, and the lists are followed in the memory: so the result is always the same.
 */
#include <stdlib.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "bytes/large.h"
#include "bytes/workers.h"
#include "objects/header.h"
#include "objects/sweep.h"
#include "objects/tracked.h"

/* What is read behind a span, for objects that begin in it. */
enum { TAIL = 1 << 10 };

/* ---- heads of lists ---- */

walk_addr walk_sweep_head_at(const struct walk_sweep *sweep, size_t head)
{
    const struct walk_collector *collector = &sweep->collectors[head / WALK_SWEEP_LISTS];
    return head % WALK_SWEEP_LISTS < 3 ? collector->generation[head % WALK_SWEEP_LISTS] : collector->permanent;
}

/* WALK_SWEEP_NOWHERE: it is none. */
static uint32_t find_head(const struct walk_sweep *sweep, walk_addr address)
{
    if (address < sweep->first_head || address > sweep->last_head)
        return WALK_SWEEP_NOWHERE;
    for (size_t i = 0; i < sweep->collector_count * WALK_SWEEP_LISTS; i++)
        if (walk_sweep_head_at(sweep, i) == address)
            return WALK_SWEEP_HEADS + (uint32_t)i;
    return WALK_SWEEP_NOWHERE;
}

/* False: the lists are not what they are at other times, or there are too many. */
static bool read_heads(struct walk_sweep *sweep)
{
    struct walk_python *python = sweep->python;
    bool shared = walk_runtime_shares_collector(python->runtime);
    sweep->collector_count = shared ? 1 : python->interpreter_count;
    sweep->owner_count = sweep->collector_count + 2;
    if (sweep->collector_count * WALK_SWEEP_LISTS >= WALK_SWEEP_HEADS_MAX ||
        !(sweep->collectors = calloc(sweep->collector_count, sizeof *sweep->collectors)))
        return false;
    for (size_t i = 0; i < sweep->collector_count; i++) {
        walk_runtime_collector(python->runtime, python->interpreters[i].address, &sweep->collectors[i]);
        if (sweep->collectors[i].collecting)
            return false;
    }
    sweep->first_head = UINT64_MAX;
    for (size_t i = 0; i < sweep->collector_count * WALK_SWEEP_LISTS; i++) {
        walk_addr head = walk_sweep_head_at(sweep, i);
        if (head && head < sweep->first_head)
            sweep->first_head = head;
        if (head > sweep->last_head)
            sweep->last_head = head;
    }
    return true;
}

/* ---- what is in a span ---- */

uint32_t walk_sweep_place(const struct walk_sweep *sweep, walk_addr address, size_t *hint)
{
    uint32_t head = find_head(sweep, address);
    if (head != WALK_SWEEP_NOWHERE)
        return head;
    const struct walk_stretch *stretch = walk_stream_stretch(&sweep->stream, address, hint);
    return stretch && !(address & (sweep->granule - 1)) ? walk_stream_place(&sweep->stream, stretch, address)
                                                        : WALK_SWEEP_NOWHERE;
}

/* Where the words stand that are looked at, from a head on. */
struct places {
    uint32_t next, prev, count, type;
};

/* What no word of a head and its object has. */
struct filter {
    walk_addr low;               /* in front of all that is looked at; a multiple of words */
    uint64_t beyond, link, type; /* bits behind all that; bits that no link has, and no address of a type */
    size_t granule;
    unsigned word;
    struct places places;
    size_t (*go)(const struct filter *filter, const uint8_t *bytes, size_t at, size_t size);
};

/*
 * Whether a head with an object behind it may begin at `view`: four words, each of which rules most memory out, and
 * which does so cannot be foreseen. So all are looked at before a branch is taken.
 */
static inline bool may_begin(const struct filter *filter, const uint8_t *view, struct places at, unsigned word)
{
    walk_addr type = walk_load_word(word, view + at.type) - filter->low;
    walk_addr links =
        (walk_load_word(word, view + at.next) - filter->low) | (walk_load_word(word, view + at.prev) - filter->low);
    uint64_t wrong = ((links | type) & filter->beyond) | (links & filter->link) | (type & filter->type);
    return !wrong && walk_load_word(word, view + at.count);
}

/* Goes on from `at` to where may_begin(), or to `size`. */
static size_t go_to_begin(const struct filter *filter, const uint8_t *bytes, size_t at, size_t size)
{
    if (filter->word == 8)
        while (at < size && !may_begin(filter, bytes + at, filter->places, 8))
            at += filter->granule;
    else
        while (at < size && !may_begin(filter, bytes + at, filter->places, 4))
            at += filter->granule;
    return at;
}

#ifdef __x86_64__
/* The same where the four words stand beside each other, as they do since 3.8: they are one vector. */
static __attribute__((target("avx2"))) size_t go_to_begin_avx2(const struct filter *filter, const uint8_t *bytes,
                                                               size_t at, size_t size)
{
    const long long low = (long long)filter->low, link = (long long)(filter->beyond | filter->link);
    const __m256i lows = _mm256_setr_epi64x(low, low, 0, low);
    const __m256i wrong = _mm256_setr_epi64x(link, link, 0, (long long)(filter->beyond | filter->type));
    for (; at < size; at += 16) {
        __m256i words = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + at));
        if (_mm256_testz_si256(_mm256_sub_epi64(words, lows), wrong) && walk_load_u64(bytes + at + 16))
            return at;
    }
    return at;
}
#endif

static struct filter make_filter(const struct walk_sweep *sweep)
{
    const struct walk_layout *layout = sweep->python->layout;
    const uint32_t object = WALK_SIZE(layout, gc_head);
    const walk_addr low = sweep->lowest, size = sweep->highest - low;
    walk_addr heads = 0;
    for (size_t i = 0; i < sweep->collector_count * WALK_SWEEP_LISTS; i++)
        heads |= walk_sweep_head_at(sweep, i);
    struct filter filter = {.low = low,
                            .beyond = ~(UINT64_MAX >> __builtin_clzll(size | 1)),
                            .link = (sweep->python->word - 1) & WALK_LINK_MASK & ~heads,
                            .type = sweep->python->word - 1,
                            .granule = sweep->granule,
                            .word = sweep->python->word,
                            .go = go_to_begin};
    filter.places =
        (struct places){WALK_OFFSET(layout, gc_head, next), WALK_OFFSET(layout, gc_head, prev),
                        object + WALK_OFFSET(layout, object, ob_refcnt), object + WALK_OFFSET(layout, object, ob_type)};
#ifdef __x86_64__
    const struct places vector = {0, 8, 16, 24};
    if (memcmp(&filter.places, &vector, sizeof vector) == 0 && filter.word == 8 && filter.granule == 16 &&
        __builtin_cpu_supports("avx2"))
        filter.go = go_to_begin_avx2;
#endif
    return filter;
}

/* In huge pages from the beginning: small ones, one by one, take longer than all else that is done with it. */
static bool grow_unread(struct walk_sweep_worker *worker)
{
    size_t capacity = worker->unread_capacity ? worker->unread_capacity * 2 : 1 << 15;
    struct walk_unread *grown = walk_large_alloc(capacity, sizeof *grown);
    if (!grown)
        return false;
    if (worker->unread_count)
        memcpy(grown, worker->unread, worker->unread_count * sizeof *grown);
    walk_large_free(worker->unread);
    worker->unread = grown;
    worker->unread_capacity = capacity;
    return true;
}

static bool note_unread(struct walk_sweep_worker *worker, struct walk_unread unread)
{
    if (worker->unread_count == worker->unread_capacity && !grow_unread(worker))
        return false;
    worker->unread[worker->unread_count++] = unread;
    return true;
}

/* The size of an object; what is missing in it is noted. */
static uint32_t measure(struct walk_sweep_worker *worker, const struct walk_sweep_part *part, walk_addr type,
                        walk_addr object)
{
    struct walk_size_keys rest;
    uint32_t size = walk_measure_object(&worker->measure, type, object, &rest);
    if (rest.keys || size == WALK_UNSIZED)
        worker->failed |= !note_unread(worker, (struct walk_unread){rest, object, part->count});
    return size == WALK_UNSIZED ? 0 : size;
}

/* Whether a list may lead to it: if so, it is the next note. */
static __attribute__((noinline)) bool looks_tracked(const struct walk_sweep *sweep, struct walk_sweep_worker *worker,
                                                    struct walk_sweep_part *part, const uint8_t *view, struct places at,
                                                    walk_addr address)
{
    const struct walk_layout *layout = sweep->python->layout;
    unsigned word = sweep->python->word;
    walk_addr type = walk_load_word(word, view + at.type);
    if (!walk_header_plausible(sweep->python, view + WALK_SIZE(layout, gc_head)))
        return false;
    if (WALK_HAS(layout, gc_head, refs) && walk_header_refs_in(sweep->python, view) != WALK_REFS_REACHABLE)
        return false;
    walk_addr next = walk_load_word(word, view + at.next) & WALK_LINK_MASK;
    walk_addr prev = walk_load_word(word, view + at.prev) & WALK_LINK_MASK;
    uint32_t link = walk_sweep_place(sweep, next, &worker->next_hint);
    if (link == WALK_SWEEP_NOWHERE || walk_sweep_place(sweep, prev, &worker->prev_hint) == WALK_SWEEP_NOWHERE)
        return false;
    uint32_t size = measure(worker, part, type, address + WALK_SIZE(layout, gc_head));
    part->note[part->count] = (struct walk_sweep_note){.type = type, .link = link, .size = size};
    return true;
}

/* Returns how many notes there are. */
static uint32_t look_through(const struct walk_sweep *sweep, struct walk_sweep_worker *worker,
                             struct walk_sweep_part part, const uint8_t *bytes, size_t size, walk_addr start,
                             uint64_t *bits)
{
    const struct filter filter = make_filter(sweep);
    const unsigned granule_bits = sweep->stream.granule_bits;
    for (size_t at = filter.go(&filter, bytes, 0, size); at < size;
         at = filter.go(&filter, bytes, at + filter.granule, size)) {
        if (!looks_tracked(sweep, worker, &part, bytes + at, filter.places, start + at))
            continue;
        bits[at >> granule_bits >> 6] |= UINT64_C(1) << (at >> granule_bits) % 64;
        part.count++;
    }
    return part.count;
}

static void count_before(const struct walk_sweep *sweep, size_t span)
{
    size_t first = span * walk_sweep_words(sweep);
    unsigned count = 0;
    for (size_t i = first; i < first + walk_sweep_words(sweep); i++) {
        sweep->before[i] = (uint16_t)count;
        count += walk_count_bits(sweep->bits[i]);
    }
}

static void look(void *context, size_t span, unsigned number)
{
    struct walk_sweep *sweep = context;
    struct walk_sweep_worker *worker = &sweep->workers[number];
    struct walk_sweep_part part = {.worker = number, .unread = worker->unread_count};
    uint64_t *bits = sweep->bits + span * walk_sweep_words(sweep);
    walk_addr start = sweep->stream.spans[span].start;
    size_t got, size;
    const uint8_t *bytes =
        worker->failed ? NULL : walk_stream_read(&sweep->stream, span, sweep->needed + TAIL, worker->buffer, &got);
    size_t room = sizeof *part.note << sweep->stream.place_bits; /* there may be a note per place */
    if (!bytes || !(part.note = walk_pages_take(&worker->pages, room))) {
        worker->failed = true;
        return;
    }
    walk_measure_aim(&worker->measure, start, got, bytes);
    size = got < sweep->needed ? 0 : got - sweep->needed + 1;
    if (size > sweep->stream.spans[span].size)
        size = sweep->stream.spans[span].size;
    part.count = look_through(sweep, worker, part, bytes, size, start, bits);
    walk_pages_give_back(&worker->pages, room, part.count * sizeof *part.note);
    part.unread_count = worker->unread_count - part.unread;
    sweep->parts[span] = part;
    count_before(sweep, span);
}

/* False: not everything was looked at, or there are too many notes. */
static bool number_notes(struct walk_sweep *sweep)
{
    uint64_t count = 0;
    for (unsigned w = 0; w < sweep->worker_count; w++)
        if (sweep->workers[w].failed)
            return false;
    for (size_t i = 0; i < sweep->stream.span_count; i++) {
        sweep->parts[i].first = (uint32_t)count;
        count += sweep->parts[i].count;
    }
    sweep->count = (uint32_t)count;
    return count < WALK_SWEEP_HEADS;
}

/* ---- what is on lists: its classes, and how large it is ---- */

enum { CACHED_CLASSES = 1 << 8 };
struct cached_class {
    walk_addr type;
    uint32_t number;
};

/* The number of a class of the worker, which has a tally then; WALK_NO_TYPE: out of memory. */
static uint32_t new_class(struct walk_sweep_worker *worker, walk_addr type)
{
    uint32_t class, capacity = worker->classes.capacity;
    if (!walk_classes_enter(&worker->classes, type, &class))
        return WALK_NO_TYPE;
    if (capacity == worker->classes.capacity)
        return class;
    struct walk_tally *tallies = realloc(worker->tallies, worker->classes.capacity * sizeof *tallies);
    if (!tallies)
        return WALK_NO_TYPE;
    memset(tallies + capacity, 0, (worker->classes.capacity - capacity) * sizeof *tallies);
    worker->tallies = tallies;
    return class;
}

/* The same, mostly out of a small cache. */
static inline uint32_t enter_class(struct walk_sweep_worker *worker, struct cached_class *cache, walk_addr type)
{
    struct cached_class *cached = &cache[(type >> 4 ^ type >> 12) % CACHED_CLASSES];
    if (cached->type != type)
        *cached = (struct cached_class){type, new_class(worker, type)};
    return cached->number;
}

/* What is missing in the size of nobody's objects, or of the permanent generation's, is not missed. */
static void classify_unread(const struct walk_sweep *sweep, struct walk_sweep_worker *worker,
                            const struct walk_sweep_part *part)
{
    for (size_t i = part->unread; i < part->unread + part->unread_count; i++) {
        uint32_t note = worker->unread[i].class;
        uint32_t owner = part->note[note].owner;
        bool counts = owner && owner <= sweep->collector_count;
        worker->unread[i].class = counts ? part->note[note].class : WALK_NO_TYPE;
    }
}

/* False: out of memory. */
static bool classify_part(const struct walk_sweep *sweep, struct walk_sweep_worker *worker,
                          const struct walk_sweep_part *part, struct cached_class *cache)
{
    size_t of[WALK_SWEEP_OWNERS_MAX] = {0};
    for (uint32_t i = 0; i < part->count; i++) {
        struct walk_sweep_note *note = &part->note[i];
        uint8_t owner = walk_sweep_owner(sweep, part, i);
        note->owner = owner;
        of[owner]++;
        if (!owner)
            continue;
        uint32_t class = enter_class(worker, cache, note->type);
        if (class == WALK_NO_TYPE)
            return false;
        note->class = class;
        worker->classes.class[class].count++;
        if (owner > sweep->collector_count)
            continue;
        worker->tallies[class].count++;
        worker->tallies[class].size += note->size;
    }
    memcpy(part->to, of, sweep->owner_count * sizeof *part->to);
    classify_unread(sweep, worker, part);
    return true;
}

/* Of the spans that one worker has noted. */
static void classify_parts(void *context, size_t noted_by, unsigned number)
{
    struct walk_sweep *sweep = context;
    struct walk_sweep_worker *worker = &sweep->workers[noted_by];
    struct cached_class cache[CACHED_CLASSES] = {{0}}; /* 0 is no type's address */
    (void)number;
    for (size_t span = 0; span < sweep->stream.span_count && !worker->failed; span++)
        if (sweep->parts[span].worker == noted_by)
            worker->failed = !classify_part(sweep, worker, &sweep->parts[span], cache);
}

static int by_type(const void *a, const void *b)
{
    const struct walk_class *x = a, *y = b;
    return (x->type > y->type) - (x->type < y->type);
}

/* All that any worker met, in order of address: who met which first is not to be seen in them. */
static bool collect_classes(const struct walk_sweep *sweep, struct walk_classes *all)
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

static bool number_classes(struct walk_sweep_worker *worker, struct walk_classes *all)
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

static bool classify(struct walk_sweep *sweep)
{
    sweep->to = calloc(sweep->stream.span_count * sweep->owner_count, sizeof *sweep->to);
    if (!sweep->to)
        return false;
    for (size_t span = 0; span < sweep->stream.span_count; span++)
        sweep->parts[span].to = sweep->to + span * sweep->owner_count;
    walk_workers_run(sweep->worker_count, sweep->worker_count, classify_parts, sweep);
    bool good = collect_classes(sweep, &sweep->python->classes);
    for (unsigned w = 0; w < sweep->worker_count && good; w++)
        good = number_classes(&sweep->workers[w], &sweep->python->classes);
    return good;
}

/* ---- the result ---- */

/* Where each owner's objects go; sets what interpreters have of them. */
static void lay_out(struct walk_sweep *sweep)
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

static void take_part(void *context, size_t span, unsigned number)
{
    const struct walk_sweep *sweep = context;
    struct walk_python *python = sweep->python;
    const struct walk_sweep_part *part = &sweep->parts[span];
    const struct walk_sweep_worker *worker = &sweep->workers[part->worker];
    uint32_t head = WALK_SIZE(python->layout, gc_head), i = 0;
    size_t first = span * walk_sweep_words(sweep);
    (void)number;
    for (size_t word = first; word < first + walk_sweep_words(sweep); word++) {
        for (uint64_t bits = sweep->bits[word]; bits; bits &= bits - 1, i++) {
            if (!part->note[i].owner)
                continue;
            size_t to = part->to[part->note[i].owner]++;
            uint32_t place = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(bits);
            python->tracked[to] = walk_stream_address(&sweep->stream, place) + head;
            python->tracked_class[to] = worker->number[part->note[i].class];
        }
    }
}

/* What the workers have counted, by the classes of all. False: out of memory. */
static bool take_census(const struct walk_sweep *sweep)
{
    struct walk_python *python = sweep->python;
    struct walk_census *census = python->census = calloc(1, sizeof *census);
    size_t unread = 0;
    for (unsigned w = 0; w < sweep->worker_count; w++)
        unread += sweep->workers[w].unread_count;
    if (!census || !(census->tallies = calloc((size_t)python->classes.count + 1, sizeof *census->tallies)) ||
        !(census->unread = walk_large_alloc(unread + 1, sizeof *census->unread)))
        return false;
    for (unsigned w = 0; w < sweep->worker_count; w++) {
        const struct walk_sweep_worker *worker = &sweep->workers[w];
        for (uint32_t i = 0; i < worker->classes.count; i++) {
            census->tallies[worker->number[i]].count += worker->tallies[i].count;
            census->tallies[worker->number[i]].size += worker->tallies[i].size;
        }
    }
    for (size_t span = 0; span < sweep->stream.span_count; span++) {
        const struct walk_sweep_part *part = &sweep->parts[span];
        const struct walk_sweep_worker *worker = &sweep->workers[part->worker];
        for (size_t i = part->unread; i < part->unread + part->unread_count; i++)
            if (worker->unread[i].class != WALK_NO_TYPE) {
                census->unread[census->unread_count] = worker->unread[i];
                census->unread[census->unread_count++].class = worker->number[worker->unread[i].class];
            }
    }
    return true;
}

static bool take(struct walk_sweep *sweep)
{
    struct walk_python *python = sweep->python;
    lay_out(sweep);
    walk_large_free(sweep->step); /* its pages are there, others would have to be made */
    sweep->step = NULL;
    python->tracked = walk_large_alloc(python->tracked_count + 1, sizeof *python->tracked);
    python->tracked_class = walk_large_alloc(python->tracked_count + 1, sizeof *python->tracked_class);
    if (!python->tracked || !python->tracked_class)
        return false;
    walk_workers_run(sweep->worker_count, sweep->stream.span_count, take_part, sweep);
    return take_census(sweep);
}

static void forget(struct walk_python *python)
{
    walk_large_free(python->tracked);
    walk_large_free(python->tracked_class);
    walk_census_free(python->census);
    walk_classes_deinit(&python->classes);
    python->tracked = NULL;
    python->tracked_class = NULL;
    python->census = NULL;
    python->tracked_count = python->permanent_count = 0;
}

/* ---- the whole ---- */

static bool open_workers(struct walk_sweep *sweep)
{
    sweep->worker_count = sweep->stream.image->workers ? sweep->stream.image->workers : 1;
    sweep->workers = walk_workers_state(sweep->worker_count, sizeof *sweep->workers);
    for (unsigned i = 0; sweep->workers && i < sweep->worker_count; i++)
        if (!walk_measure_open(&sweep->workers[i].measure, sweep->measures) ||
            !(sweep->workers[i].buffer = walk_stream_buffer(sweep->needed + TAIL)))
            return false;
    return sweep->workers != NULL;
}

static bool open_sweep(struct walk_sweep *sweep)
{
    const struct walk_stream *stream = &sweep->stream;
    const struct walk_layout *layout = sweep->python->layout;
    if (!stream->span_count || !walk_stream_numbered(stream) || !read_heads(sweep))
        return false;
    size_t places = stream->span_count << stream->place_bits;
    if (places > WALK_SWEEP_HEADS)
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

static void close_worker(struct walk_sweep_worker *worker)
{
    walk_pages_deinit(&worker->pages);
    walk_large_free(worker->buffer);
    walk_measure_close(&worker->measure);
    free(worker->tallies);
    walk_large_free(worker->unread);
    free(worker->number);
    walk_classes_deinit(&worker->classes);
}

static void close_sweep(struct walk_sweep *sweep)
{
    for (unsigned i = 0; sweep->workers && i < sweep->worker_count; i++)
        close_worker(&sweep->workers[i]);
    free(sweep->workers);
    walk_measures_close(sweep->measures);
    free(sweep->collectors);
    walk_large_free(sweep->bits);
    free(sweep->parts);
    free(sweep->to);
    walk_large_free(sweep->step);
    free(sweep->owner);
    walk_stream_close(&sweep->stream);
}

/* The allocator aligns to 8 bytes up to 3.7 and with words of 4 bytes, else to 16. */
static unsigned granule_bits(const struct walk_python *python)
{
    return python->word == 4 || WALK_HAS(python->layout, gc_head, refs) ? 3 : 4;
}

bool walk_tracked_by_sweep(struct walk_python *python, const struct walk_sample *sample)
{
    struct walk_sweep sweep = {.python = python, .measures = walk_measures_open(python, sample)};
    struct walk_error *error = walk_stream_open(&sweep.stream, python->runtime->image, granule_bits(python));
    if (error) {
        walk_error_free(error);
        walk_measures_close(sweep.measures);
        return false;
    }
    bool good = open_sweep(&sweep);
    if (good) {
        walk_workers_run(sweep.worker_count, sweep.stream.span_count, look, &sweep);
        good = number_notes(&sweep) && walk_sweep_follow(&sweep) && classify(&sweep) && take(&sweep);
    }
    close_sweep(&sweep);
    if (good)
        python->census->subtype_traverse = sample->subtype_traverse;
    else
        forget(python);
    return good;
}
