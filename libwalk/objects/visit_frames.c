/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames, generators, threads, interpreters. gc.get_referents() sees a frame's variables through its frame object (up
 * to 3.10, and after the frame has ended) or through its generator (when it is suspended). The variables of frames that
 * are on a stack it never sees: those edges are extra, and they hang on the frame's node.
 */
#include "objects/frames.h"

/* The variables, by name. */
static void add_slots(struct walk_python *python, const struct walk_frame_view *view, uint32_t flags,
                      struct walk_refs *refs)
{
    struct walk_code_names names;
    const uint8_t *slots = walk_memory_view(python->memory, view->slots, view->slot_count * python->word);
    if (!slots) {
        refs->unreadable |= view->slot_count != 0;
        return;
    }
    if (!walk_refs_afford(refs, view->slot_count))
        return;
    if (!refs->unnamed)
        walk_code_names(python, view->code, &names);
    for (uint64_t i = 0; i < view->slot_count; i++) {
        walk_addr value = walk_frame_slot(python, walk_load_word(python->word, slots + i * python->word));
        if (value)
            walk_refs_add(refs, value, flags, WALK_LABEL_LOCAL, refs->unnamed ? 0 : walk_code_name(python, &names, i));
    }
}

static void add_stack(struct walk_python *python, const struct walk_frame_view *view, uint64_t count, uint32_t flags,
                      struct walk_refs *refs)
{
    const uint8_t *stack = walk_memory_view(python->memory, view->stack, count * python->word);
    if (!stack) {
        refs->unreadable |= count != 0;
        return;
    }
    if (!walk_refs_afford(refs, count))
        return;
    for (uint64_t i = 0; i < count; i++) {
        walk_addr value = walk_frame_slot(python, walk_load_word(python->word, stack + i * python->word));
        /* Above the known depth there may be what used to be there: also frames of calls that have ended. */
        if (!(flags & WALK_REF_IF_KNOWN) || !walk_python_on_stack(python, value))
            walk_refs_add(refs, value, flags, WALK_LABEL_STACK, i);
    }
}

/* Variables and stack of a frame on a thread's stack: nobody else reports them. */
static void add_executing(struct walk_python *python, const struct walk_frame_view *view, bool with_slots,
                          struct walk_refs *refs)
{
    if (with_slots)
        add_slots(python, view, WALK_EDGE_EXTRA, refs);
    if (view->stack_count >= 0)
        add_stack(python, view, (uint64_t)view->stack_count, WALK_EDGE_EXTRA, refs);
    else
        /* How deep the stack is only the C code that executes it knows: what is above may be stale. */
        add_stack(python, view, view->stack_size, WALK_EDGE_EXTRA | WALK_EDGE_GUESS | WALK_REF_IF_KNOWN, refs);
}

/* Python/frame.c, _PyFrame_Traverse() of 3.11+. */
static void traverse_iframe(struct walk_python *python, const struct walk_frame_view *view, const char *object_label,
                            struct walk_refs *refs)
{
    walk_refs_add_text(refs, WALK_MEMBER(python, view->address, iframe, frame_obj), 0, object_label);
    walk_refs_add_text(refs, view->f_locals, 0, "f_locals");
    walk_refs_add_text(refs, walk_frame_slot(python, WALK_MEMBER(python, view->address, iframe, funcobj)), 0,
                       ".f_func");
    walk_refs_add_text(refs, view->code, 0, "f_code");
    if (view->stack_count < 0)
        return;
    add_slots(python, view, 0, refs);
    add_stack(python, view, (uint64_t)view->stack_count, 0, refs);
}

/* What an interpreter's frame holds while it is on a stack; f_globals and f_builtins are borrowed from the function. */
static void add_stack_iframe(struct walk_python *python, const struct walk_frame_view *view, struct walk_refs *refs)
{
    walk_refs_add_text(refs, view->code, WALK_EDGE_EXTRA, "f_code");
    walk_refs_add_text(refs, walk_frame_slot(python, WALK_MEMBER(python, view->address, iframe, funcobj)),
                       WALK_EDGE_EXTRA, ".f_func");
    walk_refs_add_text(refs, view->f_locals, WALK_EDGE_EXTRA, "f_locals");
    add_executing(python, view, true, refs);
}

void walk_visit_stack_frame(struct walk_python *python, const struct walk_stack_frame *frame, struct walk_refs *refs)
{
    struct walk_frame_view view;
    walk_refs_add_text(refs, frame->previous, WALK_EDGE_EXTRA, "f_back");
    if (walk_frame_open(python, frame->iframe, &view))
        add_stack_iframe(python, &view, refs);
    else
        refs->unreadable = true;
}

/* Objects/frameobject.c, frame_traverse() up to 3.10; the fixed members are in the table of kinds. */
static void visit_old_frame(struct walk_python *python, walk_addr object, struct walk_refs *refs)
{
    struct walk_frame_view view;
    walk_refs_add_text(refs, WALK_MEMBER(python, object, frame, f_back), 0, "f_back");
    if (!walk_frame_open(python, object, &view)) {
        refs->unreadable = true;
        return;
    }
    add_slots(python, &view, 0, refs);
    if (view.stack_count > 0)
        add_stack(python, &view, (uint64_t)view.stack_count, 0, refs);
    else if (walk_python_on_stack(python, object))
        add_executing(python, &view, false, refs);
}

/* Objects/frameobject.c, frame_traverse() of 3.11+: the content only of a frame that the object owns. */
void walk_visit_frame(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                      struct walk_refs *refs)
{
    enum { OWNED_BY_FRAME_OBJECT = 2 };
    (void)type;
    if (!WALK_HAS(python->layout, frame, f_frame)) {
        visit_old_frame(python, object, refs);
        return;
    }
    struct walk_frame_view view;
    walk_addr back = WALK_MEMBER(python, object, frame, f_back);
    walk_refs_add_text(refs, back, 0, "f_back");
    walk_addr iframe = walk_frame_of_object(python, object);
    const struct walk_stack_frame *on_stack = walk_python_on_stack(python, iframe);
    if (on_stack && on_stack->previous != back)
        walk_refs_add_text(refs, on_stack->previous, WALK_EDGE_EXTRA, "f_back");
    if (!walk_frame_open(python, iframe, &view)) {
        refs->unreadable = true;
        return;
    }
    if (view.owner == OWNED_BY_FRAME_OBJECT)
        traverse_iframe(python, &view, "frame_obj", refs);
    else if (on_stack)
        add_stack_iframe(python, &view, refs);
}

/* gi_exc_state: type, value, traceback up to 3.10, the value since. */
static void add_exc_state(struct walk_python *python, walk_addr state, uint32_t flags, struct walk_refs *refs)
{
    walk_refs_add_text(refs, WALK_MEMBER(python, state, err_stackitem, type), flags, ".exc_type");
    walk_refs_add_text(refs, WALK_MEMBER(python, state, err_stackitem, value), flags, ".exc_value");
    walk_refs_add_text(refs, WALK_MEMBER(python, state, err_stackitem, traceback), flags, ".exc_traceback");
}

/* Objects/genobject.c, gen_traverse(); names and up to 3.10 gi_frame are in the table of kinds. */
void walk_visit_generator(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                          struct walk_refs *refs)
{
    (void)type;
    const struct walk_layout *layout = python->layout;
    add_exc_state(python, object + WALK_OFFSET(layout, generator, gi_exc_state), 0, refs);
    if (!WALK_HAS(layout, generator, gi_iframe))
        return;
    struct walk_frame_view view;
    walk_addr iframe = walk_frame_of_generator(python, object);
    if (!iframe) {
        /* 3.14+: a generator that has ended keeps its code. */
        if (WALK_MINOR(python) >= 14)
            walk_refs_add_text(
                refs,
                walk_frame_slot(python, WALK_MEMBER(python, object + WALK_OFFSET(layout, generator, gi_iframe), iframe,
                                                    executable)),
                0, "gi_code");
        return;
    }
    if (!walk_frame_open(python, iframe, &view)) {
        refs->unreadable = true;
        return;
    }
    traverse_iframe(python, &view, "gi_frame", refs);
    const struct walk_stack_frame *on_stack = walk_python_on_stack(python, iframe);
    if (on_stack && !on_stack->is_object)
        walk_refs_add_text(refs, on_stack->node, WALK_EDGE_EXTRA, "gi_frame");
}

void walk_visit_thread(struct walk_python *python, const struct walk_pythread *thread, struct walk_refs *refs)
{
    static const struct {
        enum walk_field field;
        const char *label;
    } members[] = {
        {WALK_FIELD_thread_dict, ".dict"},
        {WALK_FIELD_thread_async_exc, ".async_exc"},
        {WALK_FIELD_thread_curexc_type, ".curexc_type"},
        {WALK_FIELD_thread_curexc_value, ".curexc_value"},
        {WALK_FIELD_thread_curexc_traceback, ".curexc_traceback"},
        {WALK_FIELD_thread_current_exception, ".current_exception"},
        {WALK_FIELD_thread_context, ".context"},
        {WALK_FIELD_thread_c_profileobj, ".c_profileobj"},
        {WALK_FIELD_thread_c_traceobj, ".c_traceobj"},
        {WALK_FIELD_thread_async_gen_firstiter, ".async_gen_firstiter"},
        {WALK_FIELD_thread_async_gen_finalizer, ".async_gen_finalizer"},
        {WALK_FIELD_thread_threading_local_key, ".threading_local_key"},
        {WALK_FIELD_thread_threading_local_sentinel, ".threading_local_sentinel"},
        {WALK_FIELD_thread_impl_asyncio_running_loop, ".asyncio_running_loop"},
        {WALK_FIELD_thread_impl_asyncio_running_task, ".asyncio_running_task"},
        {WALK_FIELD_thread_impl_lazy_imports, ".lazy_imports"},
    };
    if (thread->frame_count)
        walk_refs_add_text(refs, python->stack_frames[thread->first_frame].node, WALK_EDGE_EXTRA, "frame");
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        walk_refs_add_text(refs, walk_python_member(python, thread->address, members[i].field), WALK_EDGE_EXTRA,
                           members[i].label);
    /* The chain of exceptions being handled: items in the state itself are the thread's, the others generators'. */
    walk_addr item = WALK_MEMBER(python, thread->address, thread, exc_info);
    for (int i = 0; item && i < 10000; i++) {
        if (item >= thread->address && item < thread->address + WALK_SIZE(python->layout, thread))
            add_exc_state(python, item, WALK_EDGE_EXTRA, refs);
        item = WALK_MEMBER(python, item, err_stackitem, previous);
    }
}

/* A static type itself refers to what the main interpreter keeps of it. */
static void add_static_types(struct walk_python *python, walk_addr interpreter, bool extensions, struct walk_refs *refs)
{
    struct walk_static_type found;
    for (size_t i = 0; walk_python_static_type(python, interpreter, i, extensions, &found); i++) {
        walk_refs_add(refs, found.dict, WALK_EDGE_EXTRA, WALK_LABEL_TYPE_DICT, found.type);
        walk_refs_add(refs, found.subclasses, WALK_EDGE_EXTRA, WALK_LABEL_TYPE_SUBCLASSES, found.type);
    }
}

void walk_visit_interpreter(struct walk_python *python, walk_addr interpreter, struct walk_refs *refs)
{
    static const struct {
        enum walk_field field;
        const char *label;
    } members[] = {
        {WALK_FIELD_interp_modules, ".modules"},
        {WALK_FIELD_interp_modules_by_index, ".modules_by_index"},
        {WALK_FIELD_interp_importlib, ".importlib"},
        {WALK_FIELD_interp_import_func, ".import_func"},
        {WALK_FIELD_interp_sysdict, ".sysdict"},
        {WALK_FIELD_interp_sysdict_copy, ".sysdict_copy"},
        {WALK_FIELD_interp_builtins, ".builtins"},
        {WALK_FIELD_interp_builtins_copy, ".builtins_copy"},
        {WALK_FIELD_interp_codec_search_path, ".codec_search_path"},
        {WALK_FIELD_interp_codec_search_cache, ".codec_search_cache"},
        {WALK_FIELD_interp_codec_error_registry, ".codec_error_registry"},
        {WALK_FIELD_interp_dict, ".dict"},
        {WALK_FIELD_interp_before_forkers, ".before_forkers"},
        {WALK_FIELD_interp_after_forkers_parent, ".after_forkers_parent"},
        {WALK_FIELD_interp_after_forkers_child, ".after_forkers_child"},
        {WALK_FIELD_interp_audit_hooks, ".audit_hooks"},
        {WALK_FIELD_interp_pyexitmodule, ".pyexitmodule"},
        {WALK_FIELD_interp_atexit_callbacks, ".atexit.callbacks"},
        {WALK_FIELD_interp_warnings_filters, ".warnings.filters"},
        {WALK_FIELD_interp_warnings_once_registry, ".warnings.once_registry"},
        {WALK_FIELD_interp_warnings_default_action, ".warnings.default_action"},
        {WALK_FIELD_interp_warnings_context, ".warnings.context"},
        {WALK_FIELD_interp_lazy_import_func, ".lazy_import_func"},
        {WALK_FIELD_interp_lazy_imports_filter, ".lazy_imports_filter"},
        {WALK_FIELD_interp_lazy_modules, ".lazy_modules"},
        {WALK_FIELD_interp_lazy_pending_submodules, ".lazy_pending_submodules"},
        {WALK_FIELD_interp_gc_garbage, ".gc.garbage"},
        {WALK_FIELD_interp_gc_callbacks, ".gc.callbacks"},
    };
    const int32_t atexit = python->layout->offset[WALK_FIELD_interp_atexit_callbacks];
    const bool is_list = WALK_MINOR(python) >= 14;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (members[i].field != WALK_FIELD_interp_atexit_callbacks || is_list)
            walk_refs_add_text(refs, walk_python_member(python, interpreter, members[i].field), WALK_EDGE_EXTRA,
                               members[i].label);
    if (atexit != WALK_ABSENT && !is_list)
        walk_visit_atexit(python, interpreter + (uint32_t)atexit, WALK_EDGE_EXTRA, refs);
    if (interpreter == walk_python_main(python))
        walk_signals_visit(python, refs);
    for (int extensions = 0; extensions <= 1 && interpreter != walk_python_main(python); extensions++)
        add_static_types(python, interpreter, extensions, refs);
    for (size_t i = 0; i < python->thread_count; i++)
        if (python->threads[i].interpreter == interpreter)
            walk_refs_add_text(refs, python->threads[i].address, WALK_EDGE_EXTRA, ".thread");
}
