/* SPDX-License-Identifier: Apache-2.0 */
/* Static types whose names are in a file that is not here. */
#include <string.h>

#include "objects/names.h"
#include "unit.h"
#include "world.h"

static const unsigned minors[] = {8, 11, 12, 13};
enum { MINORS = sizeof minors / sizeof *minors };

static walk_addr dict_of(struct world *world, const char *const *names, const walk_addr *values, size_t count)
{
    walk_addr keys[8];
    for (size_t i = 0; i < count; i++)
        keys[i] = world_str(world, names[i]);
    return world_dict(world, WORLD_UNICODE, keys, values, count);
}

static walk_addr module_of(struct world *world, walk_addr namespace)
{
    walk_addr module = world_object(world, world->module_type, WALK_SIZE(world->layout, module));
    PUT(world, module, module, md_dict, namespace);
    return module;
}

/* A static type without a name, with a dict of these names. */
static walk_addr nameless(struct world *world, const char *const *offers, size_t count)
{
    walk_addr values[8], type;
    for (size_t i = 0; i < count; i++)
        values[i] = world->none;
    type = world_static_type(world, NULL, "x", world->object, 48, 0, 0, 0);
    PUT(world, type, type, tp_name, 0x10); /* mapped nowhere */
    PUT(world, type, type, tp_dict, dict_of(world, offers, values, count));
    return type;
}

static void set_modules(struct world *world, const char *const *names, const walk_addr *modules, size_t count)
{
    PUT(world, world->interpreter, interp, modules, dict_of(world, names, modules, count));
}

static const char *name_of(struct world *world, walk_addr type)
{
    uint32_t index;
    expect(walk_python_type(world_python(world), type, &index));
    return world_python(world)->types[index].name;
}

static const char *const three[] = {"alpha", "beta", "gamma"};

START_TEST(a_type_is_called_as_it_is_found_where_it_is_meant_to_be_used)
{
    struct world world;
    world_init(&world, minors[_i]);
    walk_addr type = nameless(&world, three, 3);
    const char *const names[] = {"sys", "__main__", "pkg._impl", "pkg", "pkg.sub.part"};
    walk_addr modules[5] = {module_of(&world, dict_of(&world, (const char *const[]){"x"}, &world.none, 1))};
    const char *const bound[] = {"x", "Mine", "_Thing", "Thing", "Thing"};
    for (size_t i = 1; i < 5; i++)
        modules[i] = module_of(&world, dict_of(&world, &bound[i], &type, 1));
    set_modules(&world, names, modules, 5);
    assert_good(world_open(&world));
    ck_assert_str_eq(name_of(&world, type), "pkg.Thing");
    world_close(&world);
}
END_TEST

START_TEST(a_type_that_is_found_nowhere_is_called_by_its_address)
{
    struct world world;
    char expected[32];
    world_init(&world, minors[_i]);
    walk_addr type = nameless(&world, three, 3);
    assert_good(world_open(&world));
    snprintf(expected, sizeof expected, "type@0x%llx", (unsigned long long)type);
    ck_assert_str_eq(name_of(&world, type), expected);
    world_close(&world);
}
END_TEST

START_TEST(what_python_code_calls_otherwise_is_called_as_cpython_does)
{
    struct world world;
    world_init(&world, minors[_i]);
    walk_addr type = nameless(&world, three, 3), bound[] = {type, world.str};
    walk_addr descriptor = nameless(&world, three + 1, 2), method = world_object(&world, descriptor, 48);
    PUT(&world, world.str, type, tp_dict, dict_of(&world, (const char *const[]){"join"}, &method, 1));
    walk_addr modules[] = {
        module_of(&world, dict_of(&world, (const char *const[]){"FunctionType"}, bound, 1)),
        module_of(&world, dict_of(&world, (const char *const[]){"str"}, bound + 1, 1)),
        module_of(&world, dict_of(&world, (const char *const[]){"x"}, &world.none, 1)),
    };
    set_modules(&world, (const char *const[]){"types", "builtins", "sys"}, modules, 3);
    assert_good(world_open(&world));
    ck_assert_str_eq(name_of(&world, type), "function");
    ck_assert_str_eq(name_of(&world, descriptor), "method_descriptor");
    world_close(&world);
}
END_TEST

START_TEST(a_name_that_can_be_read_is_the_name)
{
    struct world world;
    world_init(&world, minors[_i]);
    walk_addr module = module_of(&world, dict_of(&world, (const char *const[]){"FunctionType"}, &world.list, 1));
    walk_addr modules[] = {module, module};
    set_modules(&world, (const char *const[]){"types", "sys"}, modules, 2);
    assert_good(world_open(&world));
    ck_assert_str_eq(name_of(&world, world.list), "list");
    ck_assert_ptr_null(world_python(&world)->names); /* nothing was searched */
    world_close(&world);
}
END_TEST

START_TEST(what_a_type_offers_does_not_depend_on_the_order)
{
    struct world world;
    world_init(&world, minors[_i]);
    const char *const turned[] = {"gamma", "alpha", "beta"}, *const others[] = {"alpha", "beta", "delta"};
    walk_addr a = nameless(&world, three, 3), b = nameless(&world, turned, 3), c = nameless(&world, others, 3);
    walk_addr larger = nameless(&world, three, 3), few = nameless(&world, three, 2);
    PUT(&world, larger, type, tp_basicsize, 56);
    assert_good(world_open(&world));
    const struct walk_python *python = world_python(&world);
    uint32_t print = walk_names_print(python, a);
    expect(print != 0);
    expect_eq(walk_names_print(python, b), print);
    expect(walk_names_print(python, c) != print);
    expect(walk_names_print(python, larger) != print);
    expect_eq(walk_names_print(python, few), 0); /* too few, of a type outside of the interpreter's file */
    world_close(&world);
}
END_TEST

/* Namespaces that claim what they have not, and modules that are none. */
START_TEST(damaged_namespaces_are_left_out)
{
    struct world world;
    world_init(&world, minors[_i]);
    walk_addr type = nameless(&world, three, 3);
    walk_addr good = module_of(&world, dict_of(&world, (const char *const[]){"Thing"}, &type, 1));
    walk_addr broken = module_of(&world, world.list);
    walk_addr nowhere = module_of(&world, 0x10);
    walk_addr modules[] = {module_of(&world, dict_of(&world, (const char *const[]){"x"}, &world.none, 1)),
                           broken,
                           nowhere,
                           world.none,
                           0x8,
                           good};
    set_modules(&world, (const char *const[]){"sys", "a", "b", "c", "d", "pkg"}, modules, 6);
    assert_good(world_open(&world));
    ck_assert_str_eq(name_of(&world, type), "pkg.Thing");
    world_close(&world);
}
END_TEST

int main(void)
{
    const TTest *const names[] = {a_type_is_called_as_it_is_found_where_it_is_meant_to_be_used,
                                  a_type_that_is_found_nowhere_is_called_by_its_address,
                                  what_python_code_calls_otherwise_is_called_as_cpython_does,
                                  a_name_that_can_be_read_is_the_name,
                                  what_a_type_offers_does_not_depend_on_the_order,
                                  damaged_namespaces_are_left_out,
                                  NULL};
    const struct unit_group groups[] = {{"names", names, MINORS}};
    return unit_run("names", groups, 1);
}
