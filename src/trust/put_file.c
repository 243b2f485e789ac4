#include "trust/put_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "file/whole_file.h"

typedef struct put_row {
    wlk_rule failed;
    wlk_rule exists;
} put_row;

static const put_row rows[] = {
    [PUT_KEY] = {RULE_TRUST_KEY_WRITE, RULE_TRUST_KEY_EXISTS},
    [PUT_KEY_AGAIN] = {RULE_TRUST_KEY_WRITE, RULE_NONE},
    [PUT_SIGNATURE] = {RULE_TRUST_SIGNATURE_WRITE, RULE_NONE},
};

wlk_status put_file(const put_place *place, mode_t mode, const uint8_t *text, uint64_t length,
                    wlk_error *error) {
    const whole_place whole = {.folder = place->folder,
                               .path = place->name,
                               .shown = place->shown,
                               .failed = rows[place->kind].failed,
                               .exists = rows[place->kind].exists,
                               .mode = mode,
                               .denied = S_IWGRP | S_IWOTH};
    return whole_file_put(&whole, text, length, error);
}

wlk_status put_file_at(const char *path, put_kind kind, mode_t mode, const uint8_t *text,
                       uint64_t length, wlk_error *error) {
    const put_place place = {.folder = AT_FDCWD, .name = path, .shown = path, .kind = kind};
    return put_file(&place, mode, text, length, error);
}
