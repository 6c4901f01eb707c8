/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that faulthandler holds: static variables of Modules/faulthandler.c, since 3.12 a part of _PyRuntime. Up to
 * 3.11 they are found by their symbols in .symtab, which a stripped build keeps in its debug file.
 */
#include "objects/attribute.h"
#include "objects/visit.h"

void walk_faulthandler_find(struct walk_python *python)
{
    const struct walk_runtime *runtime = python->runtime;
    struct walk_symbols own = {.fd = -1}, debug = {.fd = -1};
    const struct walk_symbols *symbols = &own;
    if (python->faulthandler.sought)
        return;
    python->faulthandler.sought = true;
    if (WALK_HAS(python->layout, runtime, faulthandler_thread) || !runtime->module->file ||
        !walk_python_module(python, walk_python_main(python), "faulthandler"))
        return;
    struct walk_error *error = walk_symbols_open(runtime->module, &own);
    if (!error && !walk_symbols_find(&own, "user_signals")) {
        error = walk_symbols_open_debug(runtime->module, runtime->image->debug_dirs, &own, &debug);
        symbols = &debug;
    }
    if (error) {
        walk_error_free(error); /* what faulthandler holds stays unknown */
        walk_symbols_close(&own);
        return;
    }
    python->faulthandler.thread = walk_symbols_find(symbols, "thread");
    python->faulthandler.fatal_error = walk_symbols_find(symbols, "fatal_error");
    python->faulthandler.user_signals = walk_symbols_find(symbols, "user_signals");
    walk_symbols_close(&debug);
    walk_symbols_close(&own);
}

/*
 * `thread` starts with its file, `fatal_error` has it behind an int, `user_signals` is an array of 65 with the file as
 * second word (192 bytes each, or 164: a struct sigaction of glibc).
 */
void walk_faulthandler_visit(struct walk_python *python, struct walk_refs *refs)
{
    enum { SIGNALS = 65 };
    const uint64_t signal_size = python->word == 8 ? 192 : 164;
    const struct walk_runtime *runtime = python->runtime;
    walk_addr thread = python->faulthandler.thread, fatal = python->faulthandler.fatal_error;
    walk_addr signals = python->faulthandler.user_signals;
    if (WALK_HAS(python->layout, runtime, faulthandler_thread)) {
        thread = runtime->runtime + WALK_OFFSET(python->layout, runtime, faulthandler_thread);
        fatal = runtime->runtime + WALK_OFFSET(python->layout, runtime, faulthandler_fatal_error);
        signals = runtime->runtime + WALK_OFFSET(python->layout, runtime, faulthandler_user_signals);
    }
    uint64_t file;
    if (thread && walk_memory_word(python->memory, thread, &file))
        walk_refs_add_text(refs, file, 0, ".thread.file");
    if (fatal && walk_memory_word(python->memory, fatal + python->word, &file))
        walk_refs_add_text(refs, file, 0, ".fatal_error.file");
    if (!signals || !walk_memory_word(python->memory, signals, &signals) || !signals)
        return;
    for (int i = 0; i < SIGNALS; i++)
        if (walk_memory_word(python->memory, signals + (uint64_t)i * signal_size + python->word, &file))
            walk_refs_add_text(refs, file, 0, ".user_signals.file");
}
