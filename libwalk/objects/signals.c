/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What signal.signal() was given: Handlers in Modules/signalmodule.c, which is a static variable up to 3.11 and a part
 * of _PyRuntime since then; hardly any file has a symbol of it. It looks like nothing else: per signal a flag and an
 * object, most of which are signal.SIG_DFL or SIG_IGN, behind an entry for signal 0, which has none.
 */
#include "objects/attribute.h"
#include "objects/dict.h"
#include "objects/visit.h"

enum { SIGNALS = 65 /* NSIG */, CERTAIN = 24 /* signals that are as they were; a program changes a few */ };

/* Words of an entry: an int and a pointer. */
enum { ENTRY_WORDS = 2 };

static bool is_normal(const struct walk_python *python, walk_addr object)
{
    return object == python->signals.by_default || object == python->signals.ignored;
}

static bool is_flag(const struct walk_python *python, const uint8_t *view)
{
    return walk_load_word(python->word, view) <= 1;
}

/* Whether the array begins at `view`, which has room for it. */
static bool is_array(const struct walk_python *python, const uint8_t *view)
{
    unsigned normal = 0;
    for (unsigned i = 0; i < SIGNALS; i++, view += ENTRY_WORDS * python->word) {
        walk_addr object = walk_load_word(python->word, view + python->word);
        if (!is_flag(python, view) || (i ? !walk_python_is_likely(python, object) : object != 0))
            return false;
        normal += is_normal(python, object);
    }
    return normal >= CERTAIN;
}

/* The array, by one entry of it; 0: there is none. */
static walk_addr begin_of(const struct walk_python *python, const struct walk_chunk *chunk, size_t entry)
{
    const size_t size = ENTRY_WORDS * python->word;
    for (unsigned i = 0; i < SIGNALS && is_flag(python, chunk->view + entry); i++, entry -= size) {
        if (!walk_load_word(python->word, chunk->view + entry + python->word))
            return chunk->size - entry >= SIGNALS * size && is_array(python, chunk->view + entry) ? chunk->start + entry
                                                                                                  : 0;
        if (entry < size)
            break;
    }
    return 0;
}

static walk_addr find_in(const struct walk_python *python, const struct walk_chunk *chunk)
{
    const unsigned word = python->word;
    walk_addr found = 0;
    for (size_t at = 0; at + ENTRY_WORDS * word <= chunk->size && !found; at += word)
        if (is_normal(python, walk_load_word(word, chunk->view + at + word)))
            found = begin_of(python, chunk, at);
    return found;
}

void walk_signals_find(struct walk_python *python)
{
    if (python->signals.handlers)
        return;
    walk_addr module = walk_python_module(python, walk_python_main(python), "_signal");
    walk_addr names = module ? WALK_MEMBER(python, module, module, md_dict) : 0;
    struct walk_chunk chunk;
    if (!names)
        return;
    python->signals.by_default = walk_dict_get(python, names, "SIG_DFL");
    python->signals.ignored = walk_dict_get(python, names, "SIG_IGN");
    if (!python->signals.by_default || !python->signals.ignored)
        return;
    for (size_t next = 0;
         !python->signals.handlers && walk_module_next_chunk(python->memory, python->runtime->module, &next, &chunk);)
        python->signals.handlers = find_in(python, &chunk);
}

#define NAME(signal) ".signal.handlers[" signal "]"

/* As Linux numbers them on x86 and ARM. */
static const char *const labels[SIGNALS] = {
    NAME("0"),       NAME("SIGHUP"),  NAME("SIGINT"),    NAME("SIGQUIT"), NAME("SIGILL"),    NAME("SIGTRAP"),
    NAME("SIGABRT"), NAME("SIGBUS"),  NAME("SIGFPE"),    NAME("SIGKILL"), NAME("SIGUSR1"),   NAME("SIGSEGV"),
    NAME("SIGUSR2"), NAME("SIGPIPE"), NAME("SIGALRM"),   NAME("SIGTERM"), NAME("SIGSTKFLT"), NAME("SIGCHLD"),
    NAME("SIGCONT"), NAME("SIGSTOP"), NAME("SIGTSTP"),   NAME("SIGTTIN"), NAME("SIGTTOU"),   NAME("SIGURG"),
    NAME("SIGXCPU"), NAME("SIGXFSZ"), NAME("SIGVTALRM"), NAME("SIGPROF"), NAME("SIGWINCH"),  NAME("SIGIO"),
    NAME("SIGPWR"),  NAME("SIGSYS"),
};

void walk_signals_visit(struct walk_python *python, struct walk_refs *refs)
{
    walk_addr handlers = python->signals.handlers;
    uint64_t object;
    for (unsigned i = 1; handlers && i < SIGNALS; i++)
        if (walk_memory_word(python->memory, handlers + (ENTRY_WORDS * i + 1) * python->word, &object) &&
            !is_normal(python, object))
            walk_refs_add_text(refs, object, WALK_EDGE_EXTRA, labels[i] ? labels[i] : NAME("real-time"));
}
