/* weighlock policy: the policy in force, in the form that --policy reads; or the filter
 * of the confined child, which no operator changes. */
#include <inttypes.h>
#include <stdio.h>

#include "base/pickle_rows.h"
#include "cli/cli.h"

static const char *const action_names[] = {
    [WLK_IGNORE] = "ignore", [WLK_REPORT] = "report", [WLK_REFUSE] = "refuse"};

static const char *legacy_name(const wlk_policy *policy) {
    return policy->legacy_signatures ? "accept" : "refuse";
}

/* ---- as a policy file */

static void print_limits(const wlk_limits *limits) {
    wlk_limit_row row;
    (void)printf("[limits]\n");
    for (uint32_t i = 0; wlk_limits_row(i, &row); i++) {
        (void)printf("# %s: %s\n%s = %" PRIu64 "\n", row.unit, row.reason, row.name,
                     wlk_limits_value(limits, i));
    }
}

/* The folder as it is: there is no spelling of a path but its own bytes, and control
 * characters cannot come from a policy file. */
static void print_trust(const wlk_policy *policy) {
    (void)printf("\n[trust]\n# the trust folder; without this line the default one\n");
    if (policy->trust_folder[0]) {
        (void)printf("folder = %s\n", policy->trust_folder);
    } else {
        (void)printf("# folder = /etc/weighlock/trust\n");
    }
    (void)printf("# distinct trusted keys that must have signed\nthreshold = %" PRIu32
                 "\n# accept or refuse minisign's legacy signatures, of the file unhashed\n"
                 "legacy = %s\n",
                 policy->threshold, legacy_name(policy));
}

static const char *row_kind(const pickle_row *row) {
    return row->kind == PICKLE_ROW_RECORD ? "record" : "opaque";
}

static void print_pickle(const wlk_policy *policy) {
    cursor rows = cursor_over(policy->pickle, policy->pickle_bytes, 0);
    pickle_row row;
    (void)printf(
        "\n[pickle]\n# classes that pickles may name besides the built-in ones: "
        "record or opaque\n");
    while (pickle_rows_next(&rows, &row)) {
        (void)printf("%.*s = %s\n", (int)row.length, (const char *)row.name, row_kind(&row));
    }
    if (policy->pickle_bytes == 0) (void)printf("# mylibrary.steps.Marker = opaque\n");
}

static void print_policy(const wlk_policy *policy) {
    (void)printf("# A policy of weighlock. See weighlock-policy(5).\n\n");
    print_limits(&policy->limits);
    print_trust(policy);
    (void)printf("\n[audit]\n# ignore, report or refuse such weights\nnan = %s\ninfinity = %s\n",
                 action_names[policy->nan], action_names[policy->infinity]);
    print_pickle(policy);
}

/* ---- as JSON */

static void print_limits_json(json_out *j, const wlk_limits *limits) {
    wlk_limit_row row;
    json_key(j, "limits");
    json_begin_map(j, JSON_LINES);
    for (uint32_t i = 0; wlk_limits_row(i, &row); i++) {
        json_key(j, row.name);
        json_begin_map(j, JSON_FLAT);
        json_pair_unsigned(j, "value", wlk_limits_value(limits, i));
        json_pair_unsigned(j, "default", row.standard);
        json_pair_text(j, "unit", row.unit);
        json_pair_text(j, "reason", row.reason);
        json_end_map(j);
    }
    json_end_map(j);
}

static void print_trust_json(json_out *j, const wlk_policy *policy) {
    json_key(j, "trust");
    json_begin_map(j, JSON_FLAT);
    json_key(j, "folder");
    if (policy->trust_folder[0]) {
        json_text(j, policy->trust_folder);
    } else {
        json_put_null(j);
    }
    json_pair_unsigned(j, "threshold", policy->threshold);
    json_pair_text(j, "legacy", legacy_name(policy));
    json_end_map(j);
}

static void print_pickle_json(json_out *j, const wlk_policy *policy) {
    cursor rows = cursor_over(policy->pickle, policy->pickle_bytes, 0);
    pickle_row row;
    json_key(j, "pickle");
    json_begin_map(j, JSON_LINES);
    while (pickle_rows_next(&rows, &row)) {
        char name[PICKLE_ROW_NAME + 1];
        (void)snprintf(name, sizeof name, "%.*s", (int)row.length, (const char *)row.name);
        json_pair_text(j, name, row_kind(&row));
    }
    json_end_map(j);
}

static void print_policy_json(const wlk_policy *policy) {
    json_out j = json_out_to(stdout, JSON_LINES);
    json_begin_map(&j, JSON_LINES);
    json_pair_text(&j, "verdict", wlk_status_name(WLK_OK));
    print_limits_json(&j, &policy->limits);
    print_trust_json(&j, policy);
    json_key(&j, "audit");
    json_begin_map(&j, JSON_FLAT);
    json_pair_text(&j, "nan", action_names[policy->nan]);
    json_pair_text(&j, "infinity", action_names[policy->infinity]);
    json_end_map(&j);
    print_pickle_json(&j, policy);
    json_end_map(&j);
    (void)putchar('\n');
}

/* ---- the filter: what is compiled into the child */

static const struct syscall_row {
    const char *name, *condition, *why;
} syscall_rows[] = {
#define SYSCALL(name, condition, why) {name, condition, why},
#include "gen/syscalls.inc"
#undef SYSCALL
};

#define SYSCALL_ROWS (sizeof syscall_rows / sizeof *syscall_rows)

static const char filter_listing[] =
#include "gen/filter_listing.inc"
    ;

static void print_syscalls(void) {
    for (size_t i = 0; i < SYSCALL_ROWS; i++) {
        const struct syscall_row *row = &syscall_rows[i];
        (void)printf("%-11s %-11s %s\n", row->name, row->condition, row->why);
    }
    (void)printf("Every other call kills the process.\n");
}

static void print_syscalls_json(void) {
    json_out j = json_out_to(stdout, JSON_LINES);
    json_begin_map(&j, JSON_LINES);
    json_pair_text(&j, "verdict", wlk_status_name(WLK_OK));
    json_key(&j, "syscalls");
    json_begin_list(&j, JSON_LINES);
    for (size_t i = 0; i < SYSCALL_ROWS; i++) {
        json_begin_map(&j, JSON_FLAT);
        json_pair_text(&j, "name", syscall_rows[i].name);
        json_pair_text(&j, "condition", syscall_rows[i].condition);
        json_pair_text(&j, "why", syscall_rows[i].why);
        json_end_map(&j);
    }
    json_end_list(&j);
    json_pair_text(&j, "otherwise", "kill-process");
    json_end_map(&j);
    (void)putchar('\n');
}

static void print_listing_json(void) {
    json_out j = json_out_to(stdout, JSON_LINES);
    json_begin_map(&j, JSON_LINES);
    json_pair_text(&j, "verdict", wlk_status_name(WLK_OK));
    json_pair_text(&j, "pfc", filter_listing);
    json_end_map(&j);
    (void)putchar('\n');
}

static wlk_status show_filter(const cli *c, wlk_error *error) {
    static const option_id others[] = {OPTION_POLICY, OPTION_LIMIT, OPTION_THRESHOLD, OPTION_PFC};
    const bool rows = option_given(&c->options, OPTION_SYSCALLS), json = cli_json(c);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (!option_given(&c->options, others[i]) || (others[i] == OPTION_PFC && !rows)) continue;
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                          "%s is compiled in and stands alone: leave %s out",
                          option_rows[rows ? OPTION_SYSCALLS : OPTION_PFC].name,
                          option_rows[others[i]].name);
    }
    if (rows && json) print_syscalls_json();
    if (rows && !json) print_syscalls();
    if (!rows && json) print_listing_json();
    if (!rows && !json) (void)fputs(filter_listing, stdout);
    return WLK_OK;
}

/* ---- the verb */

static wlk_status show_policy(const cli *c, wlk_error *error) {
    wlk_policy policy;
    TRY(options_policy(&c->options, &policy, error));
    if (cli_json(c)) {
        print_policy_json(&policy);
    } else {
        print_policy(&policy);
    }
    return WLK_OK;
}

int verb_policy(const cli *c) {
    wlk_error error;
    const uint64_t filter = OPTION_BIT(OPTION_SYSCALLS) | OPTION_BIT(OPTION_PFC);
    const wlk_status status =
        c->options.given & filter ? show_filter(c, &error) : show_policy(c, &error);
    return status == WLK_OK ? WLK_OK : cli_fail(c, NULL, &error);
}
