/* SPDX-License-Identifier: Apache-2.0 */
#include "layout/cache.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layout/row.h"

enum { FORMAT = 1, FILE_MAX = 1 << 20, LINE_MAX_BYTES = 1 << 13 };

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* The folder; false: there is none. With `make` it is made. */
static bool find_folder(char *folder, size_t size, bool make)
{
    const char *own = getenv("LIBWALK_CACHE"), *caches = variable("XDG_CACHE_HOME"), *home = variable("HOME");
    int length = own      ? snprintf(folder, size, "%s", own)
                 : caches ? snprintf(folder, size, "%s/libwalk", caches)
                 : home   ? snprintf(folder, size, "%s/.cache", home)
                          : 0;
    if (length <= 0 || (size_t)length + sizeof "/libwalk" > size || folder[0] != '/')
        return false;
    if (!own && !caches) {
        if (make)
            (void)mkdir(folder, 0700);
        strcat(folder, "/libwalk");
    }
    if (make)
        (void)mkdir(folder, 0700); /* it may be there; if it cannot be made the file cannot either */
    return true;
}

static bool is_id(const char *build_id)
{
    size_t length = strlen(build_id);
    return length >= 16 && length <= 64 && strspn(build_id, "0123456789abcdef") == length;
}

static int head_line(char *line, size_t size)
{
    return snprintf(line, size, "libwalk layout %d %016" PRIx64, FORMAT, walk_row_schema());
}

/* ---- reading ---- */

static FILE *open_small(const char *path)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (file < 0)
        return NULL;
    FILE *in =
        fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size <= FILE_MAX ? fdopen(file, "r") : NULL;
    if (!in)
        close(file);
    return in;
}

/* A line without its newline; false: the end, or a line that is too long or holds a NUL. */
static bool read_line(FILE *in, char *line, size_t *length)
{
    if (!fgets(line, LINE_MAX_BYTES, in))
        return false;
    *length = strlen(line);
    if (!*length || line[*length - 1] != '\n')
        return false;
    line[--*length] = '\0';
    return true;
}

static bool read_row(FILE *in, struct walk_row_parser *parser)
{
    char line[LINE_MAX_BYTES], head[80];
    size_t length;
    head_line(head, sizeof head);
    if (!read_line(in, line, &length) || strcmp(line, head) != 0)
        return false;
    walk_layout_clear(&parser->row->layout);
    while (!parser->ended && read_line(in, line, &length))
        if (!walk_row_parse_line(parser, line, length))
            return false;
    return walk_row_is_whole(parser);
}

struct walk_layout_row *walk_cache_read(const char *build_id)
{
    char folder[PATH_MAX], path[PATH_MAX + 80];
    if (!is_id(build_id) || !find_folder(folder, sizeof folder, false))
        return NULL;
    snprintf(path, sizeof path, "%s/%s", folder, build_id);
    FILE *in = open_small(path);
    struct walk_layout_row *row = in ? calloc(1, sizeof *row) : NULL;
    struct walk_row_parser parser = {.row = row};
    bool good = row && read_row(in, &parser) && strcmp(row->build_id, build_id) == 0;
    if (in)
        fclose(in);
    if (good)
        return row;
    walk_layout_row_free(row);
    return NULL;
}

/* ---- writing ---- */

void walk_cache_write(const struct walk_layout_row *row)
{
    char folder[PATH_MAX], path[PATH_MAX + 80], draft[PATH_MAX + 80], head[80];
    if (!is_id(row->build_id) || !find_folder(folder, sizeof folder, true))
        return;
    snprintf(path, sizeof path, "%s/%s", folder, row->build_id);
    snprintf(draft, sizeof draft, "%s/.%s.XXXXXX", folder, row->build_id);
    int file = mkostemp(draft, O_CLOEXEC); /* 0600 */
    if (file < 0)
        return;
    FILE *out = fdopen(file, "w");
    if (out) {
        head_line(head, sizeof head);
        fprintf(out, "%s\n", head);
        walk_row_print(row, out);
        bool good = ferror(out) == 0;
        /* Whole or not at all: a reader never sees a part of it. */
        if (fclose(out) == 0 && good && rename(draft, path) == 0)
            return;
    } else {
        close(file);
    }
    (void)unlink(draft);
}
