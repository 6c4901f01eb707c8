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
    atomic_size_t next;   /* the first task that nobody has taken */
    cpu_set_t processors; /* all that there are */
};

struct worker {
    struct run *run;
    unsigned number;
    bool placed; /* begins elsewhere than where it was made */
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

static void work(const struct worker *worker)
{
    struct run *run = worker->run;
    size_t task;
    while ((task = atomic_fetch_add_explicit(&run->next, 1, memory_order_relaxed)) < run->tasks)
        run->task(run->context, task, worker->number);
}

/* ---- threads ---- */

/*
 * Linux may let a thread begin on the processor that made it, though another one has nothing to do, and takes up to 5
 * ms to move it: as long as a small task. So it has to begin on any other one; then it may go where it likes.
 */
static bool place(struct run *run, pthread_attr_t *attributes)
{
    int here = sched_getcpu();
    if (here < 0 || here >= CPU_SETSIZE || sched_getaffinity(0, sizeof run->processors, &run->processors) != 0)
        return false;
    cpu_set_t others = run->processors;
    CPU_CLR(here, &others);
    return CPU_COUNT(&others) && pthread_attr_setaffinity_np(attributes, sizeof others, &others) == 0;
}

static void *begin(void *argument)
{
    const struct worker *worker = argument;
    if (worker->placed)
        (void)sched_setaffinity(0, sizeof worker->run->processors, &worker->run->processors);
    work(worker);
    return NULL;
}

/* `elsewhere`: where it is to begin, if that is allowed. */
static bool make(struct worker *worker, const pthread_attr_t *elsewhere)
{
    worker->placed = elsewhere != NULL;
    if (elsewhere && pthread_create(&worker->thread, elsewhere, begin, worker) == 0)
        return true;
    worker->placed = false;
    return pthread_create(&worker->thread, NULL, begin, worker) == 0;
}

/* Signals are for the threads of who called: a debugger expects its own in its main thread. How many were made. */
static unsigned start(struct run *run, struct worker *workers, unsigned count)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    unsigned started = 0;
    sigfillset(&all);
    if (pthread_attr_init(&attributes) != 0)
        return 0;
    if (pthread_sigmask(SIG_SETMASK, &all, &before) == 0) {
        bool placed = place(run, &attributes);
        for (; started < count && make(&workers[started], placed ? &attributes : NULL); started++)
            placed = workers[started].placed;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    pthread_attr_destroy(&attributes);
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
    count = count ? start(&run, others, count) : 0;
    work(&caller);
    for (unsigned i = 0; i < count; i++)
        pthread_join(others[i].thread, NULL);
}
