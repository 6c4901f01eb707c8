/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WALK_LAYOUT_RULES_H
#define WALK_LAYOUT_RULES_H

/* What the rules of the list in prove.c ask of a target's memory. */

#include "layout/proof.h"

/* Says WALK_FAILS, and what of. */
enum walk_verdict walk_proof_fails(struct walk_proof *proof, const char *detail);

/* What of samples is said of all: a few may be damaged. */
enum walk_verdict walk_proof_most(unsigned good, unsigned bad);

/* Whether a list of the collector ends where it began, each entry pointing back. */
bool walk_proof_ring_closes(const struct walk_proof *proof, walk_addr head);

/* ---- samples.c ---- */

/* All that are found; once for a layout. */
void walk_proof_take_samples(struct walk_proof *proof);

/* One more: as the class of the object has it, or of this structure. */
void walk_proof_sample_object(struct walk_proof *proof, walk_addr object);
void walk_proof_sample(struct walk_proof *proof, enum walk_struct structure, walk_addr address);

/* ---- the rules ---- */

#define RULE(name) enum walk_verdict walk_rule_##name(struct walk_proof *proof, const struct walk_rule *rule);
/* required.c */
RULE(has_required)
/* rules_runtime.c */
RULE(type_of_type)
RULE(size_of_class)
RULE(interpreters_end)
RULE(threads_point_back)
RULE(main_is_last)
RULE(has_thread)
RULE(lists_close)
RULE(permanent_closes)
RULE(collecting_is_flag)
RULE(threads_have_heaps)
RULE(agrees_with_debug_offsets)
/* rules_objects.c */
RULE(points_to)
RULE(dict_tables)
RULE(sys_modules)
RULE(sys_has)
RULE(has_len)
RULE(has_displayhook)
RULE(maxsize)
RULE(float_max)
RULE(mro_begins)
RULE(list_room)
RULE(set_tables)
RULE(str_ends)
RULE(bytes_end)
RULE(code_numbers)
RULE(shared_keys)
RULE(static_types)
RULE(inline_values)
/* rules_frames.c */
RULE(thread_ids)
RULE(native_ids)
RULE(stacks_have_code)
RULE(generators_have_code)
#undef RULE

#endif
