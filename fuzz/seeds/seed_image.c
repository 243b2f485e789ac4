/* Model images: those that parsers make of files, and each of their fields with a value that
 * it must not have. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kit/image_fields.h"
#include "kit/kit.h"
#include "seeds/seed_answer.h"
#include "seeds/seeds.h"

/* ---- what a parser hands over */

static wlk_status take_begin(void *context, uint64_t length, uint64_t file_offset,
                             wlk_error *error) {
    seed_answer *answer = context;
    (void)error;
    answer->buffers[answer->count++] =
        (image_buffer){answer->file + file_offset, length, file_offset};
    return answer->count < ANSWER_BUFFERS ? WLK_OK : WLK_LIMIT;
}

static wlk_status take_bytes(void *context, const uint8_t *data, uint64_t length,
                             wlk_error *error) {
    (void)context, (void)data, (void)length, (void)error;
    return WLK_OK;
}

void answer_of_file(const uint8_t *file, size_t size, seed_answer *answer) {
    const image_sink sink = {answer, take_begin, take_bytes};
    const format_input input = {.data = file, .size = size, .limits = fuzz_limits()};
    wlk_error error = {.status = WLK_OK};
    *answer = (seed_answer){.file = file, .file_bytes = size};
    image_builder *builder = image_builder_new(fuzz_limits(), &sink);
    if (builder) image_format(builder, WLK_FORMAT_WLK);
    if (!builder || format_parse_wlk(&input, builder, &error) != WLK_OK ||
        image_finish(builder, size, &answer->image, &answer->image_bytes, &error) != WLK_OK) {
        seed_fail("image", &error);
    }
    image_builder_free(builder);
}

/* What no .wlk file gives: a remark about a file of 100 bytes. */
void answer_with_finding(seed_answer *answer) {
    const image_sink sink = {answer, take_begin, take_bytes};
    wlk_error error = {.status = WLK_OK};
    *answer = (seed_answer){.file_bytes = 100};
    image_builder *b = image_builder_new(fuzz_limits(), &sink);
    if (!b) seed_fail("image", NULL);
    (void)image_span(b, WLK_SPAN_HEADER, 0, 60, IMAGE_NONE);
    (void)image_span(b, WLK_SPAN_UNCLAIMED, 60, 40, IMAGE_NONE);
    (void)image_finding(b, RULE_HEADER_VALUE, WLK_MEDIUM, 60, 40,
                        image_string(b, "evidence", 8, 0));
    if (image_finish(b, 100, &answer->image, &answer->image_bytes, &error) != WLK_OK) {
        seed_fail("finding", &error);
    }
    image_builder_free(b);
}

void answer_free(seed_answer *answer) {
    mem_free(answer->image);
    answer->image = NULL;
}

/* ---- as the targets take it (kit/input_image.h) */

static void put_input(const char *target, const char *name, const seed_answer *answer,
                      uint32_t flags) {
    const image_input head = {answer->file_bytes, answer->count, flags};
    seed_buffer out = {0};
    wlk_model *model;
    wlk_error error = {.status = WLK_OK};
    seed_add(&out, &head, sizeof head);
    for (uint32_t i = 0; i < answer->count; i++) {
        const image_buffer *b = &answer->buffers[i];
        const image_input_buffer row = {(uint32_t)b->length, (uint32_t)b->length, b->file_offset};
        seed_add(&out, &row, sizeof row);
    }
    for (uint32_t i = 0; i < answer->count; i++) {
        seed_add(&out, answer->buffers[i].data, answer->buffers[i].length);
    }
    seed_add(&out, answer->image, answer->image_bytes);
    seed_put(target, name, out.data, out.size);
    if (image_input_validate(out.data, out.size, fuzz_limits(), &model, &error) != WLK_OK) {
        rules_reached((wlk_rule)error.rule);
        if (strncmp(name, "hostile-", 8) != 0) seed_fail(name, &error);
    }
    wlk_model_free(model);
    free(out.data);
}

void seeds_image(const char *name, const uint8_t *file, size_t size) {
    char absent[128];
    seed_answer answer;
    answer_of_file(file, size, &answer);
    put_input("image", name, &answer, 0);
    (void)snprintf(absent, sizeof absent, "absent-%s", name);
    if (strcmp(name, "whole") == 0) put_input("image", absent, &answer, IMAGE_INPUT_ABSENT);
    answer_free(&answer);
}

void seeds_plan(const char *name, const uint8_t *file, size_t size) {
    seed_answer answer;
    answer_of_file(file, size, &answer);
    put_input("plan", name, &answer, 0);
    answer_free(&answer);
}

/* ---- one field at a time */

typedef struct section_place {
    uint64_t at;
    uint32_t count;
} section_place;

static section_place find_section(const seed_answer *answer, uint32_t section) {
    const image_header *header = (const void *)answer->image;
    uint64_t offsets[WLK_SECTION_COUNT], total;
    if (!image_layout(header->counts, offsets, &total)) seed_fail("layout", NULL);
    return (section_place){offsets[section], header->counts[section]};
}

/* The value beside it, none, the largest of half its width. */
static uint64_t wrong_value(uint64_t now, const image_field *field, unsigned how) {
    const uint64_t most = UINT64_MAX >> (64 - 8 * field->bytes);
    return how == 0 ? (now + 1) & most : how == 1 ? most : most >> 1;
}

static const char *const wrongs[] = {"next", "none", "far"};

static void put_wrong_field(const char *base, seed_answer *answer, uint32_t section,
                            const image_field *field) {
    char name[96];
    const section_place place = find_section(answer, section);
    if (place.count == 0) return;
    uint8_t *record =
        answer->image + place.at + (uint64_t)(place.count - 1) * image_record_bytes[section];
    const uint64_t now = image_field_get(record, field, 0);
    for (unsigned how = 0; how < 3; how++) {
        image_field_set(record, field, 0, wrong_value(now, field, how));
        (void)snprintf(name, sizeof name, "hostile-%s%s-%s-%s", base, image_section_name(section),
                       field->name, wrongs[how]);
        put_input("image", name, answer, 0);
    }
    image_field_set(record, field, 0, now);
}

static void put_wrong_fields(const char *base, seed_answer *answer) {
    for (uint32_t section = 0; section < WLK_SECTION_COUNT; section++) {
        uint32_t count;
        const image_field *fields = image_fields(section, &count);
        for (uint32_t i = 0; i < count; i++) put_wrong_field(base, answer, section, &fields[i]);
    }
}

/* What is about more than one field: a byte of the image that changes. The place is the
 * record of a section plus some bytes; WLK_SECTION_COUNT: the header. */
typedef struct image_bend {
    const char *name;
    uint32_t section, record, at, bytes;
    uint64_t value;
} image_bend;

#define HEAD WLK_SECTION_COUNT
#define IN(type, member) offsetof(type, member), sizeof(((type *)0)->member)
static const image_bend image_bends[] = {
    {"hostile-image-magic", HEAD, 0, IN(image_header, magic), 0},
    {"hostile-image-version", HEAD, 0, IN(image_header, version), 2},
    {"hostile-image-of-another-file", HEAD, 0, IN(image_header, file_bytes), 1},
    {"hostile-image-more-nodes", HEAD, 0, IN(image_header, counts[WLK_SECTION_NODES]), 0xffffffff},
    {"hostile-image-no-strings", HEAD, 0, IN(image_header, counts[WLK_SECTION_STRINGS]), 0},
    {"hostile-image-strings-descend", WLK_SECTION_TEXT, 1, 0, 1, '~'},
    {"hostile-image-text-not-utf8", WLK_SECTION_TEXT, 1, 0, 1, 0xff},
    {"hostile-image-string-unused", WLK_SECTION_GRAPHS, 0, IN(graph_record, name), 0},
    {"hostile-image-two-of-one-name", WLK_SECTION_VALUES, 1, IN(value_record, name), 0},
    {"hostile-image-node-without-operator", WLK_SECTION_NODES, 0, IN(node_record, op), 0},
    {"hostile-image-input-without-type", WLK_SECTION_VALUES, 0, IN(value_record, type), IMAGE_NONE},
    {"hostile-image-cycle", WLK_SECTION_EDGES, 2, 0, 4, 2},
    {"hostile-image-nothing-gives-it", WLK_SECTION_NUMBERS, 0, 0, 8, 1},
    {"hostile-image-graph-holds-itself", WLK_SECTION_NUMBERS, 3, 0, 8, 0},
    {"hostile-image-block-of-nothing", WLK_SECTION_BLOCKS, 0, IN(block_record, elements), 0},
    {"hostile-image-tensor-of-no-dtype", WLK_SECTION_TENSORS, 0, IN(tensor_record, dtype), 0},
    {"hostile-image-tensors-overlap", WLK_SECTION_TENSORS, 1, IN(tensor_record, buffer), 0},
    {"hostile-image-shape-wraps", WLK_SECTION_TENSORS, 0, IN(tensor_record, shape[0]), 1ull << 62},
    {"hostile-image-type-of-itself", WLK_SECTION_TYPES, 0, IN(type_record, element), 0},
    {"hostile-image-opset-0", WLK_SECTION_OPSETS, 0, IN(opset_record, version), 0},
    {"hostile-image-span-longer", WLK_SECTION_SPANS, 0, IN(span_record, length), 257},
    {"hostile-image-span-no-payload", WLK_SECTION_SPANS, 4, IN(span_record, kind), 6},
};

static void put_image_bends(seed_answer *answer) {
    for (size_t i = 0; i < sizeof image_bends / sizeof *image_bends; i++) {
        const image_bend *bend = &image_bends[i];
        section_place place = {0, 1};
        uint64_t size = 0, saved = 0;
        if (bend->section != HEAD) {
            place = find_section(answer, bend->section);
            size = image_record_bytes[bend->section];
        }
        if (bend->record >= place.count) seed_fail(bend->name, NULL);
        uint8_t *at = answer->image + place.at + bend->record * size + bend->at;
        memcpy(&saved, at, bend->bytes);
        memcpy(at, &bend->value, bend->bytes);
        put_input("image", bend->name, answer, 0);
        memcpy(at, &saved, bend->bytes);
    }
}

/* Around the image: its end, the payloads, what the caller knows. */
static void put_wrong_around(const seed_answer *answer) {
    seed_answer wrong = *answer;
    wrong.image_bytes -= 8;
    put_input("image", "hostile-image-cut", &wrong, 0);
    wrong.image_bytes = 79;
    put_input("image", "hostile-image-of-79-bytes", &wrong, 0);
    wrong = *answer;
    wrong.file_bytes++;
    put_input("image", "hostile-file-one-byte-longer", &wrong, 0);
    wrong = *answer;
    wrong.count--;
    put_input("image", "hostile-a-payload-is-missing", &wrong, 0);
    wrong = *answer;
    wrong.buffers[wrong.count++] = wrong.buffers[0];
    put_input("image", "hostile-a-payload-too-many", &wrong, 0);
    wrong = *answer;
    wrong.buffers[1].length--;
    put_input("image", "hostile-a-payload-is-shorter", &wrong, 0);
    wrong = *answer;
    wrong.buffers[0].file_offset = WLK_NO_OFFSET;
    put_input("image", "hostile-a-payload-from-nowhere", &wrong, 0);
    wrong.buffers[0].file_offset = 1;
    put_input("image", "hostile-a-payload-from-the-header", &wrong, 0);
    wrong.buffers[0].file_offset = UINT64_MAX - 1;
    put_input("image", "hostile-a-payload-beyond-everything", &wrong, 0);
}

/* Nobody plans what is no model. */
static void put_wrong_plans(const seed_answer *answer) {
    seed_answer wrong = *answer;
    wrong.image_bytes -= 8;
    put_input("plan", "hostile-image-cut", &wrong, 0);
    put_input("plan", "hostile-absent", answer, IMAGE_INPUT_ABSENT);
}

void seeds_image_hostile(const uint8_t *file, size_t size) {
    seed_answer answer;
    answer_of_file(file, size, &answer);
    put_wrong_fields("", &answer);
    put_image_bends(&answer);
    put_wrong_around(&answer);
    put_wrong_plans(&answer);
    answer_free(&answer);
    answer_with_finding(&answer);
    put_input("image", "finding", &answer, 0);
    put_wrong_fields("remark-", &answer);
    answer_free(&answer);
}
