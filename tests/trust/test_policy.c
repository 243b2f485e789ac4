/* The operator's policy file: every name and value, everything that is refused with
 * its place, and who may own it. */
#include "support.h"

#include <stdbool.h>

#include "trust/policy.h"

static wlk_status parse(const char *text, size_t length, wlk_policy *policy, wlk_error *error) {
    /* Of exactly that length, so that a sanitizer sees reads behind it. */
    char *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    if (length > 0) memcpy(copy, text, length);
    *error = (wlk_error){0};
    const wlk_status status = wlk_policy_parse(copy, length, policy, error);
    free(copy);
    return status;
}

/* A policy that differs from the default in every byte that a file can set. */
static wlk_policy marked(void) {
    wlk_policy policy;
    memset(&policy, 0x5a, sizeof policy);
    policy.nan = policy.infinity = WLK_IGNORE;
    policy.pickle_bytes = 0; /* rows that are there must be rows */
    return policy;
}

/* ---- what is read */

static void test_default(void **state) {
    (void)state;
    wlk_policy policy = marked();
    wlk_limits limits;
    wlk_policy_default(&policy);
    wlk_limits_default(&limits);
    assert_memory_equal(&policy.limits, &limits, sizeof limits);
    assert_string_equal(policy.trust_folder, "");
    assert_int_equal(policy.threshold, 1);
    assert_int_equal(policy.legacy_signatures, 0);
    assert_int_equal(policy.nan, WLK_REPORT);
    assert_int_equal(policy.infinity, WLK_REPORT);
}

static void test_every_setting(void **state) {
    (void)state;
    static const char text[] =
        "# of a platform that takes uploads\r\n"
        "\n"
        "[limits]\n"
        "file_bytes = 4294967296\n"
        "\t nodes=17 \n"
        "\n"
        "  [audit]\t\n"
        "nan = refuse\n"
        "infinity = ignore\r\n"
        "[trust]\n"
        "folder =  /etc/my keys/# = [x]  \n"
        "threshold = 2\n"
        "  # legacy = refuse\n"
        "legacy = accept"; /* no line's end */
    wlk_policy policy, wanted;
    wlk_error error;
    wlk_policy_default(&policy);
    wlk_policy_default(&wanted);
    wanted.limits.file_bytes = 4294967296;
    wanted.limits.nodes = 17;
    EXPECT_OK(parse(text, sizeof text - 1, &policy, &error));
    assert_memory_equal(&policy.limits, &wanted.limits, sizeof wanted.limits);
    assert_string_equal(policy.trust_folder, "/etc/my keys/# = [x]");
    assert_int_equal(policy.threshold, 2);
    assert_int_equal(policy.legacy_signatures, 1);
    assert_int_equal(policy.nan, WLK_REFUSE);
    assert_int_equal(policy.infinity, WLK_IGNORE);
}

/* Rows for pickles, as the child gets them. */
static void test_pickle_rows(void **state) {
    (void)state;
    static const char text[] =
        "[pickle]\n"
        "my_lib.steps.Marker = opaque\n"
        "  _a.B2=record\r\n"
        "[trust]\nthreshold = 2\n";
    static const char rows[] = "\2\23my_lib.steps.Marker\1\5_a.B2";
    wlk_policy policy;
    wlk_error error;
    wlk_policy_default(&policy);
    assert_int_equal(policy.pickle_bytes, 0);
    EXPECT_OK(parse(text, sizeof text - 1, &policy, &error));
    assert_int_equal(policy.pickle_bytes, sizeof rows - 1);
    assert_memory_equal(policy.pickle, rows, sizeof rows - 1);
    assert_int_equal(policy.threshold, 2);
}

/* As many as there is room for (invariant 7). */
static void test_pickle_rows_fill_their_room(void **state) {
    (void)state;
    enum { NAME = 254, ROW = NAME + 2, ROWS = WLK_POLICY_PICKLE_BYTES / ROW };
    static char text[65536];
    char *at = text + sprintf(text, "[pickle]\n");
    wlk_policy policy;
    wlk_error error = {0};
    for (int i = 0; i < ROWS; i++) at += sprintf(at, "a.b%0*d=record\n", NAME - 3, i);
    wlk_policy_default(&policy);
    EXPECT_OK(parse(text, (size_t)(at - text), &policy, &error));
    assert_int_equal(policy.pickle_bytes, WLK_POLICY_PICKLE_BYTES);
    at += sprintf(at, "a.b=record\n");
    wlk_policy_default(&policy);
    assert_int_equal(parse(text, (size_t)(at - text), &policy, &error), WLK_USAGE);
    assert_string_equal(wlk_rule_name(error.rule), "policy.text");
    assert_non_null(strstr(error.text, "line 34: more rows"));
}

static void test_every_limit_has_its_name(void **state) {
    (void)state;
    wlk_limit_row row;
    for (uint32_t i = 0; wlk_limits_row(i, &row); i++) {
        char text[128];
        wlk_policy policy;
        wlk_limits wanted;
        wlk_error error;
        wlk_policy_default(&policy);
        wlk_limits_default(&wanted);
        assert_int_equal(wlk_limits_set(&wanted, row.name, 12345 + i), WLK_OK);
        assert_int_equal(wlk_limits_value(&wanted, i), 12345 + i);
        const int length = snprintf(text, sizeof text, "[limits]\n%s = %u\n", row.name, 12345 + i);
        EXPECT_OK(parse(text, (size_t)length, &policy, &error));
        assert_memory_equal(&policy.limits, &wanted, sizeof wanted);
        assert_int_equal(wlk_limits_value(&policy.limits, i), 12345 + i);
    }
    wlk_limits limits;
    wlk_limits_default(&limits);
    assert_int_equal(wlk_limits_value(&limits, UINT32_MAX), 0);
}

/* What a file does not name stays as it is. */
static void test_over_another_policy(void **state) {
    (void)state;
    static const char *const texts[] = {"", "\n", "# nothing", "[limits]\n[trust]\n[audit]\n",
                                        "   \t \r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const wlk_policy before = marked();
        wlk_policy policy = before;
        wlk_error error;
        EXPECT_OK(parse(texts[i], strlen(texts[i]), &policy, &error));
        assert_memory_equal(&policy, &before, sizeof policy);
    }
    wlk_policy policy = marked(), wanted = marked();
    wlk_error error;
    wanted.threshold = 3;
    EXPECT_OK(parse("[trust]\nthreshold = 3\n", 22, &policy, &error));
    assert_memory_equal(&policy, &wanted, sizeof policy);
}

typedef struct number_row {
    const char *name, *text;
    uint64_t value;
} number_row;

static const number_row numbers[] = {
    {"file_bytes", "0", 0},
    {"file_bytes", "18446744073709551615", UINT64_MAX},
    {"file_bytes", "1KiB", 1024},
    {"file_bytes", "3 MiB", 3ull << 20},
    {"file_bytes", "16  GiB", 16ull << 30},
    {"file_bytes", "1\tTiB", 1ull << 40},
    {"file_bytes", "16777215 TiB", 16777215ull << 40},
    {"deadline_ms", "1500", 1500},
    {"deadline_ms", "1500 ms", 1500},
    {"deadline_ms", "30 s", 30000},
    {"cpu_seconds", "30", 30},
    {"cpu_seconds", "30s", 30},
};

static void test_numbers_and_units(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char text[128];
        wlk_policy policy;
        wlk_limits wanted;
        wlk_error error;
        wlk_policy_default(&policy);
        wlk_limits_default(&wanted);
        assert_int_equal(wlk_limits_set(&wanted, numbers[i].name, numbers[i].value), WLK_OK);
        const int length =
            snprintf(text, sizeof text, "[limits]\n%s = %s", numbers[i].name, numbers[i].text);
        EXPECT_OK(parse(text, (size_t)length, &policy, &error));
        assert_memory_equal(&policy.limits, &wanted, sizeof wanted);
    }
}

/* ---- what is refused */

typedef struct refusal_row {
    const char *text; /* an @ stands where the refusal points, and is left out */
    wlk_rule rule;
    const char *says;
} refusal_row;

static const refusal_row refusals[] = {
    /* form */
    {"@file_bytes = 1\n", RULE_POLICY_TEXT, "before the first section"},
    {"[limits]\n@nodes\n", RULE_POLICY_TEXT, "line 2: = is missing"},
    {"[limits]\n @nodes 1\n", RULE_POLICY_TEXT, "= is missing"},
    {"[limits]\n@= 1\n", RULE_POLICY_TEXT, "no name"},
    {"[limits]\n@: nodes 1\n", RULE_POLICY_TEXT, "= is missing"},
    {"@[limits\nnodes = 1\n", RULE_POLICY_TEXT, "] is missing"},
    {"@[limits] # mine\n", RULE_POLICY_TEXT, "] is missing"},
    {"@[\n", RULE_POLICY_TEXT, "] is missing"},
    {"[@]\n", RULE_POLICY_TEXT, "has a name"},
    {"[limits]\nnodes = 1@\r = 2\n", RULE_POLICY_TEXT, "control"},
    {"[limits]@\rnodes = 1\r", RULE_POLICY_TEXT, "control"},
    {"[limits]\nnodes = 1@\r\r\n", RULE_POLICY_TEXT, "control"},
    {"[limits]\nnodes = 1@\x1b[2K\n", RULE_POLICY_TEXT, "control"},
    {"# colour @\x1b[31m\n", RULE_POLICY_TEXT, "line 1: a control"},
    {"# rubbed out @\x7f\n", RULE_POLICY_TEXT, "control"},
    {"\n\n@# \xff\n", RULE_POLICY_TEXT, "line 3: not valid UTF-8"},
    {"@# \xc0\xaf\n", RULE_POLICY_TEXT, "UTF-8"},
    {"@# \xed\xa0\x80\n", RULE_POLICY_TEXT, "UTF-8"},
    {"@\xef\xbb\xbf[limits]\n", RULE_POLICY_TEXT, "= is missing"},
    {"@\xff\xfe[\n", RULE_POLICY_TEXT, "UTF-8"},
    /* sections and names */
    {"[@limit]\n", RULE_POLICY_NAME, "limit; did you mean limits?"},
    {"[@Limits]\n", RULE_POLICY_NAME, "did you mean limits?"},
    {"[@ limits]\n", RULE_POLICY_NAME, "did you mean limits?"},
    {"[@somewhere else]\n", RULE_POLICY_NAME, "line 1: somewhere else"},
    {"[limits]\n@nodess = 1\n", RULE_POLICY_NAME, "line 2: nodess; did you mean nodes?"},
    {"[limits]\n@threshold = 1\n", RULE_POLICY_NAME, "threshold"},
    {"[trust]\n@nodes = 1\n", RULE_POLICY_NAME, "nodes"},
    {"[trust]\n@nan = refuse\n", RULE_POLICY_NAME, "nan"},
    {"[audit]\n@infinite = refuse\n", RULE_POLICY_NAME, "did you mean infinity?"},
    {"[trust]\n@treshold = 2\n", RULE_POLICY_NAME, "did you mean threshold?"},
    {"[audit]\n@folder = /x\n", RULE_POLICY_NAME, "folder"},
    {"[limits]\n@[x] nodes = 1\n", RULE_POLICY_TEXT, "] is missing"},
    {"[limits]\n@\xc3\xbc = 1\n", RULE_POLICY_NAME, "\xc3\xbc"},
    /* twice */
    {"[limits]\n[trust]\n[@limits]\n", RULE_POLICY_TWICE, "line 3: again limits"},
    {"[limits]\n[@limits]\n", RULE_POLICY_TWICE, "again limits"},
    {"[limits]\nnodes = 1\n@nodes = 1\n", RULE_POLICY_TWICE, "line 3: again nodes"},
    {"[audit]\nnan = refuse\ninfinity = ignore\n@nan = ignore\n", RULE_POLICY_TWICE, "again nan"},
    /* rows for pickles */
    {"[pickle]\n@Marker = opaque\n", RULE_POLICY_NAME, "module.Name is wanted"},
    {"[pickle]\n@.Marker = opaque\n", RULE_POLICY_NAME, "not .Marker"},
    {"[pickle]\n@a..b = opaque\n", RULE_POLICY_NAME, "a..b"},
    {"[pickle]\n@a.b. = opaque\n", RULE_POLICY_NAME, "a.b."},
    {"[pickle]\n@a.* = opaque\n", RULE_POLICY_NAME, "a.*"},
    {"[pickle]\n@a.1b = opaque\n", RULE_POLICY_NAME, "a.1b"},
    {"[pickle]\n@a b.c = opaque\n", RULE_POLICY_NAME, "a b.c"},
    {"[pickle]\n@a.\xc3\xbc = opaque\n", RULE_POLICY_NAME, "module.Name"},
    {"[pickle]\na.b =@\n", RULE_POLICY_VALUE, "no value"},
    {"[pickle]\na.b = @call\n", RULE_POLICY_VALUE, "record or opaque is wanted, not call"},
    {"[pickle]\na.b = @Record\n", RULE_POLICY_VALUE, "not Record"},
    {"[pickle]\na.b = record\n@a.b = opaque\n", RULE_POLICY_TWICE, "line 3: again a.b"},
    {"[pickle]\n@numpy.ndarray = opaque\n", RULE_POLICY_TWICE, "built-in list"},
    {"[pickle]\n@builtins.list = record\n", RULE_POLICY_TWICE, "built-in list"},
    /* numbers */
    {"[limits]\nnodes =@\n", RULE_POLICY_VALUE, "no value"},
    {"[limits]\nnodes = @-1\n", RULE_POLICY_VALUE, "line 2: a number is wanted, not -1"},
    {"[limits]\nnodes = @+1\n", RULE_POLICY_VALUE, "not +1"},
    {"[limits]\nnodes = @1.5\n", RULE_POLICY_VALUE, "not 1.5"},
    {"[limits]\nnodes = @1e6\n", RULE_POLICY_VALUE, "not 1e6"},
    {"[limits]\nnodes = @0x10\n", RULE_POLICY_VALUE, "not 0x10"},
    {"[limits]\nnodes = @010\n", RULE_POLICY_VALUE, "not 010"},
    {"[limits]\nnodes = @1,000\n", RULE_POLICY_VALUE, "not 1,000"},
    {"[limits]\nnodes = @1 000\n", RULE_POLICY_VALUE, "not 1 000"},
    {"[limits]\nnodes = @= 1\n", RULE_POLICY_VALUE, "not = 1"},
    {"[limits]\nnodes = @1 # few\n", RULE_POLICY_VALUE, "not 1 # few"},
    {"[limits]\nnodes = @unlimited\n", RULE_POLICY_VALUE, "not unlimited"},
    {"[limits]\nnodes = @18446744073709551616\n", RULE_POLICY_VALUE, "not 18446744073709551616"},
    {"[limits]\nnodes = @99999999999999999999999999\n", RULE_POLICY_VALUE, "a number"},
    {"[limits]\nnodes = @1 KiB\n", RULE_POLICY_VALUE, "not 1 KiB"},
    {"[limits]\nfile_bytes = @1 kib\n", RULE_POLICY_VALUE, "not 1 kib"},
    {"[limits]\nfile_bytes = @1 GB\n", RULE_POLICY_VALUE, "not 1 GB"},
    {"[limits]\nfile_bytes = @1 s\n", RULE_POLICY_VALUE, "not 1 s"},
    {"[limits]\nfile_bytes = @GiB\n", RULE_POLICY_VALUE, "not GiB"},
    {"[limits]\nfile_bytes = @16777216 TiB\n", RULE_POLICY_VALUE, "TiB"},
    {"[limits]\ncpu_seconds = @100 ms\n", RULE_POLICY_VALUE, "not 100 ms"},
    {"[limits]\ndeadline_ms = @18446744073709552 s\n", RULE_POLICY_VALUE, " s"},
    /* trust and audit */
    {"[trust]\nfolder = @trust\n", RULE_POLICY_VALUE, "absolute"},
    {"[trust]\nfolder = @~/trust\n", RULE_POLICY_VALUE, "absolute"},
    {"[trust]\nfolder = @\"/etc/trust\"\n", RULE_POLICY_VALUE, "absolute"},
    {"[trust]\nfolder = @/etc/\xe2\x80\xaetsurt\n", RULE_POLICY_VALUE, "formatting character"},
    {"[trust]\nfolder =@\n", RULE_POLICY_VALUE, "no value"},
    {"[trust]\nthreshold = @0\n", RULE_POLICY_VALUE, "from 1 on"},
    {"[trust]\nthreshold = @4294967296\n", RULE_POLICY_VALUE, "from 1 on"},
    {"[trust]\nthreshold = @1 KiB\n", RULE_POLICY_VALUE, "from 1 on"},
    {"[trust]\nthreshold = @two\n", RULE_POLICY_VALUE, "not two"},
    {"[trust]\nlegacy = @yes\n", RULE_POLICY_VALUE, "accept or refuse"},
    {"[trust]\nlegacy = @acceptable\n", RULE_POLICY_VALUE, "accept or refuse"},
    {"[audit]\nnan = @Refuse\n", RULE_POLICY_VALUE, "not Refuse"},
    {"[audit]\ninfinity = @0\n", RULE_POLICY_VALUE, "ignore, report or refuse"},
};

static void check_refusal(const refusal_row *row) {
    char text[512];
    const char *mark = strchr(row->text, '@');
    assert_non_null(mark);
    const size_t at = (size_t)(mark - row->text), length = strlen(row->text) - 1;
    memcpy(text, row->text, at);
    memcpy(text + at, mark + 1, length - at);
    const wlk_policy before = marked();
    wlk_policy policy = before;
    wlk_error error;
    const wlk_status status = parse(text, length, &policy, &error);
    if (status == WLK_OK || error.rule != row->rule || error.offset != at ||
        !strstr(error.text, row->says)) {
        fail_msg("%s\ngave %s at %llu: %s", row->text,
                 status == WLK_OK ? "no refusal" : wlk_rule_name(error.rule),
                 (unsigned long long)error.offset, error.text);
    }
    assert_int_equal(status, WLK_USAGE);
    assert_memory_equal(&policy, &before, sizeof policy);
}

/* Invariant 9, and nothing of a file that is refused counts. */
static void test_invariant_9_refusals_say_where(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) check_refusal(&refusals[i]);
}

static void test_nul_is_a_control_character(void **state) {
    (void)state;
    static const char text[] = "[limits]\nnodes = 1\0\n";
    wlk_policy policy;
    wlk_error error;
    wlk_policy_default(&policy);
    EXPECT_AT(parse(text, sizeof text - 1, &policy, &error), RULE_POLICY_TEXT, 18);
}

/* A name that is too long for any message is not known either. */
static void test_long_parts(void **state) {
    (void)state;
    static char text[POLICY_TEXT_BYTES + 1];
    wlk_policy policy;
    wlk_error error;
    wlk_policy_default(&policy);
    memcpy(text, "[limits]\n", 9);
    memset(text + 9, 'n', 60000);
    memcpy(text + 60009, " = 1", 4);
    EXPECT_AT(parse(text, 60013, &policy, &error), RULE_POLICY_NAME, 9);
    memcpy(text, "[", 1);
    memset(text + 1, 'l', 60000);
    text[60001] = ']';
    EXPECT_AT(parse(text, 60002, &policy, &error), RULE_POLICY_NAME, 1);
    memcpy(text, "[limits]\nnodes = ", 17);
    memset(text + 17, '9', 60000);
    EXPECT_AT(parse(text, 60017, &policy, &error), RULE_POLICY_VALUE, 17);
    for (size_t length = 4095; length <= 4096; length++) { /* of the path, without NUL */
        memcpy(text, "[trust]\nfolder = ", 17);
        memset(text + 17, '/', length);
        if (length == 4095) {
            EXPECT_OK(parse(text, 17 + length, &policy, &error));
            assert_int_equal(strlen(policy.trust_folder), length);
        } else {
            EXPECT_AT(parse(text, 17 + length, &policy, &error), RULE_POLICY_VALUE, 17);
        }
    }
    memset(text, '\n', sizeof text);
    EXPECT_OK(parse(text, POLICY_TEXT_BYTES, &policy, &error));
    EXPECT_AT(parse(text, sizeof text, &policy, &error), RULE_POLICY_TEXT, POLICY_TEXT_BYTES);
}

static void test_an_error_is_not_needed(void **state) {
    (void)state;
    wlk_policy policy;
    wlk_policy_default(&policy);
    assert_int_equal(wlk_policy_parse("[limit]", 7, &policy, NULL), WLK_USAGE);
    assert_int_equal(wlk_policy_load(in_scratch("missing"), &policy, NULL), WLK_SYSTEM);
}

/* ---- the file */

static wlk_status load(const char *path, wlk_policy *policy, wlk_error *error) {
    wlk_policy_default(policy);
    const wlk_status status = wlk_policy_load(path, policy, error);
    assert_int_equal(policy->limits.nodes == 17, status == WLK_OK);
    return status;
}

static const char good[] = "[limits]\nnodes = 17\n";

static void test_owner_and_mode(void **state) {
    (void)state;
    static const struct {
        mode_t mode;
        bool accepted;
    } rows[] = {{0600, true},  {0400, true},  {0644, true},  {0640, true},
                {0604, true},  {0755, true},  {0620, false}, {0602, false},
                {0664, false}, {0646, false}, {0666, false}, {0777, false}};
    const char *path = in_scratch("mode.conf");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char mode[16], text[512];
        wlk_policy policy;
        wlk_error error;
        write_text(path, good, rows[i].mode);
        const wlk_status status = load(path, &policy, &error);
        expect_rule(status, &error, rows[i].accepted ? RULE_NONE : RULE_POLICY_MODE, NULL);
        if (!rows[i].accepted) {
            (void)snprintf(mode, sizeof mode, "mode %04o", (unsigned)rows[i].mode);
            assert_non_null(strstr(error.text, mode));
            assert_non_null(strstr(wlk_error_format(&error, text, sizeof text), "chmod 644"));
        }
        assert_int_equal(unlink(path), 0);
    }
}

/* Only root can give a file away: an ordinary user's run tries a file of root's,
 * which is as good as his own. */
static void test_owner(void **state) {
    (void)state;
    const char *path = in_scratch("owner.conf");
    wlk_policy policy;
    wlk_error error;
    write_text(path, good, 0644);
    if (geteuid() == 0) {
        assert_int_equal(chown(path, NOBODY, (gid_t)-1), 0);
        EXPECT_RULE(load(path, &policy, &error), RULE_POLICY_MODE);
        assert_non_null(strstr(error.text, "belongs to user 65534"));
        assert_int_equal(chown(path, 0, NOBODY), 0);
        EXPECT_OK(load(path, &policy, &error));
    } else {
        EXPECT_RULE(wlk_policy_load("/etc/passwd", &policy, &error), RULE_POLICY_TEXT);
    }
}

static void test_what_is_no_file(void **state) {
    (void)state;
    const char *fifo = in_scratch("fifo.conf"), *folder = in_scratch("folder.conf");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    const char *const paths[] = {fifo,
                                 folder,
                                 "/dev/null",
                                 "/dev/zero",
                                 "",
                                 in_scratch("missing.conf"),
                                 in_scratch("folder.conf/missing/too")};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        wlk_policy policy;
        wlk_error error;
        EXPECT_RULE(load(paths[i], &policy, &error), RULE_POLICY_READ);
        assert_int_equal(error.offset, WLK_NO_OFFSET);
    }
}

static void test_symbolic_links(void **state) {
    (void)state;
    const char *link = in_scratch("link.conf");
    wlk_policy policy;
    wlk_error error;
    write_text(in_scratch("target.conf"), good, 0644);
    assert_int_equal(symlink("target.conf", link), 0);
    EXPECT_RULE(load(link, &policy, &error), RULE_POLICY_MODE);
    assert_non_null(strstr(error.text, "symbolic link"));
}

static void test_size(void **state) {
    (void)state;
    const char *path = in_scratch("size.conf");
    char *text = malloc(POLICY_TEXT_BYTES + 1);
    wlk_policy policy;
    wlk_error error;
    assert_non_null(text);
    memset(text, '\n', POLICY_TEXT_BYTES + 1);
    memcpy(text, good, sizeof good - 1);
    write_bytes(path, text, POLICY_TEXT_BYTES, 0600);
    EXPECT_OK(load(path, &policy, &error));
    write_bytes(path, text, POLICY_TEXT_BYTES + 1, 0600);
    EXPECT_AT(load(path, &policy, &error), RULE_POLICY_TEXT, POLICY_TEXT_BYTES);
    free(text);
}

static void test_the_message_names_file_and_line(void **state) {
    (void)state;
    const char *path = in_scratch("line.conf");
    wlk_policy policy;
    wlk_error error;
    write_text(path, "[limits]\nnodes = 17\nedges = 1\n", 0600);
    EXPECT_AT(load(path, &policy, &error), RULE_POLICY_NAME, 20);
    assert_non_null(strstr(error.text, "line.conf: line 3: edges"));
}

/* Of nothing else than a file that is not there is it said that there is none. */
static void test_a_file_that_may_be_missing(void **state) {
    (void)state;
    const char *path = in_scratch("maybe.conf"), *nowhere = in_scratch("nowhere.conf");
    const wlk_policy before = marked();
    wlk_policy policy = before;
    wlk_error error;
    EXPECT_OK(policy_load_if_there(path, &policy, &error));
    EXPECT_OK(policy_load_if_there(in_scratch("no-folder/maybe.conf"), &policy, &error));
    assert_memory_equal(&policy, &before, sizeof policy);
    assert_int_equal(symlink("missing.conf", nowhere), 0);
    EXPECT_RULE(policy_load_if_there(nowhere, &policy, &error), RULE_POLICY_MODE);
    write_text(path, good, 0666);
    EXPECT_RULE(policy_load_if_there(path, &policy, &error), RULE_POLICY_MODE);
    EXPECT_RULE(policy_load_if_there(in_scratch("maybe.conf/x"), &policy, &error),
                RULE_POLICY_READ);
    assert_memory_equal(&policy, &before, sizeof policy);
    write_text(path, good, 0644);
    EXPECT_OK(policy_load_if_there(path, &policy, &error));
    assert_int_equal(policy.limits.nodes, 17);
    assert_int_equal(policy.threshold, before.threshold);
}

static unsigned open_descriptors(void) {
    unsigned count = 0;
    for (int fd = 0; fd < 256; fd++) count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* Descriptors and memory (the leak check of the sanitizers). */
static void test_nothing_is_left_behind(void **state) {
    (void)state;
    const char *const paths[] = {in_scratch("left.conf"), in_scratch("missing.conf"), scratch};
    const unsigned before = open_descriptors();
    wlk_policy policy;
    wlk_error error;
    write_text(paths[0], "[limits]\nnodes = x\n", 0600);
    for (size_t i = 0; i < 3; i++) assert_int_not_equal(load(paths[i], &policy, &error), WLK_OK);
    assert_int_equal(open_descriptors(), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default),
        cmocka_unit_test(test_every_setting),
        cmocka_unit_test(test_pickle_rows),
        cmocka_unit_test(test_pickle_rows_fill_their_room),
        cmocka_unit_test(test_every_limit_has_its_name),
        cmocka_unit_test(test_over_another_policy),
        cmocka_unit_test(test_numbers_and_units),
        cmocka_unit_test(test_invariant_9_refusals_say_where),
        cmocka_unit_test(test_nul_is_a_control_character),
        cmocka_unit_test(test_long_parts),
        cmocka_unit_test(test_an_error_is_not_needed),
        cmocka_unit_test(test_owner_and_mode),
        cmocka_unit_test(test_owner),
        cmocka_unit_test(test_what_is_no_file),
        cmocka_unit_test(test_symbolic_links),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_the_message_names_file_and_line),
        cmocka_unit_test(test_a_file_that_may_be_missing),
        cmocka_unit_test(test_nothing_is_left_behind),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
