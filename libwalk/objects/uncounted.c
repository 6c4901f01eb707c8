/* SPDX-License-Identifier: Apache-2.0 */
#include "objects/uncounted.h"

/* Up to 3.13 every word of a frame is a counted reference. */
static bool may_borrow(const struct walk_python *python) { return WALK_MINOR(python) >= 14; }

static void add_word(struct walk_python *python, uint64_t word, struct walk_refs *refs)
{
    walk_addr object = word & 1 ? walk_frame_slot(python, word) : 0;
    if (object)
        walk_refs_add(refs, object, 0, WALK_LABEL_STACK, 0);
}

static void add_words(struct walk_python *python, walk_addr start, uint64_t count, struct walk_refs *refs)
{
    const uint8_t *words = walk_memory_view(python->memory, start, count * python->word);
    if (!words || !walk_refs_afford(refs, count))
        return;
    for (uint64_t i = 0; i < count; i++)
        add_word(python, walk_load_word(python->word, words + i * python->word), refs);
}

static void add_frame(struct walk_python *python, const struct walk_frame_view *view, uint64_t stack_count,
                      struct walk_refs *refs)
{
    add_word(python, WALK_MEMBER(python, view->address, iframe, executable), refs);
    add_word(python, WALK_MEMBER(python, view->address, iframe, funcobj), refs);
    add_words(python, view->slots, view->slot_count, refs);
    add_words(python, view->stack, stack_count, refs);
}

void walk_uncounted_of_object(struct walk_python *python, uint32_t type, walk_addr object, struct walk_refs *refs)
{
    enum { OWNED_BY_FRAME_OBJECT = 2 };
    struct walk_frame_view view;
    walk_addr frame = 0;
    if (!may_borrow(python))
        return;
    switch (python->types[type].kind) {
    case WALK_KIND_generator:
    case WALK_KIND_coroutine:
    case WALK_KIND_async_generator:
        frame = walk_frame_of_generator(python, object);
        break;
    case WALK_KIND_frame:
        frame = walk_frame_of_object(python, object);
        break;
    default:
        return;
    }
    if (!walk_frame_open(python, frame, &view) ||
        (python->types[type].kind == WALK_KIND_frame && view.owner != OWNED_BY_FRAME_OBJECT))
        return;
    if (view.stack_count >= 0) {
        add_frame(python, &view, (uint64_t)view.stack_count, refs);
    } else {
        add_word(python, WALK_MEMBER(python, view.address, iframe, executable), refs);
        add_word(python, WALK_MEMBER(python, view.address, iframe, funcobj), refs);
    }
}

/* Above the known depth of a value stack may be stale words, so only what is below is asked. */
void walk_uncounted_of_stacks(struct walk_python *python, struct walk_refs *refs)
{
    if (!may_borrow(python) || !WALK_FREE_THREADED(python->layout))
        return;
    for (size_t i = 0; i < python->stack_frame_count; i++) {
        struct walk_frame_view view;
        if (walk_frame_open(python, python->stack_frames[i].iframe, &view))
            add_frame(python, &view, view.stack_count < 0 ? 0 : (uint64_t)view.stack_count, refs);
    }
}
