/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_WORKLOAD_H
#define TESTS_FUZZ_WORKLOAD_H

#include "rng.h"

/*
 * Opens a core or a saved heap, builds its heap and asks every question that there is: of every node what is cheap, of
 * a sample what is not. A promise of walk.h that does not hold ends the process with a message and WORKLOAD_BROKEN.
 */
enum { WORKLOAD_BROKEN = 98, WORKLOAD_REFUSED = 1, WORKLOAD_ANSWERED = 0 };
int workload(const char *core, struct rng *rng);

#endif
