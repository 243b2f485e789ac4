/* Bad policies and bad lists of digests. Each row says the rule, the offset, and that
 * nothing is left behind (invariants 9 and 10). */
#include "gate/bad_files.h"

/* ---- policies */

static const text_of_file policies[] = {
    {"a word", "x", "policy.text@0"},
    {"an INI comment", "; x", "policy.text@0"},
    {"a byte order mark", "\xef\xbb\xbf[limits]", "policy.text@0"},
    {"before the first section", "nodes = 1", "policy.text@0"},
    {"an open section", "[limits", "policy.text@0"},
    {"text behind a section", "[limits] x", "policy.text@0"},
    {"a section without a name", "[]", "policy.text@1"},
    {"no such section", "\n[limit]", "policy.name@2"},
    {"a section with blanks", "[ limits ]", "policy.name@1"},
    {"a section twice", "[limits]\n[limits]", "policy.twice@10"},
    {"no such limit", "[limits]\nnodess = 1", "policy.name@9"},
    {"a limit in another section", "[trust]\nnodes = 1", "policy.name@8"},
    {"a limit of upper case", "[limits]\nNODES = 1", "policy.name@9"},
    {"a limit twice", "[limits]\nnodes = 1\nnodes = 1", "policy.twice@19"},
    {"a name without a value", "[limits]\nnodes", "policy.text@9"},
    {"an empty value", "[limits]\nnodes =", "policy.value@16"},
    {"a value without a name", "[limits]\n = 1", "policy.text@10"},
    {"a negative number", "[limits]\nnodes = -1", "policy.value@17"},
    {"a number with a plus", "[limits]\nnodes = +1", "policy.value@17"},
    {"a hexadecimal number", "[limits]\nnodes = 0x10", "policy.value@17"},
    {"a leading zero", "[limits]\nnodes = 010", "policy.value@17"},
    {"a fraction", "[limits]\nnodes = 1.5", "policy.value@17"},
    {"2^64", "[limits]\nnodes = 18446744073709551616", "policy.value@17"},
    {"a unit of another kind", "[limits]\nnodes = 1 KiB", "policy.value@17"},
    {"2^64 by its unit", "[limits]\nfile_bytes = 16777216 TiB", "policy.value@22"},
    {"a quoted number", "[limits]\nnodes = \"1\"", "policy.value@17"},
    {"a comment behind a number", "[limits]\nnodes = 1 # one", "policy.value@17"},
    {"two signs", "[limits]\nnodes == 1", "policy.value@16"},
    {"no key at all", "[trust]\nthreshold = 0", "policy.value@20"},
    {"2^32 keys", "[trust]\nthreshold = 4294967296", "policy.value@20"},
    {"a relative folder", "[trust]\nfolder = keys", "policy.value@17"},
    {"a folder at home", "[trust]\nfolder = ~/keys", "policy.value@17"},
    {"a turned folder", "[trust]\nfolder = /\xe2\x80\xae", "policy.value@17"},
    {"neither accept nor refuse", "[trust]\nlegacy = yes", "policy.value@17"},
    {"no such action", "[audit]\nnan = warn", "policy.value@14"},
    {"no such finding", "[audit]\ninf = refuse", "policy.name@8"},
    {"an escape in a comment", "# \x1b[2J", "policy.text@2"},
    {"a comment that is not UTF-8", "# \xff", "policy.text@0"},
    {"a bare CR", "[limits]\rnodes = 1", "policy.text@8"},
    {"the last line is wrong", "[limits]\nnodes = 1\n[audit]\nnan = report\nx", "policy.text@40"},
};

static void test_policies_of_bad_text(void **state) {
    (void)state;
    texts_pass(policies, sizeof policies / sizeof *policies, load_policy);
    assert_true(text_row("a NUL", load_policy, "[limits]\nnodes = 1\0", 19, "policy.text@18"));
}

/* What is left of a policy that is cut to at most so many bytes. */
static const struct {
    size_t most;
    const char *want;
} policy_cuts[] = {
    {0, ACCEPTED},           {7, "policy.text@0"},    {9, ACCEPTED},          {15, "policy.text@9"},
    {17, "policy.value@16"}, {20, ACCEPTED},          {26, "policy.text@20"}, {28, ACCEPTED},
    {38, "policy.text@28"},  {40, "policy.value@39"}, {41, ACCEPTED},
};

static void test_a_policy_cut_at_every_byte(void **state) {
    (void)state;
    static const char good[] = "[limits]\nnodes = 12\n[trust]\nthreshold = 2";
    bool all = true;
    size_t cut = 0;
    for (size_t i = 0; i < sizeof policy_cuts / sizeof *policy_cuts; i++) {
        for (; cut <= policy_cuts[i].most; cut++) {
            char name[32];
            (void)snprintf(name, sizeof name, "cut to %zu bytes", cut);
            all &= text_row(name, load_policy, good, cut, policy_cuts[i].want);
        }
    }
    assert_int_equal(cut, sizeof good);
    assert_true(all);
}

/* ---- lists of digests */

#define HEX32 "0123456789abcdef0123456789abcdef"
#define HEX64 HEX32 HEX32
#define GOOD_LINE HEX64 "  model.wlk\n" /* 76 bytes */

static const text_of_file digest_lists[] = {
    {"good", GOOD_LINE, ACCEPTED},
    {"a word", "x\n", "trust.digest-text@0"},
    {"no name", HEX64 "\n", "trust.digest-text@0"},
    {"an empty name", HEX64 "  \n", "trust.digest-text@0"},
    {"one space", HEX64 " model.wlk\n", "trust.digest-text@0"},
    {"a tab", HEX64 "\tmodel.wlk\n", "trust.digest-text@0"},
    {"a digit too few", HEX32 "0123456789abcdef0123456789abcde  model.wlk\n",
     "trust.digest-text@0"},
    {"a digit too many", HEX64 "0  model.wlk\n", "trust.digest-text@0"},
    {"a SHA-1", HEX32 "01234567  model.wlk\n", "trust.digest-text@0"},
    {"an MD5 with its tag", "MD5 (model.wlk) = " HEX32 "\n", "trust.digest-text@0"},
    {"a letter that is no digit", HEX32 "0123456789abcdef0123456789abcdeg  model.wlk\n",
     "trust.digest-text@0"},
    {"a tag without its space", "SHA256(model.wlk)= " HEX64 "\n", "trust.digest-text@0"},
    {"a tag and a short digest", "SHA256 (model.wlk) = " HEX32 "\n", "trust.digest-text@0"},
    {"a tag and no name", "SHA256 () = " HEX64 "\n", "trust.digest-text@0"},
    {"a tag of another digest", "SHA256 (model.wlk) = " HEX64 HEX64 "\n", "trust.digest-text@0"},
    {"a byte order mark", "\xef\xbb\xbf" GOOD_LINE, "trust.digest-text@0"},
    {"an escape that is none", "\\" HEX64 "  model\\x.wlk\n", "trust.digest-text@0"},
    {"an escape at the end", "\\" HEX64 "  model.wlk\\\n", "trust.digest-text@0"},
    {"a wrong line behind a good one", GOOD_LINE "x\n", "trust.digest-text@76"},
    {"a wrong line before it", "x\n" GOOD_LINE, "trust.digest-text@0"},
    {"another file", HEX64 "  other.wlk\n", "trust.digest-missing"},
    {"another case", HEX64 "  Model.wlk\n", "trust.digest-missing"},
    {"a longer name", HEX64 "  model.wlk.old\n", "trust.digest-missing"},
    {"another folder", HEX64 "  elsewhere/model.wlk\n", "trust.digest-missing"},
    {"two that differ", GOOD_LINE "f" HEX32 "123456789abcdef0123456789abcdef  model.wlk\n",
     "trust.digest-conflict@76"},
    {"two kinds", GOOD_LINE HEX64 HEX64 "  model.wlk\n", "trust.digest-conflict@76"},
    {"two forms of the name",
     GOOD_LINE "f" HEX32 "123456789abcdef0123456789abcdef  "
               "folder/model.wlk\n",
     "trust.digest-conflict@76"},
};

static void test_lists_of_digests(void **state) {
    (void)state;
    texts_pass(digest_lists, sizeof digest_lists / sizeof *digest_lists, load_digests);
    assert_true(text_row("a NUL in a name", load_digests, HEX64 "  model.wlk\0x\n", 78,
                         "trust.digest-text@0"));
}

static const struct {
    const char *name, *hex;
    wlk_digest_kind kind;
} digests[] = {
    {"nothing", "", WLK_SHA256},
    {"a digit too few", HEX32 "0123456789abcdef0123456789abcde", WLK_SHA256},
    {"a digit too many", HEX64 "0", WLK_SHA256},
    {"a prefix", "0x" HEX32 "0123456789abcdef0123456789abcd", WLK_SHA256},
    {"a space", " " HEX32 "123456789abcdef0123456789abcdef", WLK_SHA256},
    {"a letter that is no digit", HEX32 "0123456789abcdef0123456789abcdeg", WLK_SHA256},
    {"too long for its kind", HEX64 HEX64, WLK_SHA256},
    {"of a length between", HEX64 HEX32, WLK_BLAKE2B},
    {"longer than any", HEX64 HEX64 "00", WLK_BLAKE2B},
};

static void test_digests_of_bad_form(void **state) {
    (void)state;
    bool all = true;
    for (size_t i = 0; i < sizeof digests / sizeof *digests; i++) {
        const leftovers before = leftovers_before(scratch);
        wlk_digest digest;
        wlk_error error = {.offset = 0};
        const wlk_status status =
            wlk_digest_parse(digests[i].kind, digests[i].hex, &digest, &error);
        all &= row_passes(digests[i].name, "trust.digest-form", NULL, status, &error, &before);
    }
    assert_true(all);
}

static int group(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policies_of_bad_text),
        cmocka_unit_test(test_a_policy_cut_at_every_byte),
        cmocka_unit_test(test_lists_of_digests),
        cmocka_unit_test(test_digests_of_bad_form),
    };
    return cmocka_run_group_tests(tests, bad_files_setup, kit_teardown);
}

int main(void) {
    return kit_run(group, (const char *const[]){NULL});
}
