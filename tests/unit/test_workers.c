/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdatomic.h>

#include "bytes/memory.h"
#include "bytes/workers.h"
#include "unit.h"

enum { TASKS = 1000 };

/* What the tasks noted. */
struct notes {
    atomic_uint done[TASKS];
    unsigned of_worker[WALK_WORKERS_MAX]; /* without a lock: one worker's tasks run one after the other */
    unsigned workers;
};

static void note(void *context, size_t task, unsigned worker)
{
    struct notes *notes = context;
    expect(worker < notes->workers);
    atomic_fetch_add(&notes->done[task], 1);
    notes->of_worker[worker]++;
}

START_TEST(every_task_is_done_once_whatever_the_number_of_workers)
{
    static const unsigned counts[] = {0, 1, 2, 4, WALK_WORKERS_MAX, WALK_WORKERS_MAX + 1};
    struct notes notes = {.workers = counts[_i] ? counts[_i] : 1};
    unsigned sum = 0;
    walk_workers_run(counts[_i], TASKS, note, &notes);
    for (size_t i = 0; i < TASKS; i++)
        expect_eq(atomic_load(&notes.done[i]), 1);
    for (size_t i = 0; i < WALK_WORKERS_MAX; i++)
        sum += notes.of_worker[i];
    expect_eq(sum, TASKS);
}
END_TEST

START_TEST(no_tasks_are_no_work)
{
    struct notes notes = {.workers = 4};
    walk_workers_run(4, 0, note, &notes);
    expect_eq(notes.of_worker[0], 0);
}
END_TEST

START_TEST(at_least_one_worker_and_not_too_many)
{
    ck_assert_uint_ge(walk_workers_count(0), 1);
    expect_eq(walk_workers_count(3), 3);
    expect_eq(walk_workers_count(1u << 20), WALK_WORKERS_MAX);
}
END_TEST

/* A signal that comes while workers run is the caller's. */
static void mask_of(void *context, size_t task, unsigned worker)
{
    sigset_t blocked;
    (void)task;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    if (worker && !sigismember(&blocked, SIGINT))
        atomic_fetch_add((atomic_uint *)context, 1);
}

START_TEST(signals_go_to_the_caller)
{
    atomic_uint open = 0;
    sigset_t blocked;
    walk_workers_run(4, TASKS, mask_of, &open);
    expect_eq(open, 0);
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    ck_assert(!sigismember(&blocked, SIGINT));
}
END_TEST

START_TEST(memory_is_forked_only_if_its_bytes_are_there)
{
    uint8_t bytes[64] = {7};
    struct walk_segment saved = {.start = 0x1000, .end = 0x1040, .data = bytes};
    struct walk_segment lazy = {.start = 0x2000, .end = 0x3000, .kind = WALK_SEGMENT_LAZY};
    struct walk_memory memory, fork;
    walk_memory_init(&memory, 8);
    assert_good(walk_memory_add(&memory, &saved));
    ck_assert(walk_memory_fork(&memory, &fork));
    ck_assert_ptr_eq(walk_memory_view(&fork, 0x1000, 64), bytes);
    assert_good(walk_memory_add(&memory, &lazy));
    ck_assert(!walk_memory_fork(&memory, &fork));
    walk_memory_deinit(&memory);
}
END_TEST

int main(void)
{
    const TTest *const counts[] = {every_task_is_done_once_whatever_the_number_of_workers, NULL};
    const TTest *const others[] = {no_tasks_are_no_work, at_least_one_worker_and_not_too_many, signals_go_to_the_caller,
                                   NULL};
    const TTest *const memory[] = {memory_is_forked_only_if_its_bytes_are_there, NULL};
    const struct unit_group groups[] = {{"tasks", counts, 6}, {"workers", others, 0}, {"what they share", memory, 0}};
    return unit_run("workers", groups, sizeof groups / sizeof *groups);
}
