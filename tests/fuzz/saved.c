/* SPDX-License-Identifier: Apache-2.0 */
/*
 * saved FILE RUNS SEED: damages a saved heap, again and again, and asks everything of it in this process, which must
 * neither crash nor leak. Run i uses the seed SEED + i. Build it with the sanitizers (make fuzz-saved).
 *
 * Half of the damage is to the file: bytes changed, the end cut off. The checksums find that, so either the file is
 * refused or it is the undamaged heap. The other half is to what the checksums are of: a file that somebody has made
 * up.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "answers/saved.h"
#include "workload.h"

static char path[64];

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static void die_of(struct walk_error *error)
{
    if (!error)
        return;
    fprintf(stderr, "saved: %s\n", walk_error_message(error));
    exit(2);
}

static uint8_t *read_file(const char *name, size_t *size)
{
    FILE *file = fopen(name, "rb");
    if (!file || fseek(file, 0, SEEK_END) < 0)
        die(name);
    *size = (size_t)ftell(file);
    uint8_t *bytes = malloc(*size + 1);
    rewind(file);
    if (!bytes || fread(bytes, 1, *size, file) != *size)
        die(name);
    fclose(file);
    return bytes;
}

static void write_file(const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file))
        die(path);
}

/* ---- damage that the checksums find ---- */

static void damage_file(const uint8_t *bytes, size_t size, struct rng *rng)
{
    uint8_t *copy = malloc(size + 1);
    if (!copy)
        die("memory");
    memcpy(copy, bytes, size);
    size_t length = rng_below(rng, 4) ? size : rng_below(rng, size);
    for (uint64_t i = rng_below(rng, 4) + (length == size); i > 0 && length; i--) {
        size_t at = rng_below(rng, rng_below(rng, 3) ? length : length < 512 ? length : 512);
        copy[at] = (uint8_t)(copy[at] ^ (1u << rng_below(rng, 8)));
    }
    write_file(copy, length);
    free(copy);
}

/* ---- damage that they do not ---- */

struct section {
    void *data;
    uint64_t *count;
    size_t item;
};

static uint32_t any_word(struct rng *rng)
{
    switch (rng_below(rng, 6)) {
    case 0:
        return 0;
    case 1:
        return UINT32_MAX - (uint32_t)rng_below(rng, 3);
    case 2:
        return (uint32_t)rng_below(rng, 100);
    case 3:
        return (uint32_t)rng_below(rng, 100000);
    case 4:
        return 1u << rng_below(rng, 32);
    default:
        return (uint32_t)rng_below(rng, UINT32_MAX);
    }
}

static void damage_content(struct walk_saved *saved, struct rng *rng)
{
    const struct section sections[] = {
#define SECTION(member, tag, item) {saved->member, &saved->member##_count_of, sizeof(item)},
#include "answers/saved.def"
#undef SECTION
    };
    for (uint64_t i = 1 + rng_below(rng, 3); i > 0; i--) {
        const struct section *section = &sections[rng_below(rng, sizeof sections / sizeof *sections)];
        uint64_t size = *section->count * section->item;
        uint32_t word = any_word(rng);
        if (rng_below(rng, 16) == 0 && *section->count)
            *section->count -= 1 + rng_below(rng, *section->count);
        else if (size)
            memcpy((uint8_t *)section->data + rng_below(rng, size), &word, 1);
        if (size >= sizeof word)
            memcpy((uint8_t *)section->data + rng_below(rng, size / sizeof word) * sizeof word, &word, sizeof word);
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: saved FILE RUNS SEED\n");
        return 2;
    }
    uint64_t runs = strtoull(argv[2], NULL, 10), seed = strtoull(argv[3], NULL, 10), answered = 0;
    size_t size;
    uint8_t *bytes = read_file(argv[1], &size);
    snprintf(path, sizeof path, "/dev/shm/walk-saved-%d", (int)getpid());
    for (uint64_t i = 0; i < runs; i++) {
        struct rng rng = {seed + i};
        if (i & 1) {
            struct walk_saved *saved;
            die_of(walk_saved_read(argv[1], &saved));
            damage_content(saved, &rng);
            die_of(walk_saved_write(saved, path));
            walk_saved_free(saved);
        } else {
            damage_file(bytes, size, &rng);
        }
        int outcome = workload(path, &rng);
        if (outcome != WORKLOAD_REFUSED && outcome != WORKLOAD_ANSWERED) {
            fprintf(stderr, "saved: seed %" PRIu64 ": %d\n", seed + i, outcome);
            return 1;
        }
        answered += outcome == WORKLOAD_ANSWERED;
    }
    unlink(path);
    free(bytes);
    printf("%" PRIu64 " damaged files: %" PRIu64 " refused, %" PRIu64 " answered\n", runs, runs - answered, answered);
    return 0;
}
