/* Repeated numbers and texts of a message: packed, in several pieces, or one by one with a
 * tag each; and how they become a tensor's elements. */
#ifndef WLK_FORMATS_ONNX_NUMBERS_H
#define WLK_FORMATS_ONNX_NUMBERS_H

#include "formats/onnx/reader.h"

/* All that a message holds under one field number. */
typedef struct number_list {
    cursor message;
    uint32_t field;
    field_kind kind;     /* FIELD_INT, FLOAT, DOUBLE or TEXT */
    uint64_t count;      /* numbers or texts */
    uint64_t text_bytes; /* of texts, all together */
    bool whole;          /* all lies in one packed piece: */
    cursor piece;        /* that */
} number_list;

/* Finds and counts them. */
wlk_status onnx_numbers_find(cursor message, uint32_t field, field_kind kind, number_list *list,
                             wlk_error *error);

/* Reading them one after the other. */
typedef struct number_walk {
    cursor message;
    cursor piece; /* the packed rest */
    uint32_t field;
    field_kind kind;
    uint8_t tag;     /* of the latest number that had one of a byte; 0: none had */
    uint64_t offset; /* of the latest number or its tag */
} number_walk;

number_walk onnx_numbers_walk(const number_list *list);
/* RULE_NONE with *value, an int or the bits of a float. Behind the last: *value is 0. */
wlk_rule onnx_numbers_next(number_walk *walk, uint64_t *value);

/* How ONNX stores elements of a dtype in typed fields. */
typedef struct element_form {
    uint8_t field; /* of TensorProto */
    uint8_t kind;  /* field_kind */
    uint8_t parts; /* numbers for an element */
    uint8_t width; /* bytes of a number in the payload */
    int64_t least; /* of ints */
    uint64_t most;
} element_form;

/* NULL if there is none. */
const element_form *onnx_element_form(wlk_dtype dtype);

/* Decodes all numbers into memory of list->count times form->width bytes. */
wlk_status onnx_numbers_copy(const number_list *list, const element_form *form, uint8_t *memory,
                             wlk_error *error);

/* Builds a tensor whose elements the list holds; spec says name, dtype, rank, shape, offset and,
 * but for strings, the payload's size. The list's length has been held against the shape. */
wlk_status onnx_numbers_build(reader *r, const number_list *list, image_tensor_spec *spec,
                              uint32_t *tensor, wlk_error *error);

#endif
