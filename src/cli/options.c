#include "cli/options.h"

#include <string.h>

#include "base/error.h"
#include "base/nearest.h"
#include "trust/policy.h"

#define MOST_KNOWN 64 /* names that are looked through for a similar one */

const option_row option_rows[OPTION_COUNT] = {
    [OPTION_HELP] = {"--help", "-h", NULL, "show this help"},
    [OPTION_JSON] = {"--json", NULL, NULL, "write one JSON object, also for errors"},
    [OPTION_TRUST] = {"--trust", NULL, "DIR", "the trust folder: public keys NAME.pub"},
    [OPTION_ALLOW_UNSIGNED] = {"--allow-unsigned", NULL, NULL,
                               "also take what no trusted key vouches for"},
    [OPTION_TRANSPORT] = {"--transport", NULL, "pipe|map|auto",
                          "how tensors reach this process (default: pipe)"},
    [OPTION_REQUIRE] = {"--require", NULL, "LAYER,...",
                        "refuse unless these layers hold too (see: weighlock doctor)"},
    [OPTION_LIMIT] = {"--limit", NULL, "NAME=VALUE",
                      "set a limit; may be repeated (see: weighlock help limits)"},
    [OPTION_UID] = {"--uid", NULL, "UID", "user of the confined child, when started as root"},
    [OPTION_OUTPUT] = {"--output", "-o", "FILE", "write to this file"},
    [OPTION_SECRET] = {"--secret", "-s", "FILE", "secret key file"},
    [OPTION_PUBLIC] = {"--public", "-p", "FILE", "public key file"},
    [OPTION_SIGN] = {"--sign", NULL, "SECRET", "sign with this secret key file"},
    [OPTION_UNENCRYPTED] = {"--unencrypted", "-W", NULL, "no password on the secret key"},
    [OPTION_PASSWORD_FD] = {"--password-fd", NULL, "N",
                            "read the password from descriptor N, not from the terminal"},
    [OPTION_FORMAT] = {"--format", "-f", "csv|json|npy",
                       "format of the results (default: csv; json with --json)"},
    [OPTION_HEADER] = {"--header", NULL, "yes|no|auto",
                       "does the CSV begin with column names? (default: auto)"},
    [OPTION_NA] = {"--na", NULL, "TEXT", "a spelling of missing values; may be repeated"},
    [OPTION_SELECT] = {"--select", NULL, "NAME", "give this output alone"},
    [OPTION_SELFTEST] = {"--selftest", NULL, NULL, "first run the model's golden rows"},
    [OPTION_POLICY] = {"--policy", NULL, "FILE",
                       "limits, trust and audit rules (see: weighlock policy)"},
    [OPTION_THRESHOLD] = {"--threshold", "-k", "N", "distinct trusted keys that must have signed"},
    [OPTION_SHA256] = {"--sha256", NULL, "HEX", "the file must have this SHA-256"},
    [OPTION_BLAKE2B] = {"--blake2b", NULL, "HEX",
                        "the file must have this BLAKE2b (512 or 256 bits)"},
    [OPTION_CHECKSUMS] = {"--checksums", NULL, "LIST",
                          "each file must have its digest in this list of sha256sum or b2sum"},
    [OPTION_STDIN0] = {"--stdin0", NULL, NULL,
                       "read NUL-separated file names from standard input; write JSON Lines"},
    [OPTION_DETACHED] = {"--detached", NULL, NULL, "write the signature to a .minisig file"},
    [OPTION_COMMENT] = {"--comment", "-t", "TEXT", "trusted comment of a detached signature"},
    [OPTION_NAME] = {"--name", "-n", "NAME", "what the key is called in the trust folder"},
    [OPTION_FROM] = {"--from", NULL, "DATE", "first day on which the key counts (YYYY-MM-DD)"},
    [OPTION_UNTIL] = {"--until", NULL, "DATE", "last day on which the key counts (YYYY-MM-DD)"},
    [OPTION_TENSOR] = {"--tensor", NULL, "NAME", "extract this tensor; may be repeated"},
    [OPTION_REMOVE] = {"--remove", NULL, "PATH", "remove what is at this path; may be repeated"},
    [OPTION_UNSIGNED] = {"--unsigned", NULL, NULL, "leave the result unsigned"},
    [OPTION_EXPLAIN] = {"--explain", NULL, NULL,
                        "say which system call a child was killed for: load once more, watched"},
    [OPTION_SYSCALLS] = {"--syscalls", NULL, NULL,
                         "show which system calls the confined child may make, and why"},
    [OPTION_INPUT] = {"--input", NULL, "NAME=FILE", "a .npy file for this input; may be repeated"},
    [OPTION_THREADS] = {"--threads", NULL, "N", "threads that compute (default: 1)"},
    [OPTION_TO] = {"--to", NULL, "wlk|npz|onnx",
                   "what to write (default: as --output ends, else wlk)"},
    [OPTION_COMPRESS] = {"--compress", NULL, NULL, "compress tensors that get shorter by it"},
    [OPTION_GOLDEN] = {"--selftest", NULL, "FILE",
                       "predict these rows and keep them as golden rows, which are then run"},
    [OPTION_IGNORE_UNKNOWN] = {"--ignore-unknown", NULL, NULL,
                               "leave columns aside that the model does not know"},
    [OPTION_PFC] = {"--pfc", NULL, NULL, "show the compiled filter, as libseccomp lists it"},
};

/* ---- from argv */

static bool spells(const char *text, size_t length, const char *name) {
    return name && strlen(name) == length && memcmp(name, text, length) == 0;
}

/* The allowed option spelled text[0..length), OPTION_COUNT if there is none. */
static option_id find(const char *text, size_t length, uint64_t allowed) {
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (!(allowed >> i & 1)) continue;
        if (spells(text, length, option_rows[i].name) ||
            spells(text, length, option_rows[i].brief)) {
            return (option_id)i;
        }
    }
    return OPTION_COUNT;
}

wlk_status options_unknown(const char *what, const char *name, const char *const *known,
                           size_t count, wlk_error *error) {
    const char *near = nearest_name(name, known, count);
    if (!near) {
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "unknown %s %.100s", what, name);
    }
    return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "unknown %s %.100s; did you mean %s?",
                      what, name, near);
}

static wlk_status unknown_option(const char *word, uint64_t allowed, wlk_error *error) {
    const char *known[OPTION_COUNT];
    size_t count = 0;
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (allowed >> i & 1) known[count++] = option_rows[i].name;
    }
    return options_unknown("option", word, known, count, error);
}

static wlk_status append(const char **list, uint32_t *count, option_id id, const char *value,
                         wlk_error *error) {
    if (*count == OPTION_MAX_REPEAT) {
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "%s more than %d times",
                          option_rows[id].name, OPTION_MAX_REPEAT);
    }
    list[(*count)++] = value;
    return WLK_OK;
}

/* No file or folder has an empty name: an unset variable in a script has. */
static bool is_empty_path(option_id id, const char *value) {
    static const char *const paths[] = {"FILE", "DIR", "SECRET", "LIST"};
    for (size_t i = 0; value && value[0] == '\0' && i < sizeof paths / sizeof *paths; i++) {
        if (strcmp(option_rows[id].argument, paths[i]) == 0) return true;
    }
    return false;
}

static wlk_status store(option_values *out, option_id id, const char *value, wlk_error *error) {
    if (is_empty_path(id, value)) {
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "%s needs %s, not an empty name",
                          option_rows[id].name, option_rows[id].argument);
    }
    out->given |= OPTION_BIT(id);
    out->value[id] = value;
    if (id == OPTION_NA) return append(out->na, &out->na_count, id, value, error);
    if (id == OPTION_LIMIT) return append(out->limit, &out->limit_count, id, value, error);
    if (id == OPTION_TENSOR) return append(out->tensor, &out->tensor_count, id, value, error);
    if (id == OPTION_INPUT) return append(out->input, &out->input_count, id, value, error);
    if (id == OPTION_REMOVE) return append(out->remove, &out->remove_count, id, value, error);
    return WLK_OK;
}

/* One option at argv[*at], its argument attached by "=" or in the next word. */
static wlk_status take(const char **argv, uint32_t count, uint32_t *at, uint64_t allowed,
                       option_values *out, wlk_error *error) {
    const char *word = argv[*at];
    const size_t length = strcspn(word, "=");
    const char *attached = word[length] ? word + length + 1 : NULL;
    const option_id id = find(word, length, allowed);
    if (id == OPTION_COUNT) return unknown_option(word, allowed, error);
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

wlk_status options_parse(const char **argv, uint32_t count, uint64_t allowed, option_values *out,
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

/* ---- their values */

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

wlk_status options_choice(option_id id, const char *text, const char *const *names, unsigned count,
                          unsigned *choice, wlk_error *error) {
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *choice = i;
        return WLK_OK;
    }
    return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "%s %.100s: it is one of %s",
                      option_rows[id].name, text, option_rows[id].argument);
}

static wlk_status unknown_limit(const char *name, wlk_error *error) {
    const char *known[MOST_KNOWN];
    wlk_limit_row row;
    uint32_t count = 0;
    while (count < MOST_KNOWN && wlk_limits_row(count, &row)) known[count++] = row.name;
    return options_unknown("limit", name, known, count, error);
}

static wlk_status set_limit(wlk_limits *limits, const char *text, wlk_error *error) {
    char name[64] = "";
    uint64_t value;
    const size_t length = strcspn(text, "=");
    if (length < sizeof name) memcpy(name, text, length);
    wlk_limits unused = {0};
    if (wlk_limits_set(&unused, name, 0) != WLK_OK) return unknown_limit(text, error);
    if (text[length] == '=' && options_number(text + length + 1, &value)) {
        return wlk_limits_set(limits, name, value);
    }
    return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "--limit %.100s: %s=NUMBER is wanted",
                      text, name);
}

static wlk_status set_threshold(wlk_policy *policy, const char *text, wlk_error *error) {
    uint64_t keys;
    if (!options_number(text, &keys) || keys == 0 || keys > UINT32_MAX) {
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                          "--threshold %.100s: a number of keys, at least 1, is wanted", text);
    }
    policy->threshold = (uint32_t)keys;
    return WLK_OK;
}

wlk_status options_policy(const option_values *v, wlk_policy *policy, wlk_error *error) {
    const char *file = v->value[OPTION_POLICY], *threshold = v->value[OPTION_THRESHOLD];
    wlk_policy_default(policy);
    if (file) {
        TRY(wlk_policy_load(file, policy, error));
    } else {
        TRY(policy_load_if_there(POLICY_SYSTEM_FILE, policy, error));
    }
    for (uint32_t i = 0; i < v->limit_count; i++) {
        TRY(set_limit(&policy->limits, v->limit[i], error));
    }
    return threshold ? set_threshold(policy, threshold, error) : WLK_OK;
}

static wlk_status unknown_layer(const char *list, size_t length, wlk_error *error) {
    const char *known[WLK_LAYER_COUNT];
    char name[64];
    if (length >= sizeof name) length = sizeof name - 1;
    memcpy(name, list, length);
    name[length] = '\0';
    for (uint32_t i = 0; i < WLK_LAYER_COUNT; i++) known[i] = wlk_layer_name(i);
    return options_unknown("layer", name, known, WLK_LAYER_COUNT, error);
}

static wlk_status set_required(wlk_load_options *load, const char *list, wlk_error *error) {
    for (bool more = true; more;) {
        const size_t length = strcspn(list, ",");
        uint32_t layer = 0;
        while (wlk_layer_name(layer) && !spells(list, length, wlk_layer_name(layer))) layer++;
        if (!wlk_layer_name(layer)) return unknown_layer(list, length, error);
        load->require |= 1u << layer;
        more = list[length] == ',';
        list += length + more;
    }
    return WLK_OK;
}

static wlk_status set_transport(wlk_load_options *load, const char *text, wlk_error *error) {
    static const char *const names[] = {
        [WLK_TRANSPORT_AUTO] = "auto", [WLK_TRANSPORT_PIPE] = "pipe", [WLK_TRANSPORT_MAP] = "map"};
    unsigned choice;
    TRY(options_choice(OPTION_TRANSPORT, text, names, 3, &choice, error));
    load->transport = (wlk_transport)choice;
    return WLK_OK;
}

static wlk_status set_uid(wlk_load_options *load, const char *text, wlk_error *error) {
    uint64_t uid;
    if (!options_number(text, &uid) || uid == 0 || uid >= UINT32_MAX) {
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                          "--uid %.100s: a number from 1 to 4294967294 is wanted", text);
    }
    load->uid = (uint32_t)uid;
    return WLK_OK;
}

wlk_status options_load(const option_values *v, wlk_load_options *load, wlk_error *error) {
    wlk_load_options_default(load);
    TRY(options_policy(v, &load->policy, error));
    if (v->value[OPTION_REQUIRE]) TRY(set_required(load, v->value[OPTION_REQUIRE], error));
    if (v->value[OPTION_TRANSPORT]) TRY(set_transport(load, v->value[OPTION_TRANSPORT], error));
    if (v->value[OPTION_UID]) TRY(set_uid(load, v->value[OPTION_UID], error));
    return WLK_OK;
}
