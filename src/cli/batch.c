#include "cli/batch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

wlk_status batch_worse(wlk_status a, wlk_status b) {
    static const wlk_status worst_first[] = {WLK_CAGE,        WLK_SYSTEM,  WLK_LIMIT,
                                             WLK_TRUST,       WLK_REFUSED, WLK_UNDECIDED,
                                             WLK_UNSUPPORTED, WLK_USAGE};
    for (size_t i = 0; i < sizeof worst_first / sizeof *worst_first; i++) {
        if (a == worst_first[i] || b == worst_first[i]) return worst_first[i];
    }
    return WLK_OK;
}

/* Reads up to the next NUL. false at the end of input; else *error says what is wrong
 * with the name, if anything is. */
static bool read_name(char name[PATH_MAX], wlk_error *error) {
    size_t length = 0;
    int byte;
    errno = 0;
    while ((byte = getc(stdin)) > 0) {
        if (length < PATH_MAX) name[length] = (char)byte;
        length += length < PATH_MAX;
    }
    name[length < PATH_MAX ? length : PATH_MAX - 1] = '\0';
    *error = (wlk_error){.offset = WLK_NO_OFFSET};
    if (byte == EOF && ferror(stdin)) {
        (void)!error_errno(error, RULE_INPUT_READ, errno, "standard input");
    } else if (byte == EOF && length == 0) {
        return false;
    } else if (byte == EOF) {
        (void)!error_text(error, RULE_CLI_BATCH_NAME, WLK_NO_OFFSET, "%.100s: no NUL behind it",
                          name);
    } else if (length == 0) {
        (void)!error_text(error, RULE_CLI_BATCH_NAME, WLK_NO_OFFSET, "it is empty");
    } else if (length == PATH_MAX) {
        (void)!error_text(error, RULE_CLI_BATCH_NAME, WLK_NO_OFFSET, "%.100s...: over %d bytes",
                          name, PATH_MAX - 1);
    }
    return true;
}

wlk_status batch_run(const cli *c, batch_step step, void *context) {
    char name[PATH_MAX];
    wlk_status worst = WLK_OK;
    wlk_error error;
    while (!feof(stdin) && !ferror(stdin) && read_name(name, &error)) {
        const wlk_status status =
            error.status == WLK_OK ? step(context, name) : (wlk_status)cli_fail(c, NULL, &error);
        worst = batch_worse(worst, status);
        if (fflush(stdout) != 0 || ferror(stdout)) break;
    }
    return worst;
}
