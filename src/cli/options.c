#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

const option_row option_rows[OPTION_COUNT] = {
    [OPTION_HELP] = {"--help", "-h", NULL, "show this help"},
    [OPTION_JSON] = {"--json", NULL, NULL, "write JSON for machines"},
    [OPTION_TRUST] = {"--trust", NULL, "DIR", "folder of trusted public keys"},
    [OPTION_ALLOW_UNSIGNED] = {"--allow-unsigned", NULL, NULL,
                               "also take what no trusted key vouches for"},
    [OPTION_TRANSPORT] = {"--transport", NULL, "pipe|map|auto",
                          "how tensors reach this process (default: pipe)"},
    [OPTION_REQUIRE] = {"--require", NULL, "LAYER,...",
                        "refuse unless these layers hold too (weighlock doctor lists them)"},
    [OPTION_LIMIT] = {"--limit", NULL, "NAME=VALUE", "set a limit; may be repeated"},
    [OPTION_UID] = {"--uid", NULL, "UID", "the child's user, when started as root"},
    [OPTION_OUTPUT] = {"--output", "-o", "FILE", "write here instead"},
    [OPTION_SECRET] = {"--secret", "-s", "FILE", "secret key file"},
    [OPTION_PUBLIC] = {"--public", "-p", "FILE", "public key file"},
    [OPTION_SIGN] = {"--sign", NULL, "SECRET", "sign with this secret key file"},
    [OPTION_UNENCRYPTED] = {"--unencrypted", "-W", NULL, "no password on the secret key"},
    [OPTION_PASSWORD_FD] = {"--password-fd", NULL, "N",
                            "read the password from descriptor N, not from the terminal"},
    [OPTION_FORMAT] = {"--format", "-f", "csv|json|npy", "output format"},
    [OPTION_HEADER] = {"--header", NULL, "yes|no|auto",
                       "does the CSV begin with column names? (default: auto)"},
    [OPTION_NA] = {"--na", NULL, "TEXT", "a spelling of missing values; may be repeated"},
    [OPTION_SELECT] = {"--select", NULL, "NAME", "the output to write as .npy"},
    [OPTION_SELFTEST] = {"--selftest", NULL, NULL, "first run the model's golden rows"},
};

static bool spells(const char *text, size_t length, const char *name) {
    return name && strlen(name) == length && memcmp(name, text, length) == 0;
}

/* The allowed option spelled text[0..length), OPTION_COUNT if there is none. */
static option_id find(const char *text, size_t length, uint32_t allowed) {
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (!(allowed >> i & 1)) continue;
        if (spells(text, length, option_rows[i].name) ||
            spells(text, length, option_rows[i].brief)) {
            return (option_id)i;
        }
    }
    return OPTION_COUNT;
}

static wlk_status append(const char **list, uint32_t *count, const char *value,
                         wlk_error *error) {
    if (*count == OPTION_MAX_REPEAT) {
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "%s: too often", value);
    }
    list[(*count)++] = value;
    return WLK_OK;
}

static wlk_status store(option_values *out, option_id id, const char *value, wlk_error *error) {
    out->given |= OPTION_BIT(id);
    out->value[id] = value;
    if (id == OPTION_NA) return append(out->na, &out->na_count, value, error);
    if (id == OPTION_LIMIT) return append(out->limit, &out->limit_count, value, error);
    return WLK_OK;
}

/* One option at argv[*at], its argument attached by "=" or in the next word. */
static wlk_status take(const char **argv, uint32_t count, uint32_t *at, uint32_t allowed,
                       option_values *out, wlk_error *error) {
    const char *word = argv[*at];
    const size_t length = strcspn(word, "=");
    const char *attached = word[length] ? word + length + 1 : NULL;
    const option_id id = find(word, length, allowed);
    if (id == OPTION_COUNT) {
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "unknown option %s", word);
    }
    if (!option_rows[id].argument) {
        if (!attached) return store(out, id, NULL, error);
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "%s takes no value",
                          option_rows[id].name);
    }
    if (!attached && *at + 1 < count) attached = argv[++*at];
    if (attached) return store(out, id, attached, error);
    return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "%s needs %s", option_rows[id].name,
                      option_rows[id].argument);
}

wlk_status options_parse(const char **argv, uint32_t count, uint32_t allowed, option_values *out,
                         wlk_error *error) {
    *out = (option_values){.operands = argv};
    bool only_operands = false;
    for (uint32_t i = 0; i < count; i++) {
        const char *word = argv[i];
        if (only_operands || word[0] != '-' || word[1] == 0) {
            out->operands[out->operand_count++] = word;
        } else if (strcmp(word, "--") == 0) {
            only_operands = true;
        } else {
            TRY(take(argv, count, &i, allowed, out, error));
        }
    }
    return WLK_OK;
}

bool options_number(const char *text, uint64_t *value) {
    uint64_t number = 0;
    if (*text == 0) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*text - '0'), &number)) {
            return false;
        }
    }
    *value = number;
    return true;
}

static wlk_status set_limit(wlk_limits *limits, const char *text, wlk_error *error) {
    char name[64];
    uint64_t value;
    const size_t length = strcspn(text, "=");
    if (length < sizeof name && text[length] == '=' && options_number(text + length + 1, &value)) {
        memcpy(name, text, length);
        name[length] = 0;
        if (wlk_limits_set(limits, name, value) == WLK_OK) return WLK_OK;
    }
    return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "--limit %s", text);
}

wlk_status options_limits(const option_values *v, wlk_limits *limits, wlk_error *error) {
    wlk_limits_default(limits);
    for (uint32_t i = 0; i < v->limit_count; i++) TRY(set_limit(limits, v->limit[i], error));
    return WLK_OK;
}

static wlk_status set_required(wlk_load_options *load, const char *list, wlk_error *error) {
    while (*list) {
        const size_t length = strcspn(list, ",");
        uint32_t layer = 0;
        while (wlk_layer_name(layer) && !spells(list, length, wlk_layer_name(layer))) layer++;
        if (!wlk_layer_name(layer)) {
            return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "--require %s", list);
        }
        load->require |= 1u << layer;
        list += length + (list[length] == ',');
    }
    return WLK_OK;
}

static wlk_status set_transport(wlk_load_options *load, const char *text, wlk_error *error) {
    static const char *const names[] = {"auto", "pipe", "map"}; /* by wlk_transport */
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        load->transport = (wlk_transport)i;
        return WLK_OK;
    }
    return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "--transport %s", text);
}

static wlk_status set_uid(wlk_load_options *load, const char *text, wlk_error *error) {
    uint64_t uid;
    if (!options_number(text, &uid) || uid == 0 || uid >= UINT32_MAX) {
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "--uid %s", text);
    }
    load->uid = (uint32_t)uid;
    return WLK_OK;
}

wlk_status options_load(const option_values *v, wlk_load_options *load, wlk_trust **trust,
                        wlk_error *error) {
    *trust = NULL;
    wlk_load_options_default(load);
    TRY(options_limits(v, &load->limits, error));
    if (v->value[OPTION_REQUIRE]) TRY(set_required(load, v->value[OPTION_REQUIRE], error));
    if (v->value[OPTION_TRANSPORT]) TRY(set_transport(load, v->value[OPTION_TRANSPORT], error));
    if (v->value[OPTION_UID]) TRY(set_uid(load, v->value[OPTION_UID], error));
    load->allow_unsigned = option_given(v, OPTION_ALLOW_UNSIGNED);
    TRY(wlk_trust_open(v->value[OPTION_TRUST], trust, error));
    load->trust = *trust;
    return WLK_OK;
}
