#include "cli/explain.h"

#include <inttypes.h>
#include <linux/audit.h>
#include <stdio.h>

#include "base/utf8.h"
#include "cli/progress.h"
#include "gen/syscall_names.inc"

#define TEXT_BYTES 1024
#define X32_BIT 0x40000000

/* ---- the second run */

static bool is_for_call(const wlk_error *error) {
    return error->rule == RULE_CAGE_SYSCALL || error->rule == RULE_CAGE_LOCK_DOWN;
}

bool explain_wanted(const cli *c, const char *file, const wlk_error *error) {
    return file && is_for_call(error) && option_given(&c->options, OPTION_EXPLAIN);
}

/* What was loaded the first time, and no more: a verb that does not ask for signatures
 * has no --allow-unsigned. */
static bool allows_unsigned(const cli *c) {
    if (c->verb->options & OPTION_BIT(OPTION_ALLOW_UNSIGNED)) {
        return option_given(&c->options, OPTION_ALLOW_UNSIGNED);
    }
    return !option_given(&c->options, OPTION_THRESHOLD);
}

static wlk_status load_again(const cli *c, wlk_gate *gate, const char *path,
                             wlk_violation *violation, wlk_error *error) {
    cli_file file;
    progress p;
    TRY(cli_file_of(c, path, &file, error));
    progress_start(&p, path, cli_json(c));
    const wlk_status status = wlk_gate_explain(gate, &file.artifact, violation, error);
    progress_stop(&p);
    return status;
}

void explain_run(const cli *c, const char *file, explanation *found) {
    wlk_gate *gate;
    wlk_trust *trust;
    *found = (explanation){.second = {.offset = WLK_NO_OFFSET}};
    wlk_status status = cli_gate(c, allows_unsigned(c), &gate, &trust, &found->second);
    if (status == WLK_OK) {
        status = load_again(c, gate, file, &found->violation, &found->second);
    }
    if (status == WLK_OK) found->second = (wlk_error){.offset = WLK_NO_OFFSET};
    wlk_gate_close(gate);
    wlk_trust_free(trust);
}

/* ---- names */

static const char *architecture_name(const wlk_violation *v) {
    static const struct {
        uint32_t architecture;
        const char *name;
    } rows[] = {{AUDIT_ARCH_X86_64, "x86-64"},
                {AUDIT_ARCH_I386, "i386"},
                {AUDIT_ARCH_AARCH64, "aarch64"},
                {AUDIT_ARCH_ARM, "arm"}};
    if (v->architecture == AUDIT_ARCH_X86_64 && v->number >= X32_BIT) return "x32";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].architecture == v->architecture) return rows[i].name;
    }
    return "unknown";
}

/* NULL: there is no such call, or it is of an architecture that is not this program's. */
static const char *call_name(const wlk_violation *v) {
    const int64_t count = sizeof syscall_names / sizeof *syscall_names;
    const bool known = v->architecture == SYSCALL_NAMES_ARCHITECTURE && v->number >= 0;
    return known && v->number < count ? syscall_names[v->number] : NULL;
}

/* ---- told */

static int call_text(const wlk_violation *v, char *text, size_t size) {
    const char *name = call_name(v);
    if (name) return snprintf(text, size, "%s (%" PRId64 ")", name, v->number);
    return snprintf(text, size, "number %" PRId64 " of %s", v->number, architecture_name(v));
}

static void print_call(const char *name, const wlk_violation *v) {
    char call[128];
    (void)call_text(v, call, sizeof call);
    (void)fprintf(stderr, "weighlock: %s: the child called %s: arguments", name, call);
    for (size_t i = 0; i < 6; i++) {
        (void)fprintf(stderr, "%s 0x%" PRIx64, i ? "," : "", v->arguments[i]);
    }
    (void)fputc('\n', stderr);
}

/* Why there is no call to be told. */
static void print_none(const char *name, const wlk_error *second) {
    char text[TEXT_BYTES];
    if (second->status == WLK_OK) {
        (void)fprintf(
            stderr, "weighlock: %s: watched the second time, the child made no such call\n", name);
    } else if (is_for_call(second)) {
        (void)fprintf(stderr,
                      "weighlock: %s: watched the second time, the child was seen to make no such "
                      "call, but ended as if it had\n",
                      name);
    } else {
        (void)fprintf(stderr, "weighlock: %s: not explained: %s\n", name,
                      wlk_error_format(second, text, sizeof text));
    }
}

void explain_print(const char *file, const explanation *found) {
    char name[512];
    (void)snprintf(name, sizeof name, "%s", file);
    utf8_make_harmless(name);
    if (found->violation.found) {
        print_call(name, &found->violation);
    } else {
        print_none(name, &found->second);
    }
}

static void json_hex(json_out *j, uint64_t value) {
    char text[24];
    (void)snprintf(text, sizeof text, "0x%" PRIx64, value);
    json_text(j, text);
}

static void json_violation(json_out *j, const wlk_violation *v) {
    const char *name = call_name(v);
    json_begin_map(j, JSON_FLAT);
    json_key(j, "call");
    if (name) {
        json_text(j, name);
    } else {
        json_put_null(j);
    }
    json_key(j, "number");
    json_signed(j, v->number);
    json_pair_text(j, "architecture", architecture_name(v));
    json_key(j, "arguments");
    json_begin_list(j, JSON_FLAT);
    for (size_t i = 0; i < 6; i++) json_hex(j, v->arguments[i]);
    json_end_list(j);
    json_key(j, "instruction");
    json_hex(j, v->instruction);
    json_end_map(j);
}

void explain_json(json_out *j, const explanation *found) {
    json_key(j, "violation");
    if (found->violation.found) {
        json_violation(j, &found->violation);
    } else {
        json_put_null(j);
    }
    json_key(j, "second_run");
    json_begin_map(j, JSON_FLAT);
    json_pair_text(j, "verdict", wlk_status_name(found->second.status));
    json_key(j, "rule");
    if (found->second.status == WLK_OK) {
        json_put_null(j);
    } else {
        json_text(j, wlk_rule_name(found->second.rule));
    }
    json_pair_text(j, "detail", found->second.text);
    json_end_map(j);
}
