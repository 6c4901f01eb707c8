/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_BYTES_PROCESS_H
#define WALK_BYTES_PROCESS_H

struct walk_process_reader;
void walk_process_reader_free(struct walk_process_reader *reader);

/* The pid of a live process' reader. */
int walk_process_reader_pid(const struct walk_process_reader *reader);

#endif
