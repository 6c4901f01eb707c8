/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes/workers.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What the workers of one call share. */
struct run {
    walk_task *task;
    void *context;
    size_t tasks;
    atomic_size_t next; /* the first task that nobody has taken */
};

struct worker {
    struct run *run;
    unsigned number;
    pthread_t thread;
};

unsigned walk_workers_count(unsigned wanted)
{
    cpu_set_t processors;
    if (!wanted)
        wanted = sched_getaffinity(0, sizeof processors, &processors) == 0 ? (unsigned)CPU_COUNT(&processors) : 1;
    return wanted < WALK_WORKERS_MAX ? wanted : WALK_WORKERS_MAX;
}

void *walk_workers_state(unsigned workers, size_t size)
{
    size_t room = (workers * size + WALK_APART - 1) / WALK_APART * WALK_APART;
    void *state = aligned_alloc(WALK_APART, room ? room : WALK_APART);
    return state ? memset(state, 0, room) : NULL;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct run *run = worker->run;
    size_t task;
    while ((task = atomic_fetch_add_explicit(&run->next, 1, memory_order_relaxed)) < run->tasks)
        run->task(run->context, task, worker->number);
    return NULL;
}

/* Signals are for the threads of who called: a debugger expects its own in its main thread. How many were made. */
static unsigned start(struct worker *workers, unsigned count)
{
    sigset_t all, before;
    unsigned started = 0;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return 0;
    while (started < count && pthread_create(&workers[started].thread, NULL, work, &workers[started]) == 0)
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

void walk_workers_run(unsigned workers, size_t tasks, walk_task *task, void *context)
{
    struct run run = {.task = task, .context = context, .tasks = tasks};
    struct worker caller = {.run = &run}, others[WALK_WORKERS_MAX];
    unsigned count = 0;
    if (workers > WALK_WORKERS_MAX)
        workers = WALK_WORKERS_MAX;
    while (count + 1 < workers && count + 1 < tasks) {
        others[count] = (struct worker){.run = &run, .number = count + 1};
        count++;
    }
    count = count ? start(others, count) : 0;
    work(&caller);
    for (unsigned i = 0; i < count; i++)
        pthread_join(others[i].thread, NULL);
}
