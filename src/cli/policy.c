/* weighlock policy: the policy in force, in the form that --policy reads. */
#include <inttypes.h>
#include <stdio.h>

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

static void print_policy(const wlk_policy *policy) {
    (void)printf("# A policy of weighlock. See weighlock-policy(5).\n\n");
    print_limits(&policy->limits);
    print_trust(policy);
    (void)printf("\n[audit]\n# ignore, report or refuse such weights\nnan = %s\ninfinity = %s\n",
                 action_names[policy->nan], action_names[policy->infinity]);
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
        json_null(j);
    }
    json_pair_unsigned(j, "threshold", policy->threshold);
    json_pair_text(j, "legacy", legacy_name(policy));
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
    json_end_map(&j);
    (void)putchar('\n');
}

int verb_policy(const cli *c) {
    wlk_policy policy;
    wlk_error error;
    if (options_policy(&c->options, &policy, &error) != WLK_OK) return cli_fail(c, NULL, &error);
    if (cli_json(c)) {
        print_policy_json(&policy);
    } else {
        print_policy(&policy);
    }
    return WLK_OK;
}
