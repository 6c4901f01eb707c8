/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects that sublists lead to, in order of address. Each worker marks where it comes to, in a bit per granule:
 * when they are counted, or else they are followed once more.
 */
#include <stdlib.h>

#include "bytes/bits.h"
#include "bytes/large.h"
#include "objects/sublists_follow.h"

enum {
    AHEAD = 16,          /* objects whose bytes are on their way */
    PLACES_MAX = 1 << 15 /* of a span */
};

struct list {
    struct walk_sublists *sublists;
    struct walk_sublists_pass pass;
    size_t *first; /* where the objects of each span go, in walk_python.tracked */
};

static size_t words_per_span(const struct list *list) { return (size_t)1 << (list->sublists->stream.place_bits - 6); }

/* ---- marking ---- */

bool walk_sublists_clear_marks(struct walk_sublists *sublists)
{
    sublists->words = sublists->stream.span_count << (sublists->stream.place_bits - 6);
    if (!sublists->marks)
        sublists->marks = walk_large_alloc(sublists->stream.image->stock, sublists->words * sublists->marker_count,
                                           sizeof *sublists->marks);
    if (!sublists->marks)
        return false;
    memset(sublists->marks, 0, sublists->words * sublists->marker_count * sizeof *sublists->marks);
    for (unsigned i = 0; i < sublists->marker_count; i++)
        sublists->workers[i].marks = sublists->marks + i * sublists->words;
    return true;
}

WALK_INLINED bool mark(struct walk_sublists_worker *worker, const struct walk_met_object *object)
{
    walk_sublists_mark(worker, object->place);
    return true;
}

static void mark_some(void *context, size_t task, unsigned number)
{
    struct list *list = context;
    (void)task;
    walk_sublists_follow(&list->pass, &list->sublists->workers[number], mark);
}

/* ---- listing ---- */

static inline uint64_t marks_at(const struct list *list, size_t word)
{
    uint64_t marks = 0;
    for (unsigned i = 0; i < list->sublists->marker_count; i++)
        marks |= list->sublists->workers[i].marks[word];
    return marks;
}

/* How many are marked in a span stands behind the place of its first one. */
static void count_span(void *context, size_t span, unsigned number)
{
    const struct list *list = context;
    size_t count = 0, first = span * words_per_span(list);
    (void)number;
    for (size_t word = first; word < first + words_per_span(list); word++)
        count += walk_count_bits(marks_at(list, word));
    list->first[span + 1] = count;
}

static size_t places_of(const struct list *list, size_t span, uint16_t places[PLACES_MAX])
{
    size_t count = 0, first = span * words_per_span(list);
    for (size_t word = 0; word < words_per_span(list); word++)
        for (uint64_t marks = marks_at(list, first + word); marks; marks &= marks - 1)
            places[count++] = (uint16_t)(word * 64 + (size_t)__builtin_ctzll(marks));
    return count;
}

/* All of them were counted, and have a class. */
static uint32_t class_of(const struct walk_python *python, struct walk_cached_class *cache, walk_addr type)
{
    struct walk_cached_class *cached = walk_cached_class(cache, type);
    if (cached->type != type) {
        cached->type = type;
        (void)walk_classes_find(&python->classes, type, &cached->number);
    }
    return cached->number;
}

static void list_span(void *context, size_t index, unsigned number)
{
    const struct list *list = context;
    struct walk_python *python = list->sublists->python;
    const struct walk_span *span = &list->sublists->stream.spans[index];
    const unsigned granule_bits = list->sublists->stream.granule_bits;
    const uint8_t *types =
        span->segment->data + (span->start - span->segment->start) + WALK_OFFSET(python->layout, object, ob_type);
    struct walk_cached_class cache[WALK_CACHED_CLASSES] = {{0}};
    uint16_t places[PLACES_MAX];
    size_t count = places_of(list, index, places), first = list->first[index];
    (void)number;
    for (size_t i = 0; i < count; i++) {
        if (i + AHEAD < count)
            __builtin_prefetch(types + ((size_t)places[i + AHEAD] << granule_bits));
        size_t inside = (size_t)places[i] << granule_bits;
        python->tracked[first + i] = span->start + inside;
        python->tracked_class[first + i] = class_of(python, cache, walk_load_word(python->word, types + inside));
    }
}

/* Those of one owner, from `first` on; where the next one's go. */
static size_t list_owner(struct list *list, uint8_t owner, size_t first)
{
    struct walk_sublists *sublists = list->sublists;
    size_t spans = sublists->stream.span_count;
    if (sublists->marked != owner) {
        list->pass = (struct walk_sublists_pass){.sublists = sublists, .first_owner = owner, .last_owner = owner};
        (void)walk_sublists_clear_marks(sublists);
        walk_workers_run(sublists->marker_count, sublists->marker_count, mark_some, list);
    }
    walk_workers_run(sublists->worker_count, spans, count_span, list);
    list->first[0] = first;
    for (size_t i = 0; i < spans; i++)
        list->first[i + 1] += list->first[i];
    walk_workers_run(sublists->worker_count, spans, list_span, list);
    return list->first[spans];
}

bool walk_sublists_list(struct walk_unlisted *unlisted)
{
    struct walk_sublists *sublists = (struct walk_sublists *)unlisted;
    struct list list = {.sublists = sublists};
    list.first = calloc(sublists->stream.span_count + 1, sizeof *list.first);
    bool good = list.first && (sublists->marked || walk_sublists_clear_marks(sublists));
    size_t of[WALK_OWNERS_MAX] = {0}, listed = 0;
    walk_sublists_owned(sublists, of);
    for (size_t owner = 1; owner < walk_heads_owners(&sublists->heads) && good; owner++)
        if (of[owner])
            listed = list_owner(&list, (uint8_t)owner, listed);
    free(list.first);
    return good;
}
