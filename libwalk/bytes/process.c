/* SPDX-License-Identifier: Apache-2.0 */
/* A live process: /proc/PID/maps for the mappings, process_vm_readv() for the bytes. */
#include "bytes/process.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bytes/image.h"

struct walk_process_reader {
    int pid;
};

void walk_process_reader_free(struct walk_process_reader *reader) { free(reader); }

int walk_process_reader_pid(const struct walk_process_reader *reader) { return reader->pid; }

static size_t read_process(void *context, walk_addr address, void *buffer, size_t size)
{
    const struct walk_process_reader *reader = context;
    size_t done = 0;
    while (done < size) {
        struct iovec local = {(uint8_t *)buffer + done, size - done};
        struct iovec remote = {(void *)(uintptr_t)(address + done), size - done};
        ssize_t got = process_vm_readv(reader->pid, &local, 1, &remote, 1, 0);
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

/* 'T' stopped by a signal, 't' by a tracer, 0 when it cannot be told. */
static char process_state(int pid)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    char state = 0;
    while (!state && fgets(line, sizeof line, file))
        sscanf(line, "State: %c", &state);
    fclose(file);
    return state;
}

/* proc(5): "running", "-1 SP PC", or the system call's number, its six arguments, SP and PC. 0 when it is not told. */
static walk_addr stack_pointer(int pid, unsigned long long tid)
{
    char path[96], line[256];
    snprintf(path, sizeof path, "/proc/%d/task/%llu/syscall", pid, tid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    char *pc = fgets(line, sizeof line, file) ? strrchr(line, ' ') : NULL;
    fclose(file);
    if (!pc)
        return 0;
    *pc = '\0';
    char *sp = strrchr(line, ' ');
    return sp ? strtoull(sp, NULL, 16) : 0;
}

static struct walk_error *read_threads(struct walk_image *image, int pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *folder = opendir(path);
    if (!folder)
        return NULL; /* Native ids stay unknown. */
    struct walk_error *error = NULL;
    struct dirent *entry;
    while (!error && (entry = readdir(folder))) {
        unsigned long long tid = strtoull(entry->d_name, NULL, 10);
        if (!tid)
            continue;
        struct walk_lwp *lwps = realloc(image->lwps, (image->lwp_count + 1) * sizeof *lwps);
        if (!lwps) {
            error = walk_error_no_memory();
            break;
        }
        image->lwps = lwps;
        lwps[image->lwp_count++] = (struct walk_lwp){.tid = tid, .stack_pointer = stack_pointer(pid, tid)};
    }
    closedir(folder);
    return error;
}

struct map_line {
    walk_addr start, end;
    uint64_t offset;
    unsigned flags;
    bool readable;
    char path[4096];
};

static bool parse_map_line(const char *line, struct map_line *map)
{
    char permissions[5];
    int path_at = 0;
    map->path[0] = '\0';
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %*s %n", &map->start, &map->end, permissions,
               &map->offset, &path_at) < 4)
        return false;
    map->readable = permissions[0] == 'r';
    map->flags = (permissions[1] == 'w' ? WALK_SEGMENT_WRITE : 0u) | (permissions[2] == 'x' ? WALK_SEGMENT_EXEC : 0u);
    if (path_at > 0) {
        snprintf(map->path, sizeof map->path, "%s", line + path_at);
        map->path[strcspn(map->path, "\n")] = '\0';
    }
    return true;
}

/* Paths are kept in one block; `mappings` gets offsets first, which become pointers when the block no longer moves. */
static struct walk_error *add_file_mapping(struct walk_image *image, size_t *strings_size, const struct map_line *map)
{
    size_t length = strlen(map->path) + 1;
    char *strings = realloc(image->strings, *strings_size + length);
    if (!strings)
        return walk_error_no_memory();
    image->strings = strings;
    struct walk_file_mapping *mappings = realloc(image->mappings, (image->mapping_count + 1) * sizeof *mappings);
    if (!mappings)
        return walk_error_no_memory();
    image->mappings = mappings;
    memcpy(strings + *strings_size, map->path, length);
    mappings[image->mapping_count++] =
        (struct walk_file_mapping){map->start, map->end, map->offset, (const char *)(uintptr_t)*strings_size};
    *strings_size += length;
    return NULL;
}

static struct walk_error *read_maps(struct walk_image *image, int pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return walk_error_new(WALK_ERROR_SYSTEM, "process %d: %s", pid, strerror(errno));
    char *line = NULL;
    size_t line_size = 0, strings_size = 0;
    struct walk_error *error = NULL;
    struct map_line map;
    while (!error && getline(&line, &line_size, file) > 0) {
        if (!parse_map_line(line, &map) || strcmp(map.path, "[vvar]") == 0 || strcmp(map.path, "[vsyscall]") == 0)
            continue;
        struct walk_segment segment = {.start = map.start,
                                       .end = map.end,
                                       .kind = map.readable ? WALK_SEGMENT_LAZY : WALK_SEGMENT_NOT_SAVED,
                                       .flags = map.flags};
        error = walk_memory_add(&image->memory, &segment);
        if (!error && map.path[0] == '/')
            error = add_file_mapping(image, &strings_size, &map);
    }
    free(line);
    fclose(file);
    for (size_t i = 0; i < image->mapping_count; i++)
        image->mappings[i].path = image->strings + (uintptr_t)image->mappings[i].path;
    return error;
}

/* 32-bit processes are told by the class byte of their executable's ELF header. */
static unsigned process_word(int pid)
{
    char path[64];
    uint8_t ident[EI_CLASS + 1] = {0};
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return sizeof(void *);
    size_t got = fread(ident, 1, sizeof ident, file);
    fclose(file);
    return got == sizeof ident && ident[EI_CLASS] == ELFCLASS32 ? 4 : 8;
}

static struct walk_error *check_access(struct walk_image *image, int pid)
{
    for (size_t i = 0; i < image->memory.count; i++) {
        const struct walk_segment *segment = &image->memory.segments[i];
        if (segment->kind == WALK_SEGMENT_LAZY && walk_memory_view(&image->memory, segment->start, 1))
            return NULL;
    }
    return walk_error_new(WALK_ERROR_SYSTEM,
                          "process %d: its memory may not be read (%s); run as its user or as root, and see "
                          "/proc/sys/kernel/yama/ptrace_scope",
                          pid, strerror(errno ? errno : EPERM));
}

struct walk_error *walk_image_open_process(int pid, const struct walk_options *options, struct walk_image *image)
{
    struct walk_error *error = walk_image_init(image, process_word(pid), options);
    if (!error && !(image->process = malloc(sizeof *image->process)))
        error = walk_error_no_memory();
    if (!error) {
        image->process->pid = pid;
        image->memory.fill = read_process;
        image->memory.fill_context = image->process;
        char state = process_state(pid);
        if (state == 'Z' || state == 'X')
            error = walk_error_new(WALK_ERROR_SYSTEM, "process %d has ended", pid);
        else if (state && state != 'T' && state != 't')
            error = walk_error_new(WALK_ERROR_SYSTEM,
                                   "process %d is running: its memory changes while it is read; attach with gdb -p %d, "
                                   "or stop it with kill -STOP %d",
                                   pid, pid, pid);
    }
    if (!error)
        error = read_maps(image, pid);
    if (!error && !image->memory.count)
        error = walk_error_new(WALK_ERROR_NO_PYTHON, "process %d has no memory of its own: a kernel thread?", pid);
    if (!error)
        error = walk_memory_seal(&image->memory);
    if (!error)
        error = walk_memory_reserve(&image->memory);
    if (!error)
        error = read_threads(image, pid);
    if (!error)
        error = check_access(image, pid);
    if (!error)
        error = walk_image_find_modules(image);
    if (error)
        walk_image_close(image);
    return error;
}
