/* The parts of make_seeds, which writes what fuzzers start from: inputs made from the
 * project's own tables, so that a new operator, dtype or rule gets its seeds with its row.
 *
 * A program of the build: what goes wrong ends it. */
#ifndef WEIGHLOCK_SEEDS_H
#define WEIGHLOCK_SEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weighlock/write.h>

#include "base/error.h"

/* ---- seed_file.c */

/* FOLDER/seeds/TARGET/NAME. A name may come twice only with the same bytes. */
void seed_put(const char *target, const char *name, const void *data, size_t size);
/* FOLDER/dict/TARGET.dict. */
void seed_dictionary(const char *target, const char *text, size_t size);
/* Where all of that goes: once, first. */
void seed_folder(const char *folder);
_Noreturn void seed_fail(const char *name, const wlk_error *error);

/* Bytes that grow. All zero is empty; release with free(data). */
typedef struct seed_buffer {
    uint8_t *data;
    size_t size, room;
} seed_buffer;
void seed_add(seed_buffer *buffer, const void *data, size_t size);
void seed_print(seed_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- seed_models.c, seed_operators.c: valid models */

/* Gets each; the model is released behind it. core: one of the few that have something of
 * every kind; else one more operator. */
typedef struct model_visitor {
    void *context;
    void (*visit)(void *context, const char *name, const wlk_model *model, bool core);
} model_visitor;

void models_core(const model_visitor *visitor);
void models_operators(const model_visitor *visitor);
/* seed_plans.c: for the targets that plan and run. */
void models_bad(const model_visitor *visitor);

/* Finishes the writer, and shows its model to the visitor. */
void model_done(const model_visitor *visitor, wlk_writer *w, bool core, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
wlk_writer *model_begin(void);
/* A tensor of this shape, filled with small numbers. */
uint32_t model_tensor(wlk_writer *w, const char *name, wlk_dtype dtype, uint32_t rank,
                      const uint64_t *shape);

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SHAPE(...) ((const uint64_t[]){__VA_ARGS__})

/* ---- seed_wlk.c: files, headers, hostile ones of both */
void seeds_wlk(void);

/* ---- seed_image.c, seed_wire.c: what a child hands over of them, well-formed and bent */
void seeds_image(const char *name, const uint8_t *file, size_t size);
void seeds_plan(const char *name, const uint8_t *file, size_t size);
void seeds_image_hostile(const uint8_t *file, size_t size);
void seeds_wire(const char *name, const uint8_t *file, size_t size);
void seeds_wire_hostile(const uint8_t *file, size_t size);
void seeds_order(void);
void seeds_refusals(void);

/* ---- seed_pickle.c */
void seeds_pickle(void);

/* ---- seed_dict.c */

/* The words of a header become words of dictionaries. */
void dictionary_learn(const uint8_t *header, size_t size);
void seeds_dictionaries(void);

/* ---- seed_rules.c: which rules are reached */

/* A seed ends with this rule. */
void rules_reached(wlk_rule rule);
/* Prints those of the layers of parsers, image and wire that no seed ends with. Returns
 * how many of them should have been. */
unsigned rules_report(void);

#endif
