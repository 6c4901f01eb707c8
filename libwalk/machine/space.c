/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/space.h"

#include <stdlib.h>

#include "bytes/elf.h"

/* Canonical, away from where Linux puts anything by itself. */
#define FIRST_CHOICE UINT64_C(0x100000000000)
#define USER_END UINT64_C(0x7fffffff0000)

/* ---- setting up ---- */

/* A range for the private bytes, with room around, that no segment of the target touches. */
static bool find_room(const struct walk_memory *memory, walk_addr *start)
{
    const uint64_t need = WALK_GUARD_SIZE + WALK_PRIVATE_SIZE + WALK_GUARD_SIZE;
    walk_addr at = FIRST_CHOICE;
    for (size_t i = 0; i < memory->count; i++) {
        const struct walk_segment *segment = &memory->segments[i];
        if (segment->end > at && segment->start < at + need)
            at = (segment->end + 0xfffff) & ~UINT64_C(0xfffff);
        if (at < FIRST_CHOICE || at > USER_END - need)
            return false;
    }
    *start = at + WALK_GUARD_SIZE;
    return true;
}

static struct walk_error *add_text(struct walk_space *space, const struct walk_code_range *text)
{
    struct walk_code_range *texts = realloc(space->texts, (space->text_count + 1) * sizeof *texts);
    if (!texts)
        return walk_error_no_memory();
    space->texts = texts;
    texts[space->text_count++] = *text;
    return NULL;
}

/* The executable segments of a module, by the program headers in its first page. */
static struct walk_error *add_texts(struct walk_space *space, struct walk_image *image,
                                    const struct walk_module *module)
{
    struct walk_elf elf;
    GElf_Phdr header;
    walk_addr bias;
    if (!walk_elf_in_memory(image, module->start, &elf))
        return NULL;
    struct walk_error *error = NULL;
    bool loaded = walk_elf_bias(elf.elf, module->start, &bias);
    for (int i = 0; loaded && !error && gelf_getphdr(elf.elf, i, &header); i++) {
        struct walk_code_range text = {bias + header.p_vaddr, bias + header.p_vaddr + header.p_filesz};
        if (header.p_type == PT_LOAD && (header.p_flags & PF_X) && text.start >= module->start &&
            text.end <= module->end && text.start < text.end)
            error = add_text(space, &text);
    }
    walk_elf_close(&elf);
    return error;
}

struct walk_error *walk_space_init(struct walk_space *space, struct walk_image *image)
{
    *space = (struct walk_space){.memory = &image->memory, .lowest = WALK_PRIVATE_SIZE};
    space->private = calloc(1, WALK_PRIVATE_SIZE);
    space->lines = calloc(WALK_LINES_MAX, sizeof *space->lines);
    space->line_slots = calloc(WALK_LINE_SLOTS, sizeof *space->line_slots);
    struct walk_error *error = NULL;
    if (!space->private || !space->lines || !space->line_slots)
        error = walk_error_no_memory();
    else if (!find_room(&image->memory, &space->private_start))
        error = walk_error_new(WALK_ERROR_UNSUPPORTED, "the target's memory leaves no room for a stack");
    for (size_t i = 0; i < image->module_count && !error; i++)
        error = add_texts(space, image, &image->modules[i]);
    if (error)
        walk_space_deinit(space);
    return error;
}

void walk_space_deinit(struct walk_space *space)
{
    free(space->private);
    free(space->lines);
    free(space->line_slots);
    free(space->texts);
    *space = (struct walk_space){0};
}

void walk_space_reset(struct walk_space *space)
{
    if (space->lowest < space->highest)
        memset(space->private + space->lowest, 0, space->highest - space->lowest);
    space->lowest = WALK_PRIVATE_SIZE;
    space->highest = 0;
    for (size_t i = 0; i < space->line_count; i++)
        space->line_slots[space->lines[i].slot] = 0;
    space->line_count = 0;
    space->fault = WALK_FAULT_NONE;
    space->fault_address = 0;
    /* A thread pointer points to itself: that is how it is read. */
    walk_addr thread = walk_space_thread(space);
    memcpy(space->private + (thread - space->private_start), &thread, sizeof thread);
}

/* ---- code ---- */

static bool is_text(const struct walk_space *space, walk_addr address)
{
    for (size_t i = 0; i < space->text_count; i++)
        if (address >= space->texts[i].start && address < space->texts[i].end)
            return true;
    return false;
}

static bool fail(struct walk_space *space, enum walk_fault fault, walk_addr address)
{
    space->fault = fault;
    space->fault_address = address;
    return false;
}

size_t walk_space_fetch(struct walk_space *space, walk_addr pc, uint8_t *bytes, size_t size)
{
    size_t got = 0;
    while (got < size) {
        walk_addr at = pc + got;
        const struct walk_segment *segment = walk_memory_segment(space->memory, at);
        if (!segment || (!(segment->flags & WALK_SEGMENT_EXEC) && !is_text(space, at))) {
            fail(space, WALK_FAULT_NOT_EXECUTABLE, at);
            break;
        }
        size_t there = walk_memory_available(space->memory, at, size - got);
        if (!there) {
            fail(space, WALK_FAULT_NOT_SAVED_READ, at);
            break;
        }
        memcpy(bytes + got, walk_memory_view(space->memory, at, there), there);
        got += there;
    }
    return got;
}

/* ---- the overlay ---- */

static uint32_t slot_of(walk_addr line)
{
    return (uint32_t)(line / WALK_LINE * 0x9e3779b97f4a7c15u >> 40) % WALK_LINE_SLOTS;
}

static struct walk_line *find_line(const struct walk_space *space, walk_addr address, uint32_t *slot)
{
    for (*slot = slot_of(address); space->line_slots[*slot]; *slot = (*slot + 1) % WALK_LINE_SLOTS)
        if (space->lines[space->line_slots[*slot] - 1].address == address)
            return &space->lines[space->line_slots[*slot] - 1];
    return NULL;
}

static struct walk_line *line_to_write(struct walk_space *space, walk_addr address)
{
    uint32_t slot;
    struct walk_line *line = find_line(space, address, &slot);
    if (line || space->line_count == WALK_LINES_MAX)
        return line;
    line = &space->lines[space->line_count++];
    *line = (struct walk_line){.address = address, .slot = slot};
    space->line_slots[slot] = (uint16_t)space->line_count;
    return line;
}

/* ---- any read, any write: piece by piece, none across a segment or a line ---- */

static const struct walk_segment *segment_of(struct walk_space *space, walk_addr address)
{
    const struct walk_segment *segment = walk_memory_segment(space->memory, address);
    if (segment && segment->kind == WALK_SEGMENT_SAVED)
        space->cached[address >> 20 & (WALK_CACHED_SEGMENTS - 1)] = segment;
    return segment;
}

static size_t to_end_of_line(walk_addr address, size_t size)
{
    size_t left = WALK_LINE - address % WALK_LINE;
    return size < left ? size : left;
}

static bool is_below_stack(const struct walk_space *space, walk_addr address)
{
    return space->private_start - 1 - address < WALK_GUARD_SIZE;
}

/* Some bytes of the target at `address`, at least one; 0: a fault. */
static size_t read_target(struct walk_space *space, walk_addr address, uint8_t *bytes, size_t size)
{
    if (!segment_of(space, address)) {
        fail(space, is_below_stack(space, address) ? WALK_FAULT_STACK_OVERFLOW : WALK_FAULT_UNMAPPED_READ, address);
        return 0;
    }
    size_t there = walk_memory_available(space->memory, address, size);
    if (there)
        memcpy(bytes, walk_memory_view(space->memory, address, there), there);
    else
        fail(space, WALK_FAULT_NOT_SAVED_READ, address);
    return there;
}

/* Of one line: what was written, and the rest of the target. */
static bool read_line(struct walk_space *space, walk_addr address, uint8_t *bytes, size_t size)
{
    uint32_t slot;
    const struct walk_line *line = space->line_count ? find_line(space, address / WALK_LINE * WALK_LINE, &slot) : NULL;
    for (size_t at = 0; at < size;) {
        size_t in_line = (address + at) % WALK_LINE, there = 1;
        if (line && line->written >> in_line & 1)
            bytes[at] = line->bytes[in_line];
        else
            there = read_target(space, address + at, bytes + at, line ? 1 : size - at);
        if (!there)
            return false;
        at += there;
    }
    return true;
}

bool walk_space_read_any(struct walk_space *space, walk_addr address, void *bytes, size_t size)
{
    const uint8_t *view = space->line_count ? NULL : walk_memory_view(space->memory, address, size);
    if (view) {
        segment_of(space, address);
        memcpy(bytes, view, size);
        return true;
    }
    for (size_t done = 0; done < size;) {
        walk_addr at = address + done;
        size_t piece = to_end_of_line(at, size - done);
        uint64_t offset = at - space->private_start;
        if (offset < WALK_PRIVATE_SIZE)
            memcpy((uint8_t *)bytes + done, space->private + offset, piece); /* a line never straddles its end */
        else if (!read_line(space, at, (uint8_t *)bytes + done, piece))
            return false;
        done += piece;
    }
    return true;
}

/* Whether the target itself could have written there. */
static bool may_write(struct walk_space *space, walk_addr address)
{
    const struct walk_segment *segment = segment_of(space, address);
    if (!segment)
        return fail(space, is_below_stack(space, address) ? WALK_FAULT_STACK_OVERFLOW : WALK_FAULT_UNMAPPED_WRITE,
                    address);
    if (!(segment->flags & WALK_SEGMENT_WRITE) || (segment->flags & WALK_SEGMENT_EXEC) || is_text(space, address))
        return fail(space, WALK_FAULT_WRITE_PROTECTED, address);
    return true;
}

static bool write_line(struct walk_space *space, walk_addr address, const uint8_t *bytes, size_t size)
{
    if (!may_write(space, address) || !may_write(space, address + size - 1))
        return false;
    struct walk_line *line = line_to_write(space, address / WALK_LINE * WALK_LINE);
    if (!line)
        return fail(space, WALK_FAULT_OVERLAY_FULL, address);
    memcpy(line->bytes + address % WALK_LINE, bytes, size);
    line->written |= ~UINT64_C(0) >> (64 - size) << address % WALK_LINE;
    return true;
}

bool walk_space_write_any(struct walk_space *space, walk_addr address, const void *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        walk_addr at = address + done;
        size_t piece = to_end_of_line(at, size - done);
        uint64_t offset = at - space->private_start;
        if (offset < WALK_PRIVATE_SIZE) {
            memcpy(space->private + offset, (const uint8_t *)bytes + done, piece);
            if (offset < space->lowest)
                space->lowest = offset;
            if (offset + piece > space->highest)
                space->highest = offset + piece;
        } else if (!write_line(space, at, (const uint8_t *)bytes + done, piece)) {
            return false;
        }
        done += piece;
    }
    return true;
}
