/* SPDX-License-Identifier: Apache-2.0 */
/* The interpreters' threads, their stacks of Python frames, and the names that threading knows them by. */
#include <stdlib.h>

#include "bytes/process.h"
#include "objects/attribute.h"
#include "objects/dict.h"
#include "objects/frames.h"
#include "objects/ring.h"
#include "objects/text.h"

/* More are damage: recursion is limited far below, even with the limit raised. Of all threads together. */
enum { THREADS_MAX = 1 << 16, FRAMES_MAX = 1 << 24 };

/* ---- stacks ---- */

/* False: it cannot be read. In 3.11 and 3.12 it is said on the C stack, which a truncated core is the first to lose. */
static bool top_frame(const struct walk_python *python, walk_addr thread, walk_addr *top)
{
    const struct walk_layout *layout = python->layout;
    walk_addr cframe;
    if (WALK_HAS(layout, thread, current_frame))
        return walk_python_read_member(python, thread, WALK_FIELD_thread_current_frame, top);
    if (WALK_HAS(layout, thread, frame))
        return walk_python_read_member(python, thread, WALK_FIELD_thread_frame, top);
    *top = 0;
    return walk_python_read_member(python, thread, WALK_FIELD_thread_cframe, &cframe) &&
           (!cframe || walk_python_read_member(python, cframe, WALK_FIELD_cframe_current_frame, top));
}

static bool push_frame(struct walk_python *python, struct walk_stack_frame frame)
{
    if ((python->stack_frame_count & (python->stack_frame_count - 1)) == 0) {
        size_t capacity = python->stack_frame_count ? python->stack_frame_count * 2 : 1;
        struct walk_stack_frame *grown = realloc(python->stack_frames, capacity * sizeof *grown);
        if (!grown)
            return false;
        python->stack_frames = grown;
    }
    python->stack_frames[python->stack_frame_count++] = frame;
    return true;
}

/* _PyFrame_IsIncomplete(): pushed, but its first traceable instruction has not run yet. */
static bool is_complete(const struct walk_python *python, const struct walk_frame_view *view)
{
    enum { OWNED_BY_GENERATOR = 1, CODE_UNIT = 2 };
    if (view->owner == OWNED_BY_GENERATOR || !WALK_HAS(python->layout, code, co_firsttraceable))
        return true;
    return view->lasti >= (int64_t)WALK_INT_MEMBER(python, view->code, code, co_firsttraceable) * CODE_UNIT;
}

/* Where the bytes of an address are for now. */
static walk_addr spilled(const struct walk_spill *spill, walk_addr address)
{
    return spill && address >= spill->start && address - spill->start < spill->size
               ? spill->copy + (address - spill->start)
               : address;
}

/*
 * Frames that stand for C code on the stack (3.12+): they hold nothing and sys._getframe() skips them. These, and no
 * others, are themselves on the C stack.
 */
static bool is_shim(const struct walk_python *python, walk_addr iframe)
{
    enum { OWNED_BY_C = 3 };
    const uint8_t *owner = walk_memory_view(python->memory, iframe + WALK_OFFSET(python->layout, iframe, owner), 1);
    return owner && (int8_t)*owner >= OWNED_BY_C;
}

struct walk_error *walk_python_read_stack(struct walk_python *python, walk_addr top, const struct walk_spill *spill,
                                          size_t *first, size_t *count, bool *complete)
{
    bool new = WALK_HAS(python->layout, iframe, localsplus);
    walk_addr at = top;
    *first = python->stack_frame_count;
    *count = 0;
    *complete = false;
    struct walk_ring ring = {0};
    while (at && python->stack_frame_count < FRAMES_MAX && !walk_ring_closed(&ring, at)) {
        walk_addr where = spilled(spill, at);
        walk_addr previous =
            new ? WALK_MEMBER(python, where, iframe, previous) : WALK_MEMBER(python, where, frame, f_back);
        struct walk_frame_view view;
        if (!(new &&is_shim(python, where))) {
            if (!walk_frame_open(python, at, &view))
                return NULL; /* not complete */
            walk_addr object = new ? WALK_MEMBER(python, at, iframe, frame_obj) : at;
            struct walk_stack_frame frame = {.node = object ? object : at,
                                             .iframe = at,
                                             .is_object = object != 0,
                                             .complete = is_complete(python, &view)};
            if ((*count)++)
                python->stack_frames[python->stack_frame_count - 1].previous = frame.node;
            if (!push_frame(python, frame))
                return walk_error_no_memory();
        }
        at = previous;
    }
    *complete = at == 0;
    return NULL;
}

static int by_iframe(const void *a, const void *b)
{
    const struct walk_stack_frame *x = *(const struct walk_stack_frame *const *)a;
    const struct walk_stack_frame *y = *(const struct walk_stack_frame *const *)b;
    return (x->iframe > y->iframe) - (x->iframe < y->iframe);
}

struct walk_error *walk_python_index_stacks(struct walk_python *python)
{
    python->stack_by_iframe = malloc((python->stack_frame_count + 1) * sizeof *python->stack_by_iframe);
    if (!python->stack_by_iframe)
        return walk_error_no_memory();
    for (size_t i = 0; i < python->stack_frame_count; i++)
        python->stack_by_iframe[i] = &python->stack_frames[i];
    qsort(python->stack_by_iframe, python->stack_frame_count, sizeof *python->stack_by_iframe, by_iframe);
    return NULL;
}

const struct walk_stack_frame *walk_python_on_stack(const struct walk_python *python, walk_addr iframe)
{
    const struct walk_stack_frame key = {.iframe = iframe}, *pointer = &key;
    const struct walk_stack_frame **found = python->stack_by_iframe && python->stack_frame_count
                                                ? bsearch(&pointer, python->stack_by_iframe, python->stack_frame_count,
                                                          sizeof *python->stack_by_iframe, by_iframe)
                                                : NULL;
    return found ? *found : NULL;
}

/* ---- names and native ids ---- */

static void name_thread(struct walk_python *python, walk_addr thread_object, struct walk_pythread *thread)
{
    char name[WALK_NAME_MAX];
    int64_t native;
    if (walk_text_str(python, walk_python_attribute(python, thread_object, "_name"), name, sizeof name))
        thread->name = walk_python_keep(python, name);
    if (!thread->native_id &&
        walk_text_small_int(python, walk_python_attribute(python, thread_object, "_native_id"), &native) && native > 0)
        thread->native_id = (uint64_t)native;
}

/* threading._active maps identifiers to Thread objects. */
static void name_threads(struct walk_python *python, walk_addr interpreter)
{
    struct walk_dict active;
    walk_addr module = walk_python_module(python, interpreter, "threading");
    walk_addr names = module ? walk_dict_get(python, WALK_MEMBER(python, module, module, md_dict), "_active") : 0;
    if (!names || !walk_dict_open(python, names, &active))
        return;
    for (uint64_t i = 0; i < active.keys.count; i++) {
        walk_addr key, value;
        int64_t ident;
        walk_dict_entry(python, &active, i, &key, &value);
        if (!key || !value || !walk_text_small_int(python, key, &ident))
            continue;
        for (size_t t = 0; t < python->thread_count; t++)
            if (python->threads[t].interpreter == interpreter && python->threads[t].ident == (uint64_t)ident)
                name_thread(python, value, &python->threads[t]);
    }
}

/*
 * pthread_self() is the thread register's value on x86; elsewhere (aarch64) the C library's struct pthread, of which it
 * is the address, ends there.
 */
static uint64_t lwp_by_register(const struct walk_image *image, uint64_t ident)
{
    enum { STRUCT_PTHREAD_MAX = 1 << 13 };
    uint64_t id = 0, nearest = STRUCT_PTHREAD_MAX;
    for (size_t i = 0; i < image->lwp_count && ident; i++) {
        uint64_t distance = image->lwps[i].thread_pointer - ident;
        if (image->lwps[i].thread_pointer >= ident && distance < nearest) {
            nearest = distance;
            id = image->lwps[i].tid;
        }
    }
    return id;
}

/* The C library keeps a thread's struct pthread at the top of the thread's stack, except for the first thread. */
static uint64_t lwp_by_stack(struct walk_image *image, uint64_t ident)
{
    const struct walk_segment *segment = walk_memory_segment(&image->memory, ident);
    uint64_t id = 0;
    walk_addr nearest = segment ? segment->start : 0;
    for (size_t i = 0; i < image->lwp_count && segment; i++) {
        walk_addr at = image->lwps[i].stack_pointer;
        if (at >= nearest && at < ident) {
            nearest = at;
            id = image->lwps[i].tid;
        }
    }
    return id;
}

/* What the operating system knows tells the LWP; else the state, which up to 3.10 does not say it. */
static uint64_t native_id(const struct walk_python *python, walk_addr thread, uint64_t ident)
{
    struct walk_image *image = python->runtime->image;
    uint64_t id = lwp_by_register(image, ident);
    if (!id)
        id = WALK_MEMBER(python, thread, thread, native_thread_id);
    return id ? id : lwp_by_stack(image, ident);
}

/* The first thread's struct pthread is elsewhere: it is the one that is left. It has a state in each interpreter it
 * ran. */
static void find_first_lwp(struct walk_python *python)
{
    const struct walk_image *image = python->runtime->image;
    if (!image->process)
        return;
    uint64_t first = (uint64_t)walk_process_reader_pid(image->process), ident = 0;
    for (size_t i = 0; i < python->thread_count; i++) {
        const struct walk_pythread *thread = &python->threads[i];
        if (thread->native_id == first || (!thread->native_id && ident && thread->ident != ident))
            return;
        if (!thread->native_id)
            ident = thread->ident;
    }
    for (size_t i = 0; i < python->thread_count; i++)
        if (!python->threads[i].native_id)
            python->threads[i].native_id = first;
}

static struct walk_error *add_thread(struct walk_python *python, walk_addr interpreter, walk_addr address)
{
    struct walk_pythread *grown = realloc(python->threads, (python->thread_count + 1) * sizeof *grown);
    if (!grown)
        return walk_error_no_memory();
    python->threads = grown;
    struct walk_pythread *thread = &grown[python->thread_count++];
    *thread = (struct walk_pythread){.address = address, .interpreter = interpreter, .name = ""};
    thread->ident = WALK_MEMBER(python, address, thread, thread_id);
    thread->native_id = native_id(python, address, thread->ident);
    thread->first_frame = python->stack_frame_count;
    walk_addr top;
    if (!top_frame(python, address, &top))
        return NULL; /* not complete */
    return walk_python_read_stack(python, top, NULL, &thread->first_frame, &thread->frame_count,
                                  &thread->frames_complete);
}

struct walk_error *walk_python_read_threads(struct walk_python *python)
{
    struct walk_error *error = NULL;
    for (size_t i = 0; i < python->interpreter_count && !error; i++) {
        walk_addr interpreter = python->interpreters[i].address;
        walk_addr thread = WALK_MEMBER(python, interpreter, interp, tstate_head);
        struct walk_ring ring = {0};
        while (thread && python->thread_count < THREADS_MAX && !error && !walk_ring_closed(&ring, thread)) {
            error = add_thread(python, interpreter, thread);
            if (!walk_python_read_member(python, thread, WALK_FIELD_thread_next, &thread) && !error) {
                python->threads[python->thread_count - 1].frames_complete = false; /* nor what is behind it */
                thread = 0;
            }
        }
    }
    find_first_lwp(python);
    return error;
}

void walk_python_name_threads(struct walk_python *python)
{
    for (size_t i = 0; i < python->interpreter_count && !python->threads_named; i++)
        name_threads(python, python->interpreters[i].address);
    python->threads_named = true;
}
