#include "cli/doctor.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "wire/frame.h"

#define ADVICE_INDENT 15

static const char *const state_names[] = {[WLK_LAYER_NOT_TRIED] = "not tried",
                                          [WLK_LAYER_FAILED] = "failed",
                                          [WLK_LAYER_REPORTED] = "reported",
                                          [WLK_LAYER_ATTESTED] = "attested"};

static const char *const proc_names[] = {
    [PROC_UNKNOWN] = "mounted", [PROC_READABLE] = "readable", [PROC_MISSING] = "missing",
    [PROC_CLOSED] = "closed",   [PROC_FOREIGN] = "foreign",   [PROC_HIDDEN] = "hidden"};

static const char *const proc_texts[] = {
    [PROC_UNKNOWN] = "mounted; there was no child to be seen in it",
    [PROC_READABLE] = "readable: the child was seen in it",
    [PROC_MISSING] = "not mounted, so that no child can be attested",
    [PROC_CLOSED] = "closed to this process, so that no child can be attested",
    [PROC_FOREIGN] = "that of another PID namespace, so that no child can be attested",
    [PROC_HIDDEN] = "hides the child (hidepid), so that it cannot be attested"};

static const char *const program_texts[] = {[PROGRAM_NOT_SEEN] = "it did not say which",
                                            [PROGRAM_SAME_BUILD] = "the same as this program's",
                                            [PROGRAM_OTHER_BUILD] = "another than this program's"};

static bool is_required(const wlk_load_options *load, uint32_t layer) {
    return wlk_layer_required(layer) || load->require >> layer & 1;
}

static bool holds(const diagnosis *d, uint32_t layer) {
    return doctor_state(d, layer) >= WLK_LAYER_REPORTED;
}

/* The last line. */
static const char *summary(const diagnosis *d) {
    if (d->status == WLK_OK) return "the cage holds: models can be loaded";
    if (d->asked_too_much) {
        return "the cage does not hold as required; without --require models can be loaded";
    }
    if (d->cage_holds) return "the cage holds, but no model can be loaded";
    return "the cage does not hold: no model can be loaded";
}

/* ---- text */

static void print_advice(const char *advice) {
    while (advice && *advice) {
        const int length = (int)strcspn(advice, "\n");
        (void)printf("%*s%.*s\n", ADVICE_INDENT, "", length, advice);
        advice += length + (advice[length] == '\n');
    }
}

static void print_kernel(const diagnosis *d) {
    (void)printf("kernel         %s %s on %s, ", d->kernel.sysname, d->kernel.release,
                 d->kernel.machine);
    if (d->landlock_abi > 0) {
        (void)printf("Landlock ABI %ld\n", d->landlock_abi);
    } else {
        (void)puts(d->landlock_abi == 0 ? "no Landlock" : "Landlock not tried");
    }
}

static void print_user(const diagnosis *d) {
    const bool became = holds(d, LAYER_IDS);
    if (d->uid != 0) {
        (void)printf("user           %u; the child stays that user\n", d->uid);
    } else {
        (void)printf("user           0; the child %s %u\n", became ? "becomes" : "should become",
                     d->child_uid);
    }
}

static void print_machine(const cli *c, const diagnosis *d) {
    print_kernel(d);
    (void)printf("child          ");
    cli_print_safe(c->child_path ? c->child_path : "where it was installed");
    (void)printf("\nbuild          %s\n", program_texts[d->program]);
    print_user(d);
    (void)printf("/proc          %s\n", proc_texts[d->proc]);
    print_advice(doctor_proc_advice(d));
    (void)printf("load           %s\n", d->loaded       ? "a small model was loaded"
                                        : d->cage_holds ? "a small model was not loaded"
                                                        : "not tried");
    (void)printf("pool           %s\n\n", d->pool_works ? "a child that had waited took it too"
                                          : d->loaded   ? "no child waits: each load starts its own"
                                                        : "not tried");
}

static void print_layers(const wlk_load_options *load, const diagnosis *d) {
    for (uint32_t i = 0; wlk_layer_name(i); i++) {
        const char *reason = doctor_reason(d, i);
        (void)printf("%-14s %-9s %s%s%s\n", wlk_layer_name(i),
                     is_required(load, i) ? "required" : "optional",
                     state_names[doctor_state(d, i)], reason ? ": " : "", reason ? reason : "");
        print_advice(doctor_layer_advice(d, i));
    }
}

static int print_text(const cli *c, const wlk_load_options *load, const diagnosis *d) {
    print_machine(c, d);
    print_layers(load, d);
    (void)puts(summary(d));
    if (d->status == WLK_OK) return WLK_OK;
    print_advice(doctor_error_advice(d));
    return cli_fail(c, NULL, &d->error);
}

/* ---- JSON */

static void json_advice(json_out *j, const char *advice) {
    char line[512];
    json_key(j, "advice");
    if (!advice) {
        json_put_null(j);
        return;
    }
    (void)snprintf(line, sizeof line, "%s", advice);
    for (char *end; (end = strchr(line, '\n')) != NULL;) *end = ' ';
    json_text(j, line);
}

static void json_pair_maybe(json_out *j, const char *key, const char *text) {
    json_key(j, key);
    if (text) {
        json_text(j, text);
    } else {
        json_put_null(j);
    }
}

static void json_layer(json_out *j, const wlk_load_options *load, const diagnosis *d, uint32_t i) {
    const wlk_layer_state state = doctor_state(d, i);
    json_begin_map(j, JSON_FLAT);
    json_pair_text(j, "layer", wlk_layer_name(i));
    json_key(j, "required");
    json_bool(j, is_required(load, i));
    json_pair_text(j, "state", state_names[state]);
    json_pair_maybe(j, "known", state >= WLK_LAYER_REPORTED ? state_names[state] : NULL);
    json_key(j, "errno");
    json_signed(j, state == WLK_LAYER_FAILED ? d->report.layer_errno[i] : 0);
    json_pair_maybe(j, "error", doctor_reason(d, i));
    json_advice(j, doctor_layer_advice(d, i));
    json_end_map(j);
}

static void json_user(json_out *j, const diagnosis *d) {
    json_key(j, "user");
    json_begin_map(j, JSON_FLAT);
    json_pair_unsigned(j, "uid", d->uid);
    json_key(j, "child_uid");
    if (holds(d, LAYER_IDS)) {
        json_unsigned(j, d->child_uid);
    } else {
        json_put_null(j);
    }
    json_end_map(j);
}

static void json_machine(json_out *j, const cli *c, const diagnosis *d) {
    json_pair_text(j, "kernel", d->kernel.release);
    json_pair_text(j, "architecture", d->kernel.machine);
    json_key(j, "landlock_abi");
    if (d->landlock_abi >= 0) {
        json_signed(j, d->landlock_abi);
    } else {
        json_put_null(j);
    }
    json_pair_maybe(j, "child", c->child_path);
    json_key(j, "same_build");
    if (d->program == PROGRAM_NOT_SEEN) {
        json_put_null(j);
    } else {
        json_bool(j, d->program == PROGRAM_SAME_BUILD);
    }
    json_user(j, d);
    json_pair_text(j, "proc", proc_names[d->proc]);
    json_key(j, "loads");
    json_bool(j, d->loaded);
    json_key(j, "pool");
    json_bool(j, d->pool_works);
    json_pair_text(j, "summary", summary(d));
    json_advice(j, doctor_proc_advice(d) ? doctor_proc_advice(d) : doctor_error_advice(d));
}

static int print_json(const cli *c, const wlk_load_options *load, const diagnosis *d) {
    json_out j = json_out_to(stdout, JSON_LINES);
    json_begin_map(&j, JSON_LINES);
    if (d->status == WLK_OK) {
        json_pair_text(&j, "verdict", wlk_status_name(d->status));
    } else {
        cli_json_refusal(&j, NULL, &d->error);
    }
    json_machine(&j, c, d);
    json_key(&j, "layers");
    json_begin_list(&j, JSON_LINES);
    for (uint32_t i = 0; wlk_layer_name(i); i++) json_layer(&j, load, d, i);
    json_end_list(&j);
    json_end_map(&j);
    (void)putchar('\n');
    return (int)d->status;
}

/* Whom this machine trusts is another question: a broken trust folder does not
 * make the cage any weaker. */
int verb_doctor(const cli *c) {
    wlk_load_options load;
    wlk_error error = {.offset = WLK_NO_OFFSET};
    diagnosis d;
    if (options_load(&c->options, &load, &error) != WLK_OK) return cli_fail(c, NULL, &error);
    load.child_path = c->child_path;
    doctor_look(&load, &d);
    return cli_json(c) ? print_json(c, &load, &d) : print_text(c, &load, &d);
}
