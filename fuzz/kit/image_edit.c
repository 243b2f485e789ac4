#include "kit/image_edit.h"

#include <stddef.h>
#include <string.h>

#include "kit/image_draft.h"

#define MOST_CHANGES 3
#define UNMENDED_SHARE 8 /* of so many changes one leaves something out of order */

static draft_section *section_of(image_draft *d, uint32_t section) {
    return &d->sections[section];
}

/* A section with records in it, bytes of text aside; WLK_SECTION_COUNT if there is none. */
static uint32_t some_section(const image_draft *d, fuzz_random *random) {
    uint32_t there[WLK_SECTION_COUNT], count = 0;
    for (uint32_t i = 0; i < WLK_SECTION_TEXT; i++) {
        if (d->sections[i].count > 0) there[count++] = i;
    }
    return count ? there[random_below(random, count)] : WLK_SECTION_COUNT;
}

static uint32_t some_record(const image_draft *d, uint32_t section, fuzz_random *random) {
    return (uint32_t)random_below(random, d->sections[section].count);
}

/* ---- fields */

/* How many there are of what a field refers to. */
static uint64_t bound_of(const image_draft *d, const image_field *field) {
    if (field->refers < WLK_SECTION_COUNT) return d->sections[field->refers].count;
    if (field->refers == FIELD_EDGE) return d->sections[WLK_SECTION_VALUES].count;
    return 32; /* kinds, dtypes, ranks, verdicts, small counts */
}

static uint64_t other_value(const image_draft *d, uint32_t section, const image_field *field,
                            uint64_t now, fuzz_random *random) {
    const uint8_t *other = draft_record(d, section, some_record(d, section, random));
    const uint32_t k = (uint32_t)random_below(random, field->count);
    switch (random_below(random, 8)) {
        case 0:
        case 1:
            return random_edge(random);
        case 2:
            return image_field_get(other, field, k);
        case 3:
            return now + 1;
        case 4:
            return now - 1;
        case 5:
            return field->refers == FIELD_PLAIN ? UINT64_MAX : IMAGE_NONE;
        case 6:
            return field->refers == FIELD_EDGE
                       ? EDGE_TENSOR | random_below(random, d->sections[WLK_SECTION_TENSORS].count)
                       : random_below(random, bound_of(d, field));
        default:
            return random_below(random, bound_of(d, field));
    }
}

static void change_field(image_draft *d, fuzz_random *random) {
    uint32_t fields;
    const uint32_t section = some_section(d, random);
    if (section == WLK_SECTION_COUNT) return;
    const image_field *rows = image_fields(section, &fields);
    const image_field *field = &rows[random_below(random, fields)];
    uint8_t *record = draft_record(d, section, some_record(d, section, random));
    const uint32_t k = (uint32_t)random_below(random, field->count);
    const uint64_t now = image_field_get(record, field, k);
    image_field_set(record, field, k, other_value(d, section, field, now, random));
}

/* ---- strings */

#define LONGEST_TEXT 96

/* A string as one that is there, or changed. */
static uint32_t new_string(image_draft *d, fuzz_random *random) {
    uint8_t text[LONGEST_TEXT] = "v";
    uint32_t length = 1;
    const draft_section *strings = section_of(d, WLK_SECTION_STRINGS);
    if (strings->count > 0) {
        const string_record *s = (const void *)draft_record(
            d, WLK_SECTION_STRINGS, some_record(d, WLK_SECTION_STRINGS, random));
        const draft_section *bytes = section_of(d, WLK_SECTION_TEXT);
        const bool whole = s->offset <= bytes->count && s->length <= bytes->count - s->offset;
        length = whole && s->length < LONGEST_TEXT / 2 ? s->length : 0;
        memcpy(text, bytes->records + (whole ? s->offset : 0), length);
    }
    if (random_below(random, 4) == 0) {
        length = (uint32_t)mutate_bytes(text, length, LONGEST_TEXT, random);
    } else { /* a name that is not there yet, most likely */
        text[length++] = (uint8_t)('a' + random_below(random, 26));
        text[length++] = (uint8_t)('0' + random_below(random, 10));
    }
    return draft_string(d, text, length);
}

static void change_string(image_draft *d, fuzz_random *random) {
    const uint32_t string = new_string(d, random);
    const uint32_t section = some_section(d, random);
    uint32_t fields;
    if (string == IMAGE_NONE || section == WLK_SECTION_COUNT) return;
    const image_field *rows = image_fields(section, &fields);
    for (uint32_t i = 0; i < fields; i++) {
        if (rows[i].refers != WLK_SECTION_STRINGS || random_below(random, 2)) continue;
        image_field_set(draft_record(d, section, some_record(d, section, random)), &rows[i], 0,
                        string);
        return;
    }
}

/* ---- records */

/* What must have a name of its own gets one. */
static void name_anew(image_draft *d, uint32_t section, uint32_t index, fuzz_random *random) {
    if (section != WLK_SECTION_TENSORS && section != WLK_SECTION_VALUES) return;
    const uint32_t string = new_string(d, random);
    if (string == IMAGE_NONE) return;
    memcpy(draft_record(d, section, index), &string, sizeof string); /* the first field */
}

static void insert_record(image_draft *d, fuzz_random *random) {
    const uint32_t section = (uint32_t)random_below(random, WLK_SECTION_TEXT);
    const uint32_t count = section_of(d, section)->count;
    const uint32_t index = (uint32_t)random_below(random, count + 1);
    if (!draft_insert(d, section, index)) return;
    if (count > 0 && random_below(random, 8)) {
        uint32_t from = (uint32_t)random_below(random, count);
        if (from >= index) from++;
        memcpy(draft_record(d, section, index), draft_record(d, section, from),
               image_record_bytes[section]);
    }
    name_anew(d, section, index, random);
}

static void remove_record(image_draft *d, fuzz_random *random) {
    const uint32_t section = some_section(d, random);
    if (section == WLK_SECTION_COUNT) return;
    draft_remove(d, section, some_record(d, section, random));
}

static void swap_records(image_draft *d, fuzz_random *random) {
    uint8_t held[sizeof(type_record)];
    const uint32_t section = some_section(d, random);
    if (section == WLK_SECTION_COUNT) return;
    uint8_t *a = draft_record(d, section, some_record(d, section, random));
    uint8_t *b = draft_record(d, section, some_record(d, section, random));
    const size_t bytes = image_record_bytes[section];
    memcpy(held, a, bytes);
    memmove(a, b, bytes);
    memcpy(b, held, bytes);
}

/* ---- lists */

static uint32_t get(const uint8_t *record, uint32_t at) {
    uint32_t value;
    memcpy(&value, record + at, sizeof value);
    return value;
}

static void put(uint8_t *record, uint32_t at, uint32_t value) {
    memcpy(record + at, &value, sizeof value);
}

/* One entry more at a list's end, like one that is there: the list moves to the end of its
 * section, and mending brings it back. The entry's index, or IMAGE_NONE. */
static uint32_t list_grow(image_draft *d, const image_list *list, uint8_t *owner,
                          fuzz_random *random) {
    const uint32_t have = section_of(d, list->target)->count;
    const uint32_t before = get(owner, list->count) + (list->more ? get(owner, list->more) : 0);
    if (before > have) return IMAGE_NONE;
    const uint32_t first = draft_append(d, list->target, get(owner, list->first), before);
    if (first == IMAGE_NONE) return IMAGE_NONE;
    const uint32_t entry =
        draft_append(d, list->target, (uint32_t)random_below(random, have + 1), 1);
    if (entry == IMAGE_NONE) return IMAGE_NONE;
    const uint32_t place = list->more ? list->more : list->count;
    put(owner, list->first, first);
    put(owner, place, get(owner, place) + 1);
    return entry;
}

static const image_list *some_list(const image_draft *d, uint8_t **owner, fuzz_random *random) {
    uint32_t count;
    const image_list *lists = image_lists(&count);
    const image_list *list = &lists[random_below(random, count)];
    if (d->sections[list->owner].count == 0) return NULL;
    *owner = draft_record(d, list->owner, some_record(d, list->owner, random));
    return list;
}

static void change_list(image_draft *d, fuzz_random *random) {
    uint8_t *owner;
    const image_list *list = some_list(d, &owner, random);
    if (!list) return;
    if (random_below(random, 3)) {
        (void)list_grow(d, list, owner, random);
        return;
    }
    const uint32_t place = list->more && random_below(random, 2) ? list->more : list->count;
    if (get(owner, place) > 0) put(owner, place, get(owner, place) - 1);
}

/* A value that a node defines, and that others may then refer to. */
static void add_value(image_draft *d, fuzz_random *random) {
    static const image_list outputs = {
        WLK_SECTION_NODES, WLK_SECTION_EDGES, offsetof(node_record, edge_first),
        offsetof(node_record, inputs), offsetof(node_record, outputs)};
    const uint32_t value = section_of(d, WLK_SECTION_VALUES)->count;
    const value_record record = {0, IMAGE_NONE};
    if (section_of(d, WLK_SECTION_NODES)->count == 0) return;
    if (!draft_insert(d, WLK_SECTION_VALUES, value)) return;
    memcpy(draft_record(d, WLK_SECTION_VALUES, value), &record, sizeof record);
    name_anew(d, WLK_SECTION_VALUES, value, random);
    uint8_t *node = draft_record(d, WLK_SECTION_NODES, some_record(d, WLK_SECTION_NODES, random));
    const uint32_t edge = list_grow(d, &outputs, node, random);
    if (edge != IMAGE_NONE) put(draft_record(d, WLK_SECTION_EDGES, edge), 0, value);
}

/* ---- the whole */

typedef void (*draft_change)(image_draft *d, fuzz_random *random);
typedef void (*draft_mend)(image_draft *d);

static void change(image_draft *d, fuzz_random *random) {
    static const draft_change changes[] = {change_field,  change_field,  change_field,
                                           change_string, insert_record, remove_record,
                                           swap_records,  change_list,   add_value};
    changes[random_below(random, sizeof changes / sizeof *changes)](d, random);
}

/* In an order in which one does not undo another. Of one change in eight, one of them is left
 * out. */
static void mend(image_draft *d, fuzz_random *random) {
    static const draft_mend mends[] = {draft_mend_lists, draft_mend_metadata, draft_mend_tensors,
                                       draft_mend_spans, draft_mend_strings,  draft_mend_order,
                                       draft_mend_lists};
    enum { MENDS = sizeof mends / sizeof *mends };
    const size_t left_out =
        random_below(random, UNMENDED_SHARE) == 0 ? random_below(random, MENDS) : MENDS;
    for (size_t i = 0; i < MENDS; i++) {
        if (i != left_out) mends[i](d);
    }
}

/* What stands in the header: nothing mends it. */
static void change_header(uint8_t *image, fuzz_random *random) {
    uint32_t words[sizeof(image_header) / 4];
    memcpy(words, image, sizeof words);
    uint32_t *word = &words[random_below(random, sizeof words / 4)];
    *word = random_below(random, 2) ? (uint32_t)random_edge(random) : *word + 1;
    memcpy(image, words, sizeof words);
}

size_t image_smallest(uint8_t *image, size_t room) {
    image_header header = {IMAGE_MAGIC, IMAGE_VERSION, WLK_FORMAT_NONE, 0, {0}};
    uint64_t offsets[WLK_SECTION_COUNT];
    header.counts[WLK_SECTION_STRINGS] = header.counts[WLK_SECTION_TEXT] = 1;
    const uint64_t total = image_places(header.counts, offsets);
    if (total > room) return 0;
    memset(image, 0, total);
    memcpy(image, &header, sizeof header);
    return total;
}

size_t image_mutate(uint8_t *image, size_t size, size_t room, fuzz_random *random) {
    image_draft d;
    if (room == 0) return 0;
    if (!draft_load(&d, image, size)) {
        const size_t fresh = random_below(random, 4) ? 0 : image_smallest(image, room);
        return fresh ? fresh : mutate_bytes(image, size, room, random);
    }
    if (random_below(random, 16) == 0) {
        change_header(image, random);
        return size;
    }
    for (size_t n = 1 + random_below(random, MOST_CHANGES); n > 0; n--) change(&d, random);
    if (random_below(random, UNMENDED_SHARE)) mend(&d, random);
    const size_t stored = draft_store(&d, image, room);
    return stored ? stored : mutate_bytes(image, size, room, random);
}

size_t image_cross(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                   size_t room, fuzz_random *random) {
    image_header other;
    image_draft d;
    uint64_t offsets[WLK_SECTION_COUNT];
    if (b_size < sizeof other || !draft_load(&d, a, a_size)) return 0;
    memcpy(&other, b, sizeof other);
    if (image_places(other.counts, offsets) > b_size) return 0;
    const uint32_t section = (uint32_t)random_below(random, WLK_SECTION_TEXT);
    draft_section *s = section_of(&d, section);
    uint32_t count = other.counts[section];
    if (count > s->capacity) count = s->capacity;
    memcpy(s->records, b + offsets[section], (size_t)count * image_record_bytes[section]);
    s->count = count;
    mend(&d, random);
    return draft_store(&d, out, room);
}
