#include <stddef.h>
#include <string.h>

#include <weighlock/limits.h>

typedef struct limit_field {
    wlk_limit_row row;
    size_t offset;
} limit_field;

static const limit_field fields[] = {
#define LIMIT(field, value, unit, reason) \
    {{#field, unit, reason, value}, offsetof(wlk_limits, field)},
#include "gen/limits.inc"
#undef LIMIT
};

#define FIELD_COUNT (sizeof fields / sizeof *fields)
_Static_assert(FIELD_COUNT * sizeof(uint64_t) == sizeof(wlk_limits),
               "policy/limits.policy and wlk_limits have the same rows");

static void field_store(wlk_limits *limits, const limit_field *field, uint64_t value) {
    memcpy((char *)limits + field->offset, &value, sizeof value);
}

void wlk_limits_default(wlk_limits *limits) {
    for (size_t i = 0; i < FIELD_COUNT; i++)
        field_store(limits, &fields[i], fields[i].row.standard);
}

int wlk_limits_row(uint32_t index, wlk_limit_row *row) {
    if (index >= FIELD_COUNT) return 0;
    *row = fields[index].row;
    return 1;
}

uint64_t wlk_limits_value(const wlk_limits *limits, uint32_t index) {
    uint64_t value = 0;
    if (index < FIELD_COUNT) {
        memcpy(&value, (const char *)limits + fields[index].offset, sizeof value);
    }
    return value;
}

wlk_status wlk_limits_set(wlk_limits *limits, const char *name, uint64_t value) {
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (strcmp(fields[i].row.name, name) == 0) {
            field_store(limits, &fields[i], value);
            return WLK_OK;
        }
    }
    return WLK_USAGE;
}
