/* SPDX-License-Identifier: Apache-2.0 */
/* Where the files of a core are looked for, and what of a module its first page says. */
#include <elf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes/image.h"
#include "elf_writer.h"
#include "unit.h"

enum { PAGE = 4096 };

static const uint8_t this_build[] = {0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const char by_id[] = "/.build-id/de/adbeef0102030405060708090a0b0c0d0e0f10";
static uint8_t content[2 * PAGE];

/* A folder with the module's file somewhere below it, and a core that names the module otherwise. */
struct scene {
    char folder[64], core[64], file[256];
    struct elf_bytes module;
    struct walk_options options;
    struct walk_image image;
};

static void make_folders(const char *path)
{
    char part[256];
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        mkdir(part, 0700);
    }
}

/* The module is mapped at 0x50000, one page of its file, which is saved; `memory_size` bytes of its segment. */
static struct elf_bytes write_module(uint64_t memory_size)
{
    struct elf_load load = {0, memory_size, sizeof content, content, PF_R};
    struct elf_spec spec = {.word = 8,
                            .type = ET_DYN,
                            .loads = &load,
                            .load_count = 1,
                            .build_id = this_build,
                            .build_id_size = sizeof this_build};
    return elf_write(&spec);
}

static void set(struct scene *scene, const char *place, const char *named, bool with_page)
{
    char path[64];
    memset(scene, 0, sizeof *scene);
    memset(content, 7, sizeof content);
    scene->module = write_module(sizeof content);
    strcpy(scene->folder, "/tmp/walk-files-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(scene->folder));
    snprintf(scene->file, sizeof scene->file, "%s%s", scene->folder, place);
    make_folders(scene->file);
    elf_save(scene->module.bytes, scene->module.size, path);
    ck_assert_int_eq(rename(path, scene->file), 0);
    struct elf_load load = {0x50000, 2 * PAGE, with_page ? PAGE : 0, scene->module.bytes, PF_R};
    struct elf_file_mapping mapping = {0x50000, 0x52000, 0, named};
    struct elf_spec spec = {
        .word = 8, .type = ET_CORE, .loads = &load, .load_count = 1, .mappings = &mapping, .mapping_count = 1};
    struct elf_bytes core = elf_write(&spec);
    elf_save(core.bytes, core.size, scene->core);
    free(core.bytes);
}

static const struct walk_module *open_scene(struct scene *scene)
{
    assert_good(walk_image_open_core(scene->core, &scene->options, &scene->image));
    expect_eq(scene->image.module_count, 1);
    return scene->image.modules;
}

static void clear(struct scene *scene)
{
    char command[256];
    walk_image_close(&scene->image);
    snprintf(command, sizeof command, "rm -r '%s' '%s'", scene->folder, scene->core);
    ck_assert_int_eq(system(command), 0);
    free(scene->module.bytes);
}

/* ---- where files are ---- */

START_TEST(a_folder_of_files_by_build_id_is_searched)
{
    struct scene scene;
    char dirs[128];
    set(&scene, by_id, "/gone/libpython3.11.so", true);
    snprintf(dirs, sizeof dirs, ":relative:/no/such:%s", scene.folder);
    scene.options.debug_dirs = dirs;
    const struct walk_module *module = open_scene(&scene);
    ck_assert_str_eq(module->file, scene.file);
    ck_assert_ptr_null(module->problem);
    clear(&scene);
}
END_TEST

START_TEST(a_flat_folder_is_searched_by_name)
{
    struct scene scene;
    set(&scene, "/libpython3.11.so", "/gone/libpython3.11.so", true);
    scene.options.sysroot = scene.folder;
    ck_assert_str_eq(open_scene(&scene)->file, scene.file);
    clear(&scene);
}
END_TEST

START_TEST(without_a_build_id_only_the_own_path_is_trusted)
{
    struct scene scene;
    set(&scene, "/libpython3.11.so", "/gone/libpython3.11.so", false);
    scene.options.sysroot = scene.folder;
    ck_assert_ptr_null(open_scene(&scene)->file);
    clear(&scene);
    set(&scene, "/gone/libpython3.11.so", "/gone/libpython3.11.so", false);
    scene.options.sysroot = scene.folder;
    ck_assert_str_eq(open_scene(&scene)->file, scene.file);
    clear(&scene);
}
END_TEST

START_TEST(with_a_sysroot_this_machines_root_is_another_one)
{
    struct scene scene;
    char named[64];
    struct elf_bytes module = write_module(sizeof content);
    elf_save(module.bytes, module.size, named);
    set(&scene, "/elsewhere", named, true);
    ck_assert_str_eq(open_scene(&scene)->file, named);
    walk_image_close(&scene.image);
    scene.options.sysroot = "/no/such/root";
    ck_assert_ptr_null(open_scene(&scene)->file);
    unlink(named);
    free(module.bytes);
    clear(&scene);
}
END_TEST

START_TEST(what_the_kernel_says_of_a_replaced_file_is_no_part_of_its_name)
{
    struct scene scene;
    set(&scene, "/usr/bin/python3.11", "/usr/bin/python3.11 (deleted)", true);
    scene.options.sysroot = scene.folder;
    ck_assert_str_eq(open_scene(&scene)->file, scene.file);
    clear(&scene);
}
END_TEST

/* ---- what is no such file ---- */

START_TEST(a_separate_debug_file_is_not_what_was_mapped)
{
    struct scene scene;
    char command[1024];
    set(&scene, "/usr/bin/python3.11", "/usr/bin/python3.11", true);
    snprintf(command, sizeof command,
             "echo 'int f(void) { return 1; }' | cc -x c -shared -Wl,--build-id=0x%s -o '%s' - && "
             "objcopy --only-keep-debug '%s'",
             "deadbeef0102030405060708090a0b0c0d0e0f10", scene.file, scene.file);
    if (system(command) == 0) {
        scene.options.sysroot = scene.folder;
        const struct walk_module *module = open_scene(&scene);
        ck_assert_ptr_null(module->file);
        ck_assert_ptr_nonnull(strstr(module->problem, "debug information only"));
    }
    clear(&scene);
}
END_TEST

/* ---- where a module ends ---- */

/* The core's file mapping is two pages, and its third one is .bss. */
static walk_addr end_of_module(uint64_t memory_size, bool with_neighbour)
{
    struct elf_bytes module = write_module(memory_size);
    struct elf_load load = {0x50000, 2 * PAGE, PAGE, module.bytes, PF_R};
    struct elf_file_mapping mappings[] = {{0x50000, 0x52000, 0, "/no/such/python"}, {0x53000, 0x54000, 0, "/other"}};
    struct elf_spec spec = {.word = 8,
                            .type = ET_CORE,
                            .loads = &load,
                            .load_count = 1,
                            .mappings = mappings,
                            .mapping_count = with_neighbour ? 2 : 1};
    struct elf_bytes core = elf_write(&spec);
    struct walk_image image;
    char path[64];
    elf_save(core.bytes, core.size, path);
    assert_good(walk_image_open_core(path, NULL, &image));
    walk_addr end = image.modules[0].end;
    walk_image_close(&image);
    unlink(path);
    free(core.bytes);
    free(module.bytes);
    return end;
}

START_TEST(a_module_ends_with_its_bss)
{
    walk_addr end = end_of_module(3 * PAGE, false);
    expect(end >= 0x53000 && end < 0x54000); /* the segment does not begin at offset 0 */
    expect_eq(end_of_module(PAGE, false), 0x52000);
}
END_TEST

START_TEST(a_module_does_not_reach_into_the_next)
{
    expect_eq(end_of_module(16 * PAGE, true), 0x52000);
    expect_eq(end_of_module(UINT64_MAX, false), 0x52000);
}
END_TEST

int main(void)
{
    const TTest *const places[] = {a_folder_of_files_by_build_id_is_searched,
                                   a_flat_folder_is_searched_by_name,
                                   without_a_build_id_only_the_own_path_is_trusted,
                                   with_a_sysroot_this_machines_root_is_another_one,
                                   what_the_kernel_says_of_a_replaced_file_is_no_part_of_its_name,
                                   NULL};
    const TTest *const impostors[] = {a_separate_debug_file_is_not_what_was_mapped, NULL};
    const TTest *const ends[] = {a_module_ends_with_its_bss, a_module_does_not_reach_into_the_next, NULL};
    const struct unit_group groups[] = {
        {"where files are", places, 0}, {"what is no such file", impostors, 0}, {"where a module ends", ends, 0}};
    return unit_run("files", groups, sizeof groups / sizeof *groups);
}
