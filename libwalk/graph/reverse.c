/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backward rows: a sort of the edges by referent, in two steps, each of which writes near to where it wrote before.
 * Each worker takes the rows of some holders, one after the other, and deals their edges into bins by referent; then
 * each bin, which is small enough for a processor's cache, is sorted by counting. What came first stays first, so rows
 * are in the order of their holders.
 */
#include <stdlib.h>
#include <string.h>

#include "bytes/large.h"
#include "bytes/workers.h"
#include "graph/log.h"

/* Referents of a bin. */
enum { BIN_BITS = 16, BIN = 1 << BIN_BITS };

struct dealt {
    walk_id to;
    uint32_t from; /* as it stands in a row: with WALK_EDGE_MARK */
};

struct reversal {
    struct walk_graph *graph;
    unsigned hands; /* who deals: parts of the holders */
    size_t bins;
    size_t stride;       /* of a hand in `at`: what different hands count stands apart */
    uint64_t *at;        /* [hand][bin]: where that hand's next edge goes; in the end: where the next hand's begin */
    struct dealt *dealt; /* all edges, by bin */
    uint32_t **place;    /* per worker: of each referent of a bin, where its next edge goes */
};

static walk_id first_holder(const struct reversal *reversal, size_t hand)
{
    return (walk_id)((uint64_t)reversal->graph->node_count * hand / reversal->hands);
}

static uint64_t *at_of(const struct reversal *reversal, size_t bin, size_t hand)
{
    return &reversal->at[hand * reversal->stride + bin];
}

/* How many edges a hand has for each bin. */
static void count_hand(void *context, size_t hand, unsigned worker)
{
    const struct reversal *reversal = context;
    const struct walk_rows *forward = &reversal->graph->forward;
    uint32_t end = forward->start[first_holder(reversal, hand + 1)];
    (void)worker;
    for (uint32_t i = forward->start[first_holder(reversal, hand)]; i < end; i++)
        ++*at_of(reversal, WALK_EDGE_ID(forward->edge[i]) >> BIN_BITS, hand);
}

static void deal_hand(void *context, size_t hand, unsigned worker)
{
    const struct reversal *reversal = context;
    const struct walk_rows *forward = &reversal->graph->forward;
    walk_id end = first_holder(reversal, hand + 1);
    (void)worker;
    for (walk_id id = first_holder(reversal, hand); id < end; id++)
        for (uint32_t i = forward->start[id]; i < forward->start[id + 1]; i++) {
            walk_id to = WALK_EDGE_ID(forward->edge[i]);
            uint64_t at = (*at_of(reversal, to >> BIN_BITS, hand))++;
            reversal->dealt[at] = (struct dealt){to, id | (forward->edge[i] & WALK_EDGE_MARK)};
        }
}

/* Counts become places. */
static void sum_up(const struct reversal *reversal)
{
    uint64_t sum = 0;
    for (size_t bin = 0; bin < reversal->bins; bin++)
        for (size_t hand = 0; hand < reversal->hands; hand++) {
            uint64_t *at = at_of(reversal, bin, hand), count = *at;
            *at = sum;
            sum += count;
        }
}

static void sort_bin(void *context, size_t bin, unsigned worker)
{
    const struct reversal *reversal = context;
    struct walk_rows *backward = &reversal->graph->backward;
    walk_id first = (walk_id)(bin << BIN_BITS), nodes = reversal->graph->node_count;
    walk_id size = nodes - first < BIN ? nodes - first : BIN;
    uint64_t start = bin ? *at_of(reversal, bin - 1, reversal->hands - 1) : 0,
             end = *at_of(reversal, bin, reversal->hands - 1);
    uint32_t *place = reversal->place[worker], sum = (uint32_t)start;
    memset(place, 0, size * sizeof *place);
    for (uint64_t i = start; i < end; i++)
        place[reversal->dealt[i].to - first]++;
    for (walk_id i = 0; i < size; i++) {
        uint32_t count = place[i];
        backward->start[first + i] = place[i] = sum;
        sum += count;
    }
    for (uint64_t i = start; i < end; i++)
        backward->edge[place[reversal->dealt[i].to - first]++] = reversal->dealt[i].from;
}

static bool open_reversal(struct reversal *reversal, unsigned workers)
{
    struct walk_graph *graph = reversal->graph;
    size_t nodes = graph->node_count;
    reversal->hands = workers;
    reversal->bins = (nodes >> BIN_BITS) + 1;
    reversal->stride = reversal->bins + WALK_APART / sizeof *reversal->at;
    reversal->at = calloc(reversal->stride * workers, sizeof *reversal->at);
    reversal->dealt = walk_large_alloc(graph->edge_count + 1, sizeof *reversal->dealt);
    reversal->place = calloc(workers, sizeof *reversal->place);
    for (unsigned i = 0; reversal->place && i < workers; i++)
        if (!(reversal->place[i] = malloc(BIN * sizeof **reversal->place)))
            return false;
    graph->backward.start = walk_large_alloc(nodes + 1, sizeof *graph->backward.start);
    graph->backward.edge = walk_large_alloc(graph->edge_count + 1, sizeof *graph->backward.edge);
    return reversal->at && reversal->dealt && reversal->place && graph->backward.start && graph->backward.edge;
}

static void close_reversal(struct reversal *reversal)
{
    for (unsigned i = 0; reversal->place && i < reversal->hands; i++)
        free(reversal->place[i]);
    free(reversal->place);
    free(reversal->at);
    walk_large_free(reversal->dealt);
}

struct walk_error *walk_rows_reverse(struct walk_graph *graph, unsigned workers)
{
    struct reversal reversal = {.graph = graph};
    bool good = open_reversal(&reversal, workers);
    if (good) {
        walk_workers_run(workers, reversal.hands, count_hand, &reversal);
        sum_up(&reversal);
        walk_workers_run(workers, reversal.hands, deal_hand, &reversal);
        walk_workers_run(workers, reversal.bins, sort_bin, &reversal);
        graph->backward.start[graph->node_count] = (uint32_t)graph->edge_count;
    }
    close_reversal(&reversal);
    return good ? NULL : walk_error_no_memory();
}
