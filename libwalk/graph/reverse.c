/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backward rows: a sort of the edges by referent, in two steps, each of which writes near to where it wrote before.
 * Each worker takes the rows of some holders, one after the other, and deals their edges into bins by referent; then
 * each bin, which is small enough for a processor's cache, is sorted by counting. What came first stays first, so rows
 * are in the order of their holders.
 *
 * What a worker deals into a bin is a pile of packs. Of the referent a pack needs no more than which one of the bin's
 * it is.
 */
#include <stdlib.h>
#include <string.h>

#include "bytes/large.h"
#include "bytes/pages.h"
#include "bytes/workers.h"
#include "graph/log.h"

/* Referents of a bin; edges of a pack, which takes 4 KB; fewer edges than that are not worth a second hand. */
enum { BIN_BITS = 16, BIN = 1 << BIN_BITS, PACK = 680, ALONE = 1 << 16 };

struct pack {
    struct pack *next;
    uint32_t holder[PACK];
    uint16_t referent[PACK];
};

struct pile {
    struct pack *first, *last;
    uint32_t used; /* of the last one */
    uint64_t full; /* how many packs there are in front of that */
};

/* Who deals: a part of the holders. */
struct hand {
    _Alignas(WALK_APART) struct walk_pages pages; /* its packs */
    struct pile *pile;                            /* by bin */
    uint64_t marked;                              /* edges */
    uint32_t *place; /* of each referent of a bin that is sorted: where its next holder goes */
    bool no_memory;
};

struct reversal {
    struct walk_graph *graph;
    unsigned hands;
    struct hand *hand;
    size_t bins;
    uint64_t *start; /* where each bin's edges begin */
};

static walk_id first_holder(const struct reversal *reversal, size_t hand)
{
    return (walk_id)((uint64_t)reversal->graph->node_count * hand / reversal->hands);
}

/* ---- dealing ---- */

static bool add_pack(struct hand *hand, struct pile *pile)
{
    struct pack *pack = walk_pages_take(&hand->pages, sizeof *pack);
    if (!pack)
        return false;
    pack->next = NULL;
    if (pile->last)
        pile->last->next = pack;
    else
        pile->first = pack;
    pile->full += pile->last != NULL;
    pile->last = pack;
    pile->used = 0;
    return true;
}

static inline bool deal(struct hand *hand, uint32_t edge, walk_id holder)
{
    walk_id to = WALK_EDGE_ID(edge);
    struct pile *pile = &hand->pile[to >> BIN_BITS];
    if (pile->used == PACK && !add_pack(hand, pile))
        return false;
    struct pack *pack = pile->last;
    uint32_t at = pile->used++;
    pack->holder[at] = holder | (edge & WALK_EDGE_MARK);
    pack->referent[at] = (uint16_t)(to % BIN);
    return true;
}

static void deal_hand(void *context, size_t number, unsigned worker)
{
    const struct reversal *reversal = context;
    const uint32_t *start = reversal->graph->forward.start, *edge = reversal->graph->forward.edge;
    struct hand *hand = &reversal->hand[number];
    walk_id end = first_holder(reversal, number + 1);
    uint64_t marked = 0;
    bool good = true;
    (void)worker;
    for (walk_id id = first_holder(reversal, number); id < end && good; id++)
        for (uint32_t i = start[id], last = start[id + 1]; i < last && good; i++) {
            good = deal(hand, edge[i], id);
            marked += edge[i] / WALK_EDGE_MARK;
        }
    hand->marked = marked;
    hand->no_memory = !good;
}

/* How many edges all hands have dealt into a bin. */
static uint64_t size_of(const struct reversal *reversal, size_t bin)
{
    uint64_t size = 0;
    for (unsigned i = 0; i < reversal->hands; i++) {
        const struct pile *pile = &reversal->hand[i].pile[bin];
        size += pile->last ? pile->full * PACK + pile->used : 0;
    }
    return size;
}

/* False: some hand had no memory. */
static bool gather(struct reversal *reversal)
{
    bool good = true;
    reversal->graph->marked_count = 0;
    for (unsigned i = 0; i < reversal->hands; i++) {
        good = good && !reversal->hand[i].no_memory;
        reversal->graph->marked_count += reversal->hand[i].marked;
    }
    for (size_t bin = 0; bin < reversal->bins; bin++)
        reversal->start[bin + 1] = reversal->start[bin] + size_of(reversal, bin);
    return good;
}

/* ---- sorting ---- */

static uint32_t used_of(const struct pile *pile, const struct pack *pack)
{
    return pack == pile->last ? pile->used : PACK;
}

static void count_pile(const struct pile *pile, uint32_t *count)
{
    for (const struct pack *pack = pile->first; pack; pack = pack->next)
        for (uint32_t i = 0, used = used_of(pile, pack); i < used; i++)
            count[pack->referent[i]]++;
}

static void sort_pile(const struct pile *pile, uint32_t *place, uint32_t *edge)
{
    for (const struct pack *pack = pile->first; pack; pack = pack->next)
        for (uint32_t i = 0, used = used_of(pile, pack); i < used; i++)
            edge[place[pack->referent[i]]++] = pack->holder[i];
}

/* Counts become the starts of the rows of a bin's referents, of which there are `size`, and where they go on. */
static void start_rows(const struct reversal *reversal, size_t bin, walk_id size, uint32_t *place)
{
    uint32_t *row = reversal->graph->backward.start + (bin << BIN_BITS), sum = (uint32_t)reversal->start[bin];
    for (walk_id i = 0; i < size; i++) {
        uint32_t count = place[i];
        row[i] = place[i] = sum;
        sum += count;
    }
}

static void sort_bin(void *context, size_t bin, unsigned worker)
{
    const struct reversal *reversal = context;
    uint32_t *place = reversal->hand[worker].place;
    walk_id left = reversal->graph->node_count - (walk_id)(bin << BIN_BITS);
    memset(place, 0, BIN * sizeof *place);
    for (unsigned i = 0; i < reversal->hands; i++)
        count_pile(&reversal->hand[i].pile[bin], place);
    start_rows(reversal, bin, left < BIN ? left : BIN, place);
    for (unsigned i = 0; i < reversal->hands; i++)
        sort_pile(&reversal->hand[i].pile[bin], place, reversal->graph->backward.edge);
}

/* ---- the whole ---- */

static bool open_hand(struct hand *hand, size_t bins, struct walk_stock *stock)
{
    hand->pages.stock = stock;
    hand->pile = malloc(bins * sizeof *hand->pile);
    hand->place = malloc(BIN * sizeof *hand->place);
    for (size_t bin = 0; hand->pile && bin < bins; bin++)
        hand->pile[bin] = (struct pile){.used = PACK};
    return hand->pile && hand->place;
}

static bool open_reversal(struct reversal *reversal, unsigned workers, struct walk_stock *stock)
{
    struct walk_graph *graph = reversal->graph;
    size_t nodes = graph->node_count;
    bool good = true;
    reversal->hands = graph->edge_count < ALONE ? 1 : workers;
    reversal->bins = (nodes >> BIN_BITS) + 1;
    reversal->start = calloc(reversal->bins + 1, sizeof *reversal->start);
    reversal->hand = walk_workers_state(reversal->hands, sizeof *reversal->hand);
    graph->backward.start = walk_large_alloc(stock, nodes + 1, sizeof *graph->backward.start);
    graph->backward.edge = walk_large_alloc(stock, graph->edge_count + 1, sizeof *graph->backward.edge);
    for (unsigned i = 0; reversal->hand && i < reversal->hands; i++)
        good = open_hand(&reversal->hand[i], reversal->bins, stock) && good;
    return good && reversal->start && reversal->hand && graph->backward.start && graph->backward.edge;
}

static void close_reversal(struct reversal *reversal)
{
    for (unsigned i = 0; reversal->hand && i < reversal->hands; i++) {
        walk_pages_deinit(&reversal->hand[i].pages);
        free(reversal->hand[i].pile);
        free(reversal->hand[i].place);
    }
    free(reversal->hand);
    free(reversal->start);
}

struct walk_error *walk_rows_reverse(struct walk_graph *graph, unsigned workers, struct walk_stock *stock)
{
    struct reversal reversal = {.graph = graph};
    bool good = open_reversal(&reversal, workers, stock);
    if (good) {
        walk_workers_run(reversal.hands, reversal.hands, deal_hand, &reversal);
        good = gather(&reversal);
    }
    if (good) {
        walk_workers_run(reversal.hands, reversal.bins, sort_bin, &reversal);
        graph->backward.start[graph->node_count] = (uint32_t)graph->edge_count;
    }
    close_reversal(&reversal);
    return good ? NULL : walk_error_no_memory();
}
