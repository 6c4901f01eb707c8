/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_WORKERS_H
#define WALK_BYTES_WORKERS_H

/*
 * Work that is done by several threads: tasks are handed out one by one, and the call returns when all are done.
 * Between two calls there are no threads. Which worker does which task is not determined: results must not depend on
 * it.
 *
 * What workers may share: anything that nobody changes meanwhile. A walk_memory is not that (it remembers where it was
 * asked last, and a live target's is filled when asked): see walk_memory_fork().
 */

#include <stddef.h>

/* More than these are of no use to anybody. */
enum { WALK_WORKERS_MAX = 64 };

/* `worker` is below the number of workers: tasks of one worker run one after the other. */
typedef void walk_task(void *context, size_t task, unsigned worker);

/* How many workers there are to be when `wanted` are asked for; 0: as many as this process has processors. */
unsigned walk_workers_count(unsigned wanted);

/*
 * What one worker writes all the time must not stand near what another one does: processors hand lines of their caches
 * to each other, in pairs. Structures of which each worker has one begin with a member that is aligned to this.
 */
enum { WALK_APART = 128 };

/* Zeroed room for one such structure per worker; freed with free(). NULL: no memory. */
void *walk_workers_state(unsigned workers, size_t size);

/* Runs tasks 0 … tasks-1. The caller is worker 0; where no threads can be made, it does all of them. */
void walk_workers_run(unsigned workers, size_t tasks, walk_task *task, void *context);

#endif
