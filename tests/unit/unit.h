/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <check.h>
#include <stdlib.h>

#include "../fuzz/rng.h"
#include "bytes/error.h"

/* A group of tests: the name says what they are about, each test's name the invariant. */
struct unit_group {
    const char *name;
    const TTest *const *tests; /* ends with NULL */
    int loops;                 /* how often each runs, with _i counting from 0; 0: once */
};

static inline int unit_run(const char *name, const struct unit_group *groups, size_t count)
{
    Suite *suite = suite_create(name);
    for (size_t g = 0; g < count; g++) {
        TCase *group = tcase_create(groups[g].name);
        tcase_set_timeout(group, 60);
        for (size_t t = 0; groups[g].tests[t]; t++)
            tcase_add_loop_test(group, groups[g].tests[t], 0, groups[g].loops ? groups[g].loops : 1);
        suite_add_tcase(suite, group);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Check notes every assertion in a file, which is slow: these only tell what fails, for loops. */
#define expect(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            ck_abort_msg("%s does not hold", #condition);                                                              \
    } while (0)
#define expect_eq(left, right)                                                                                         \
    do {                                                                                                               \
        unsigned long long left_ = (unsigned long long)(left), right_ = (unsigned long long)(right);                   \
        if (left_ != right_)                                                                                           \
            ck_abort_msg("%s is %llu (0x%llx), not %s: %llu (0x%llx)", #left, left_, left_, #right, right_, right_);   \
    } while (0)

/* The error must be there, of this code, with this text in it; frees it. */
#define assert_error(expression, expected_code, text)                                                                  \
    do {                                                                                                               \
        struct walk_error *error_ = (expression);                                                                      \
        ck_assert_ptr_nonnull(error_);                                                                                 \
        ck_assert_msg(walk_error_code(error_) == (expected_code), "code %d: %s", (int)walk_error_code(error_),         \
                      walk_error_message(error_));                                                                     \
        ck_assert_msg(strstr(walk_error_message(error_), (text)) != NULL, "not in \"%s\": %s",                         \
                      walk_error_message(error_), (text));                                                             \
        walk_error_free(error_);                                                                                       \
    } while (0)

#define assert_good(expression)                                                                                        \
    do {                                                                                                               \
        struct walk_error *error_ = (expression);                                                                      \
        ck_assert_msg(!error_, "%s", error_ ? walk_error_message(error_) : "");                                        \
    } while (0)

#endif
