/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/heads.h"

bool walk_heads_read(struct walk_heads *heads, const struct walk_python *python)
{
    size_t collectors = walk_runtime_shares_collector(python->runtime) ? 1 : python->interpreter_count;
    *heads = (struct walk_heads){.collector_count = collectors, .first = UINT64_MAX};
    if (collectors * WALK_LISTS >= WALK_HEADS_MAX)
        return false;
    for (size_t i = 0; i < collectors; i++) {
        struct walk_collector collector;
        walk_runtime_collector(python->runtime, python->interpreters[i].address, &collector);
        if (collector.collecting)
            return false;
        for (unsigned g = 0; g < WALK_LISTS - 1; g++)
            heads->at[heads->count++] = collector.generation[g];
        heads->at[heads->count++] = collector.permanent;
    }
    for (size_t i = 0; i < heads->count; i++) {
        if (heads->at[i] && heads->at[i] < heads->first)
            heads->first = heads->at[i];
        if (heads->at[i] > heads->last)
            heads->last = heads->at[i];
    }
    return true;
}

void walk_heads_share_out(const struct walk_heads *heads, const size_t *count, struct walk_python *python)
{
    bool shared = heads->collector_count < python->interpreter_count;
    size_t sum = 0;
    for (size_t i = 0; i < heads->collector_count; i++) {
        python->interpreters[i].first_tracked = sum;
        python->interpreters[i].tracked_count = shared ? 0 : count[i + 1];
        sum += count[i + 1];
    }
    python->permanent_count = count[walk_heads_permanent(heads)];
    python->tracked_count = sum + python->permanent_count;
}
