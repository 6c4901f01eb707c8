/* SPDX-License-Identifier: Apache-2.0 */
/* Containers: dict, list, tuple, set, OrderedDict, deque, lru_cache. Each names its tp_traverse. */
#include "objects/copy.h"
#include "objects/dict.h"
#include "objects/ring.h"
#include "objects/visit.h"

static void visit_array(struct walk_python *python, walk_addr items, uint64_t count, uint64_t first,
                        struct walk_refs *refs)
{
    const uint8_t *view = count >> 40 ? NULL : walk_memory_view(python->memory, items, count * python->word);
    if (!view) {
        refs->unreadable |= count != 0;
        return;
    }
    if (!walk_refs_afford(refs, count))
        return;
    for (uint64_t i = 0; i < count; i++)
        walk_refs_add(refs, walk_load_word(python->word, view + i * python->word), 0, WALK_LABEL_ITEM, first + i);
}

/* Objects/dictobject.c, dict_traverse(): keys are visited only when they are not all str. */
void walk_visit_dict(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                     struct walk_refs *refs)
{
    (void)type;
    struct walk_dict dict;
    if (!walk_dict_open(python, object, &dict)) {
        refs->unreadable = true;
        return;
    }
    if (!walk_refs_afford(refs, dict.keys.count))
        return;
    uint32_t key_flags = dict.keys.general ? 0 : WALK_EDGE_EXTRA;
    uint32_t value_flags = dict.embedded && !walk_python_visits_managed_dict(python) ? WALK_EDGE_EXTRA : 0;
    for (uint64_t i = 0; i < dict.keys.count; i++) {
        walk_addr key, value;
        walk_dict_entry(python, &dict, i, &key, &value);
        if (!value)
            continue;
        walk_refs_add(refs, value, value_flags, WALK_LABEL_VALUE, key);
        walk_refs_add(refs, key, key_flags, WALK_LABEL_KEY, 0);
    }
}

/* Objects/odictobject.c, odict_traverse(): the keys once more, by the linked list of nodes. */
void walk_visit_odict(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                      struct walk_refs *refs)
{
    walk_addr node = WALK_MEMBER(python, object, odict, od_first);
    struct walk_ring ring = {0};
    while (node && walk_refs_afford(refs, 1)) {
        walk_addr key = WALK_MEMBER(python, node, odict_node, key);
        if (!key || walk_ring_closed(&ring, node)) {
            refs->unreadable = true;
            break;
        }
        walk_refs_add(refs, key, 0, WALK_LABEL_KEY, 0);
        node = WALK_MEMBER(python, node, odict_node, next);
    }
    walk_visit_dict(python, type, object, refs);
}

void walk_visit_list(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                     struct walk_refs *refs)
{
    (void)type;
    visit_array(python, WALK_MEMBER(python, object, list, ob_item), WALK_MEMBER(python, object, var_object, ob_size), 0,
                refs);
}

void walk_visit_tuple(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                      struct walk_refs *refs)
{
    (void)type;
    visit_array(python, object + WALK_OFFSET(python->layout, tuple, ob_item),
                WALK_MEMBER(python, object, var_object, ob_size), 0, refs);
}

/* Objects/structseq.c, structseq_traverse() (3.9+): also the fields behind ob_size, and the type when it is on the
 * heap. */
void walk_visit_structseq(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                          struct walk_refs *refs)
{
    if (WALK_MINOR(python) >= 9 && (type->flags & WALK_TPFLAGS_HEAPTYPE) && !type->visits_type)
        walk_refs_add_text(refs, walk_python_ob_type(python, object), 0, "__class__");
    uint64_t visible = WALK_MEMBER(python, object, var_object, ob_size), fields = type->fields;
    uint32_t items = WALK_OFFSET(python->layout, tuple, ob_item);
    if (WALK_MINOR(python) >= 13)
        fields = visible + ((uint64_t)type->own_basicsize - items) / python->word;
    visit_array(python, object + items, fields > visible ? fields : visible, 0, refs);
}

/* Objects/setobject.c, set_traverse(): every entry with a key; the dummy of deleted entries is told by its hash of -1.
 */
void walk_visit_set(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                    struct walk_refs *refs)
{
    (void)type;
    unsigned word = python->word, stride = 2 * word; /* setentry: key, hash */
    uint64_t slots = WALK_MEMBER(python, object, set, mask) + 1;
    const uint8_t *view =
        slots >> 40 ? NULL : walk_memory_view(python->memory, WALK_MEMBER(python, object, set, table), slots * stride);
    if (!view) {
        refs->unreadable = true;
        return;
    }
    if (!walk_refs_afford(refs, slots))
        return;
    for (uint64_t i = 0; i < slots; i++) {
        walk_addr key = walk_load_word(word, view + i * stride);
        if (walk_load_sword(word, view + i * stride + word) != -1)
            walk_refs_add(refs, key, 0, WALK_LABEL_ELEMENT, 0);
    }
}

/* Modules/_collectionsmodule.c, deque_traverse(): blocks from the left index of the first to the right of the last. */
void walk_visit_deque(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                      struct walk_refs *refs)
{
    (void)type;
    uint64_t length = WALK_MEMBER(python, object, var_object, ob_size), index = 0;
    walk_addr block = WALK_MEMBER(python, object, deque, leftblock);
    uint64_t at = WALK_MEMBER(python, object, deque, leftindex);
    uint64_t per_block =
        (WALK_OFFSET(python->layout, deque_block, rightlink) - WALK_OFFSET(python->layout, deque_block, data)) /
        python->word;
    struct walk_ring ring = {0};
    while (index < length) {
        uint64_t count = per_block - at < length - index ? per_block - at : length - index;
        if (!block || at >= per_block || refs->unreadable || walk_ring_closed(&ring, block)) {
            refs->unreadable = true;
            return;
        }
        visit_array(python, block + WALK_OFFSET(python->layout, deque_block, data) + at * python->word, count, index,
                    refs);
        index += count;
        at = 0;
        block = WALK_MEMBER(python, block, deque_block, rightlink);
    }
}

/* Modules/_functoolsmodule.c, lru_cache_tp_traverse(): key and result of every link; since 3.10 also the link's type.
 */
void walk_visit_lru_cache(struct walk_python *python, const struct walk_pytype *type, walk_addr object,
                          struct walk_refs *refs)
{
    (void)type;
    walk_addr root = object + WALK_OFFSET(python->layout, lru_cache, root);
    walk_addr at = WALK_MEMBER(python, root, lru_elem, next);
    struct walk_ring ring = {0};
    struct walk_copy link;
    while (at && at != root && !walk_ring_closed(&ring, at) && walk_refs_afford(refs, 1)) {
        walk_copy_read(python, at, WALK_SIZE(python->layout, lru_elem), &link);
        if (WALK_MINOR(python) < 7) {
            walk_refs_add_text(refs, at, 0, ".link");
        } else {
            walk_refs_add_text(refs, WALK_COPIED(python, &link, lru_elem, key), 0, ".link.key");
            walk_refs_add_text(refs, WALK_COPIED(python, &link, lru_elem, result), 0, ".link.result");
        }
        if (WALK_MINOR(python) >= 10)
            walk_refs_add_text(refs, WALK_COPIED(python, &link, object, ob_type), 0, ".link.__class__");
        at = WALK_COPIED(python, &link, lru_elem, next);
    }
    refs->unreadable |= at != root && WALK_MEMBER(python, root, lru_elem, next) != 0;
}
