/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backward rows: a sort of the edges by referent, in two steps, each of which writes near to where it wrote before.
 * The holders are parted among hands, each with as many edges, which it deals into bins by referent; then each bin,
 * which is small enough for a processor's cache, is sorted by counting. What came first stays first, so rows are in the
 * order of their holders.
 *
 * A bin is where its rows will be: there the holders are dealt. Which referent of the bin an edge is to stands aside,
 * and takes no more than 16 bits.
 */
#include <stdlib.h>
#include <string.h>

#include "bytes/large.h"
#include "bytes/workers.h"
#include "graph/log.h"

/* Referents of a bin. */
enum { BIN_BITS = 15, BIN = 1 << BIN_BITS };

/* More hands than workers: who has an easy part takes another one. So many edges are dealt together. */
enum { HANDS_PER_WORKER = 8, DEALT = 1 << 10 };

struct sorter {
    uint32_t *place;  /* of each referent of a bin: where its next holder goes */
    uint32_t *holder; /* those of a bin, as they were dealt */
};

/* Who deals: a part of the holders. */
struct hand {
    _Alignas(WALK_APART) uint64_t *at; /* by bin: where its next edge goes; in the end: where the next hand's begin */
    uint64_t marked;                   /* edges */
};

struct reversal {
    struct walk_graph *graph;
    struct walk_stock *stock;
    unsigned workers, hands;
    struct hand *hand;
    size_t bins;
    uint16_t *referent;     /* of each edge, where it is dealt: of those of its bin */
    struct sorter *sorters; /* per worker */
};

/* The first one that has an edge of the hand's part, or behind it. */
static walk_id first_holder(const struct reversal *reversal, size_t hand)
{
    const uint32_t *start = reversal->graph->forward.start;
    uint64_t edge = reversal->graph->edge_count * hand / reversal->hands;
    walk_id low = 0, high = reversal->graph->node_count;
    while (low < high) {
        walk_id middle = low + (high - low) / 2;
        if (start[middle] < edge)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* How many edges a hand has for each bin. To count every other one elsewhere is faster: many in a row are of one bin.
 */
static void count_hand(void *context, size_t number, unsigned worker)
{
    const struct reversal *reversal = context;
    const uint32_t *start = reversal->graph->forward.start, *edge = reversal->graph->forward.edge;
    uint32_t end = start[first_holder(reversal, number + 1)];
    uint64_t *at = reversal->hand[number].at, *of_others = at + reversal->bins, marked = 0;
    (void)worker;
    for (uint32_t i = start[first_holder(reversal, number)]; i < end; i++) {
        (i % 2 ? at : of_others)[WALK_EDGE_ID(edge[i]) >> BIN_BITS]++;
        marked += edge[i] / WALK_EDGE_MARK;
    }
    for (size_t bin = 0; bin < reversal->bins; bin++)
        at[bin] += of_others[bin];
    reversal->hand[number].marked = marked;
}

/* Edges that are dealt together, and whose they are: of the first one, and of each where that changes; else 0. */
struct deal {
    uint32_t first, end;
    walk_id holder, next; /* `next`: the first one who begins behind them */
    walk_id begins[DEALT];
};

/* Of holders without edges, and the one behind them, the last one stands. */
static void begin_deal(struct deal *deal, const uint32_t *start, uint32_t first, uint32_t end)
{
    deal->first = first;
    deal->end = end - first < DEALT ? end : first + DEALT;
    memset(deal->begins, 0, sizeof deal->begins);
    for (; start[deal->next] < deal->end; deal->next++)
        deal->begins[start[deal->next] - first] = deal->next;
}

/*
 * Edges one after the other, not holder by holder: how many each has no processor can foresee. There is a holder behind
 * the last one, where the edges end.
 */
static void deal_hand(void *context, size_t number, unsigned worker)
{
    const struct reversal *reversal = context;
    const uint32_t *start = reversal->graph->forward.start, *edge = reversal->graph->forward.edge;
    uint32_t *holder = reversal->graph->backward.edge;
    uint16_t *referent = reversal->referent;
    uint64_t *next = reversal->hand[number].at;
    walk_id first = first_holder(reversal, number);
    uint32_t end = start[first_holder(reversal, number + 1)];
    struct deal deal = {.holder = first, .next = first};
    (void)worker;
    for (uint32_t at = start[first]; at < end; at = deal.end) {
        begin_deal(&deal, start, at, end);
        for (uint32_t i = deal.first; i < deal.end; i++) {
            walk_id begins = deal.begins[i - deal.first], to = WALK_EDGE_ID(edge[i]);
            deal.holder = begins > deal.holder ? begins : deal.holder;
            uint64_t place = next[to >> BIN_BITS]++;
            holder[place] = deal.holder | (edge[i] & WALK_EDGE_MARK);
            referent[place] = (uint16_t)(to % BIN);
        }
    }
}

/* Counts become places. */
static void sum_up(const struct reversal *reversal)
{
    uint64_t sum = 0;
    for (size_t bin = 0; bin < reversal->bins; bin++)
        for (size_t hand = 0; hand < reversal->hands; hand++) {
            uint64_t *at = &reversal->hand[hand].at[bin], count = *at;
            *at = sum;
            sum += count;
        }
    for (size_t hand = 0; hand < reversal->hands; hand++)
        reversal->graph->marked_count += reversal->hand[hand].marked;
}

/* Where the edges of a bin begin, once all hands are dealt. */
static uint64_t start_of(const struct reversal *reversal, size_t bin)
{
    return bin ? reversal->hand[reversal->hands - 1].at[bin - 1] : 0;
}

/* Makes the starts of the rows of a bin's referents, of which there are `size`. */
static void start_rows(const struct reversal *reversal, size_t bin, walk_id size, uint32_t *place)
{
    uint64_t start = start_of(reversal, bin), end = start_of(reversal, bin + 1);
    uint32_t *row = reversal->graph->backward.start + (bin << BIN_BITS), sum = (uint32_t)start;
    memset(place, 0, size * sizeof *place);
    for (uint64_t i = start; i < end; i++)
        place[reversal->referent[i]]++;
    for (walk_id i = 0; i < size; i++) {
        uint32_t count = place[i];
        row[i] = place[i] = sum;
        sum += count;
    }
}

static void sort_bin(void *context, size_t bin, unsigned worker)
{
    const struct reversal *reversal = context;
    const struct sorter *sorter = &reversal->sorters[worker];
    uint32_t *edge = reversal->graph->backward.edge;
    walk_id left = reversal->graph->node_count - (walk_id)(bin << BIN_BITS);
    uint64_t start = start_of(reversal, bin), count = start_of(reversal, bin + 1) - start;
    start_rows(reversal, bin, left < BIN ? left : BIN, sorter->place);
    memcpy(sorter->holder, edge + start, count * sizeof *edge);
    for (uint64_t i = 0; i < count; i++)
        edge[sorter->place[reversal->referent[start + i]]++] = sorter->holder[i];
}

/* How many edges the largest bin has, before anything is dealt. */
static uint64_t largest_bin(const struct reversal *reversal)
{
    uint64_t largest = 0;
    for (size_t bin = 0; bin < reversal->bins; bin++) {
        uint64_t end = bin + 1 < reversal->bins ? reversal->hand[0].at[bin + 1] : reversal->graph->edge_count;
        uint64_t count = end - reversal->hand[0].at[bin];
        largest = count > largest ? count : largest;
    }
    return largest;
}

static bool open_sorters(struct reversal *reversal)
{
    uint64_t largest = largest_bin(reversal);
    reversal->sorters = calloc(reversal->workers, sizeof *reversal->sorters);
    for (unsigned i = 0; reversal->sorters && i < reversal->workers; i++) {
        reversal->sorters[i] = (struct sorter){.place = malloc(BIN * sizeof(uint32_t)),
                                               .holder = walk_large_alloc(reversal->stock, largest, sizeof(uint32_t))};
        if (!reversal->sorters[i].place || !reversal->sorters[i].holder)
            return false;
    }
    return reversal->sorters != NULL;
}

/* What different hands count stands apart. */
static bool open_hands(struct reversal *reversal)
{
    reversal->hand = walk_workers_state(reversal->hands, sizeof *reversal->hand);
    for (unsigned i = 0; reversal->hand && i < reversal->hands; i++)
        if (!(reversal->hand[i].at = walk_workers_state(1, 2 * reversal->bins * sizeof *reversal->hand[i].at)))
            return false;
    return reversal->hand != NULL;
}

static bool open_reversal(struct reversal *reversal)
{
    struct walk_graph *graph = reversal->graph;
    size_t nodes = graph->node_count;
    graph->marked_count = 0;
    reversal->hands = reversal->workers * HANDS_PER_WORKER;
    reversal->bins = (nodes >> BIN_BITS) + 1;
    reversal->referent = walk_large_alloc(reversal->stock, graph->edge_count + 1, sizeof *reversal->referent);
    graph->backward.start = walk_large_alloc(reversal->stock, nodes + 1, sizeof *graph->backward.start);
    graph->backward.edge = walk_large_alloc(reversal->stock, graph->edge_count + 1, sizeof *graph->backward.edge);
    return open_hands(reversal) && reversal->referent && graph->backward.start && graph->backward.edge;
}

static void close_reversal(struct reversal *reversal)
{
    for (unsigned i = 0; reversal->sorters && i < reversal->workers; i++) {
        free(reversal->sorters[i].place);
        walk_large_free(reversal->sorters[i].holder);
    }
    for (unsigned i = 0; reversal->hand && i < reversal->hands; i++)
        free(reversal->hand[i].at);
    free(reversal->sorters);
    free(reversal->hand);
    walk_large_free(reversal->referent);
}

struct walk_error *walk_rows_reverse(struct walk_graph *graph, unsigned workers, struct walk_stock *stock)
{
    struct reversal reversal = {.graph = graph, .stock = stock, .workers = workers};
    bool good = open_reversal(&reversal);
    if (good) {
        walk_workers_run(workers, reversal.hands, count_hand, &reversal);
        sum_up(&reversal);
        good = open_sorters(&reversal);
    }
    if (good) {
        walk_workers_run(workers, reversal.hands, deal_hand, &reversal);
        walk_workers_run(workers, reversal.bins, sort_bin, &reversal);
        graph->backward.start[graph->node_count] = (uint32_t)graph->edge_count;
    }
    close_reversal(&reversal);
    return good ? NULL : walk_error_no_memory();
}
