#include <stdio.h>
#include <string.h>

#include <weighlock/write.h>

#include "base/memory.h"
#include "base/nearest.h"
#include "cli/cli.h"
#include "cli/meta_place.h"
#include "cli/model_json.h"
#include "cli/model_source.h"
#include "write/meta_edit.h"

static wlk_status no_memory(wlk_error *error) {
    return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
}

static wlk_status usage(wlk_error *error, const char *what) {
    return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "%s", what);
}

/* ---- meta get */

static wlk_status no_entry(const wlk_model *model, const char *path, wlk_error *error) {
    const uint32_t count = wlk_model_count(model, WLK_SECTION_METADATA);
    const char **paths = mem_zeroed(count, sizeof *paths);
    if (!paths) return no_memory(error);
    for (uint32_t i = 0; i < count; i++) paths[i] = wlk_model_meta(model, i).path;
    const char *near = nearest_name(path, paths, count);
    const wlk_status status =
        near ? error_text(error, RULE_WRITE_ENTRY, WLK_NO_OFFSET, "%.100s; did you mean %.100s?",
                          path, near)
             : error_text(error, RULE_WRITE_ENTRY, WLK_NO_OFFSET, "%.100s", path);
    mem_free(paths);
    return status;
}

static void print_entry(const cli *c, const char *file, const char *path, const wlk_model *model,
                        uint32_t entry) {
    json_out j = json_out_to(stdout, JSON_LINES);
    if (cli_json(c)) {
        json_begin_map(&j, JSON_LINES);
        json_pair_text(&j, "verdict", wlk_status_name(WLK_OK));
        json_pair_text(&j, "file", file);
        json_pair_text(&j, "path", path);
        json_key(&j, "value");
    }
    model_json_meta(&j, model, entry);
    if (cli_json(c)) json_end_map(&j);
    (void)putchar('\n');
}

static wlk_status get(const cli *c, const char *file, const char *path, const wlk_model *model,
                      wlk_error *error) {
    uint32_t entry = WLK_NONE; /* all of it */
    if (path[0] != '\0') {
        entry = wlk_model_find_meta(model, path);
        if (entry == WLK_NONE) return no_entry(model, path, error);
    }
    print_entry(c, file, path, model, entry);
    return WLK_OK;
}

int verb_meta_get(const cli *c) {
    const char *file = c->options.operands[0];
    const char *path = c->options.operand_count > 1 ? c->options.operands[1] : "";
    model_source source;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    wlk_status status = model_source_open(c, file, true, &source, &error);
    if (status == WLK_OK) status = get(c, file, path, model_source_model(&source), &error);
    model_source_close(&source);
    return status == WLK_OK ? WLK_OK : cli_fail(c, source.gate ? file : NULL, &error);
}

/* ---- meta set: the edits */

typedef struct edit_list {
    wlk_meta_edit *edits;
    char **owned; /* path, then JSON, of each that is set */
    uint32_t count;
    uint32_t owned_count;
} edit_list;

static void edit_list_free(edit_list *list) {
    for (uint32_t i = 0; i < list->owned_count; i++) mem_free(list->owned[i]);
    mem_free(list->owned);
    mem_free(list->edits);
}

/* The text as JSON; what is not UTF-8 is found where the JSON is read. */
static char *json_string(const char *text) {
    char *json = mem_alloc(strlen(text) * 6 + 3);
    char *out = json;
    if (!json) return NULL;
    *out++ = '"';
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == '"' || c == '\\') {
            out += snprintf(out, 7, "\\u%04x", c);
        } else {
            *out++ = (char)c;
        }
    }
    *out++ = '"';
    *out = '\0';
    return json;
}

/* PATH=TEXT or PATH:=JSON. */
static wlk_status add_edit(edit_list *list, const char *word, wlk_error *error) {
    const char *equals = strchr(word, '=');
    if (!equals || word[0] != '/') {
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                          "%.150s: /PATH=TEXT or /PATH:=JSON is wanted", word);
    }
    const bool is_json = equals[-1] == ':'; /* something stands before it: the slash */
    char *path = mem_text_of(word, (size_t)(equals - word) - is_json);
    char *json = is_json ? mem_text(equals + 1) : json_string(equals + 1);
    list->owned[list->owned_count++] = path;
    list->owned[list->owned_count++] = json;
    if (!path || !json) return no_memory(error);
    list->edits[list->count++] = (wlk_meta_edit){.path = path, .json = json};
    return WLK_OK;
}

/* What is removed goes first. */
static wlk_status read_edits(const cli *c, edit_list *list, wlk_error *error) {
    const option_values *options = &c->options;
    const uint32_t sets = options->operand_count - 1;
    list->edits = mem_zeroed((size_t)sets + options->remove_count, sizeof *list->edits);
    list->owned = mem_zeroed(2 * (size_t)sets, sizeof *list->owned);
    if (!list->edits || !list->owned) return no_memory(error);
    for (uint32_t i = 0; i < options->remove_count; i++) {
        list->edits[list->count++] = (wlk_meta_edit){.path = options->remove[i]};
    }
    for (uint32_t i = 1; i <= sets; i++) TRY(add_edit(list, options->operands[i], error));
    return list->count > 0 ? WLK_OK : usage(error, "nothing to set or to remove");
}

/* ---- meta set: into a new file */

/* Everything that can be wrong with the edits is found before the key is opened. */
static wlk_status check_edits(const cli *c, const wlk_model *model, const edit_list *list,
                              wlk_error *error) {
    wlk_policy policy;
    wlk_model *metadata;
    TRY(options_policy(&c->options, &policy, error));
    TRY(meta_edited(model, list->edits, list->count, &policy.limits, &metadata, error));
    const bool kind = wlk_model_find_meta(metadata, "/kind") != WLK_NONE;
    wlk_model_free(metadata);
    return kind ? WLK_OK : error_at(error, RULE_WRITE_KIND, WLK_NO_OFFSET);
}

static wlk_status set_elsewhere(const cli *c, const edit_list *list, const char *out,
                                const char **subject, wlk_public_key *signer, wlk_error *error) {
    wlk_gate *gate;
    wlk_trust *trust;
    wlk_model *model = NULL;
    const char *file = c->options.operands[0];
    wlk_status status = meta_place_check_signatures(out, error);
    if (status != WLK_OK) return status;
    status = cli_gate(c, option_given(&c->options, OPTION_ALLOW_UNSIGNED), &gate, &trust, error);
    if (status == WLK_OK) {
        *subject = file;
        status = cli_load(c, gate, file, &model, NULL, error);
    }
    if (status == WLK_OK) status = check_edits(c, model, list, error);
    if (status == WLK_OK) {
        *subject = NULL;
        const wlk_write_options options = {.edits = list->edits, .edit_count = list->count};
        status = cli_write_model(c, model, options, OPTION_SECRET, out, signer, error);
    }
    wlk_model_free(model);
    wlk_gate_close(gate);
    wlk_trust_free(trust);
    return status;
}

/* ---- meta set */

static wlk_status check_options(const cli *c, wlk_error *error) {
    const bool secret = c->options.value[OPTION_SECRET] != NULL;
    if (secret != option_given(&c->options, OPTION_UNSIGNED)) return WLK_OK;
    return usage(error, "give one of --secret FILE, which signs, and --unsigned");
}

static wlk_status set(const cli *c, edit_list *list, const char **subject, wlk_error *error) {
    const char *file = c->options.operands[0], *out;
    wlk_public_key signer;
    uint64_t size;
    TRY(check_options(c, error));
    TRY(cli_model_output(c, &out, error));
    TRY(read_edits(c, list, error));
    if (out) {
        TRY(set_elsewhere(c, list, out, subject, &signer, error));
    } else {
        *subject = file;
        TRY(meta_place_set(c, file, list->edits, list->count, &signer, error));
        out = file;
    }
    *subject = out;
    TRY(cli_size_of(out, &size, error));
    cli_print_written(c, out, size, c->options.value[OPTION_SECRET] ? &signer : NULL);
    return WLK_OK;
}

int verb_meta_set(const cli *c) {
    edit_list list = {0};
    const char *subject = NULL;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    const wlk_status status = set(c, &list, &subject, &error);
    edit_list_free(&list);
    return status == WLK_OK ? WLK_OK : cli_fail(c, subject, &error);
}
