/* Detached signatures, dates, revocation and thresholds, as wlk_verify_memory and
 * wlk_verification_check weigh them together. */
#include "evidence.h"

#include <time.h>

typedef struct evidence_row {
    int native;           /* a .wlk file: */
    uint8_t inside;       /* the key that signed inside, 0 none; above 100: wrongly, by key - 100 */
    const char *detached; /* "1g 9b": number and kind of each */
    wlk_rule verify;
    wlk_signature_state state;
    uint8_t best; /* the key that the state is about */
    uint32_t trusted, signers;
    wlk_rule check, check_of_two, check_unsigned;
} evidence_row;

#define OK RULE_NONE
#define TR WLK_SIGNED_TRUSTED
#define EX WLK_SIGNED_EXPIRED
#define RE WLK_SIGNED_REVOKED
#define UK WLK_SIGNED_UNKNOWN
#define UN WLK_UNSIGNED
#define SIG RULE_TRUST_SIGNATURE
#define LEG RULE_TRUST_LEGACY
#define NOTHING RULE_TRUST_NOTHING_CHECKED
#define FEW RULE_TRUST_THRESHOLD
#define UNSIG RULE_TRUST_UNSIGNED
#define UNKEY RULE_TRUST_UNKNOWN_KEY
#define EXKEY RULE_TRUST_KEY_EXPIRED
#define REKEY RULE_TRUST_KEY_REVOKED

static const evidence_row rows[] = {
    /* a .wlk file by itself */
    {1, 0, "", OK, UN, 0, 0, 0, UNSIG, UNSIG, OK},
    {1, 1, "", OK, TR, 1, 1, 1, OK, FEW, OK},
    {1, 3, "", OK, TR, 3, 1, 1, OK, FEW, OK},
    {1, 4, "", OK, EX, 4, 0, 1, EXKEY, EXKEY, OK},
    {1, 5, "", OK, EX, 5, 0, 1, EXKEY, EXKEY, OK},
    {1, 6, "", OK, RE, 6, 0, 1, REKEY, REKEY, OK},
    {1, 7, "", OK, RE, 7, 0, 1, REKEY, REKEY, OK},
    {1, 9, "", OK, UK, 9, 0, 1, UNKEY, UNKEY, OK},
    {1, 101, "", SIG, UN, 0, 0, 0, OK, OK, OK},
    {1, 104, "", SIG, UN, 0, 0, 0, OK, OK, OK},
    {1, 106, "", SIG, UN, 0, 0, 0, OK, OK, OK},
    {1, 109, "", OK, UK, 9, 0, 1, UNKEY, UNKEY, OK},
    /* and with detached signatures: each distinct key counts once */
    {1, 0, "1g", OK, TR, 1, 1, 1, OK, FEW, OK},
    {1, 1, "2g", OK, TR, 1, 2, 2, OK, OK, OK},
    {1, 1, "1g", OK, TR, 1, 1, 1, OK, FEW, OK},
    {1, 1, "1g 1g 2g 2g", OK, TR, 1, 2, 2, OK, OK, OK},
    {1, 0, "1g 2g 3g", OK, TR, 1, 3, 3, OK, OK, OK},
    {1, 9, "1g", OK, TR, 1, 1, 2, OK, FEW, OK},
    {1, 9, "9g 8g", OK, UK, 9, 0, 2, UNKEY, UNKEY, OK},
    {1, 4, "1g", OK, TR, 1, 1, 2, OK, FEW, OK},
    {1, 4, "6g", OK, EX, 4, 0, 2, EXKEY, EXKEY, OK},
    {1, 9, "6g", OK, RE, 6, 0, 2, REKEY, REKEY, OK},
    {1, 1, "4g 6g", OK, TR, 1, 1, 3, OK, FEW, OK},
    /* a signature of a known key that fails refuses, whatever else is there */
    {1, 1, "2b", SIG, UN, 0, 0, 0, OK, OK, OK},
    {1, 1, "1b", SIG, UN, 0, 0, 0, OK, OK, OK},
    {1, 1, "2g 2c", SIG, UN, 0, 0, 0, OK, OK, OK},
    {1, 1, "4b", SIG, UN, 0, 0, 0, OK, OK, OK},
    {1, 1, "6b", SIG, UN, 0, 0, 0, OK, OK, OK},
    {1, 1, "6k", SIG, UN, 0, 0, 0, OK, OK, OK},
    {1, 101, "2g", SIG, UN, 0, 0, 0, OK, OK, OK},
    {1, 1, "9b", OK, TR, 1, 1, 2, OK, FEW, OK},
    {1, 1, "2l", LEG, UN, 0, 0, 0, OK, OK, OK},
    /* any other artifact */
    {0, 0, "", OK, UN, 0, 0, 0, UNSIG, UNSIG, NOTHING},
    {0, 0, "1g", OK, TR, 1, 1, 1, OK, FEW, OK},
    {0, 0, "1g 2g", OK, TR, 1, 2, 2, OK, OK, OK},
    {0, 0, "2g 1g", OK, TR, 2, 2, 2, OK, OK, OK},
    {0, 0, "1g 1g", OK, TR, 1, 1, 1, OK, FEW, OK},
    {0, 0, "3g", OK, TR, 3, 1, 1, OK, FEW, OK},
    {0, 0, "4g", OK, EX, 4, 0, 1, EXKEY, EXKEY, NOTHING},
    {0, 0, "5g", OK, EX, 5, 0, 1, EXKEY, EXKEY, NOTHING},
    {0, 0, "6g", OK, RE, 6, 0, 1, REKEY, REKEY, NOTHING},
    {0, 0, "9g", OK, UK, 9, 0, 1, UNKEY, UNKEY, NOTHING},
    {0, 0, "9b 9c 9m", OK, UK, 9, 0, 1, UNKEY, UNKEY, NOTHING},
    {0, 0, "9g 6g 4g 1g", OK, TR, 1, 1, 4, OK, FEW, OK},
    {0, 0, "1b", SIG, UN, 0, 0, 0, OK, OK, OK},
    {0, 0, "1c", SIG, UN, 0, 0, 0, OK, OK, OK},
    {0, 0, "1o", SIG, UN, 0, 0, 0, OK, OK, OK},
    {0, 0, "1k", SIG, UN, 0, 0, 0, OK, OK, OK},
    {0, 0, "4b", SIG, UN, 0, 0, 0, OK, OK, OK},
    {0, 0, "5c", SIG, UN, 0, 0, 0, OK, OK, OK},
    {0, 0, "6o", SIG, UN, 0, 0, 0, OK, OK, OK},
    {0, 0, "1g 2b", SIG, UN, 0, 0, 0, OK, OK, OK},
    {0, 0, "2b 1g", SIG, UN, 0, 0, 0, OK, OK, OK},
    {0, 0, "9g 1g 2g 6b", SIG, UN, 0, 0, 0, OK, OK, OK},
    {0, 0, "1l", LEG, UN, 0, 0, 0, OK, OK, OK},
    {0, 0, "1g 2l", LEG, UN, 0, 0, 0, OK, OK, OK},
    {0, 0, "6l", LEG, UN, 0, 0, 0, OK, OK, OK},
    {0, 0, "9l", OK, UK, 9, 0, 1, UNKEY, UNKEY, NOTHING},
};

static sample artifact(const evidence_row *row) {
    sample s = sample_make(40, 100, 16, 0);
    if (row->inside) {
        const test_key pair = key_number(row->inside % 100);
        sample_sign(&s, &pair);
    }
    if (row->inside > 100) s.bytes[130] ^= 1;
    if (!row->native) memset(s.bytes, 'x', 16); /* neither of the constants is left */
    return s;
}

static void expect_found(const evidence_row *row, const wlk_verification *found) {
    assert_int_equal(found->native, row->native);
    assert_int_equal(found->state, row->state);
    assert_int_equal(found->trusted, row->trusted);
    assert_int_equal(found->signer_count, row->signers);
    assert_int_equal(found->key_id[0], row->best);
    assert_string_equal(found->key_name, row->best < KEYS && row->best ? keys[row->best].name : "");
}

static void expect_checks(const evidence_row *row, const wlk_verification *found) {
    wlk_error error;
    EXPECT_RULE(wlk_verification_check(found, 1, 0, &error), row->check);
    EXPECT_RULE(wlk_verification_check(found, 0, 0, &error), row->check); /* at least 1 */
    EXPECT_RULE(wlk_verification_check(found, 2, 0, &error), row->check_of_two);
    EXPECT_RULE(wlk_verification_check(found, 1, 1, &error), row->check_unsigned);
    EXPECT_RULE(wlk_verification_check(found, UINT32_MAX, 1, &error), row->check_unsigned);
}

static void test_table(void **state) {
    (void)state;
    wlk_trust *trust = all_keys();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const evidence_row *row = &rows[i];
        sample s = artifact(row);
        wlk_signature signatures[MOST];
        const wlk_evidence evidence = {
            .signatures = signatures,
            .signature_count = sign_all(row->detached, s.bytes, s.size, signatures)};
        const wlk_verify_options options = {
            .trust = trust, .evidence = &evidence, .threads = 2, .now = NOW};
        wlk_verification found = {.state = TR, .trusted = 9};
        wlk_error error = {.rule = RULE_NONE};
        const wlk_status status = wlk_verify_memory(s.bytes, s.size, &options, &found, &error);
        if ((status == WLK_OK ? OK : (wlk_rule)error.rule) != row->verify) {
            fail_msg("row %zu: %s", i, status == WLK_OK ? "ok" : wlk_rule_name(error.rule));
        }
        if (status == WLK_OK) {
            expect_found(row, &found);
            expect_checks(row, &found);
        } else {
            assert_int_equal(status, WLK_TRUST);
            assert_int_equal(found.trusted, 0);
            assert_int_not_equal(found.state, TR);
            assert_int_not_equal(wlk_verification_check(&found, 1, 0, &error), WLK_OK);
        }
        free(s.bytes);
    }
    wlk_trust_free(trust);
}

/* ---- comments, reports, time */

static void test_trusted_comment_is_a_trusted_one(void **state) {
    (void)state;
    static const struct {
        const char *detached, *comment;
    } comments[] = {{"9g", ""}, {"4g 6g", ""}, {"9g 6g 2g 1g", "by key 2"}, {"1g", "by key 1"}};
    static const uint8_t data[] = "any artifact";
    wlk_trust *trust = all_keys();
    for (size_t i = 0; i < sizeof comments / sizeof *comments; i++) {
        wlk_signature signatures[MOST];
        const wlk_evidence evidence = {
            .signatures = signatures,
            .signature_count = sign_all(comments[i].detached, data, sizeof data, signatures)};
        const wlk_verify_options options = {.trust = trust, .evidence = &evidence, .now = NOW};
        wlk_verification found;
        wlk_error error;
        EXPECT_OK(wlk_verify_memory(data, sizeof data, &options, &found, &error));
        assert_string_equal(found.trusted_comment, comments[i].comment);
    }
    wlk_trust_free(trust);
}

/* Of more signers than are reported, all are counted. */
static void test_many_signers(void **state) {
    (void)state;
    enum { MANY = 100 };
    static const uint8_t data[] = "any artifact";
    static wlk_signature signatures[MANY];
    wlk_trust *trust;
    wlk_verification found;
    wlk_error error;
    EXPECT_OK(wlk_trust_new(&trust, &error));
    for (uint8_t i = 0; i < MANY; i++) {
        const test_key pair = key_number((uint8_t)(i + 1));
        const wlk_public_key key = public_of(&pair);
        if (i >= 30) EXPECT_OK(wlk_trust_add(trust, &key, "k", &error));
        signatures[i] = made((uint8_t)(i + 1), 'g', data, sizeof data);
    }
    const wlk_evidence evidence = {.signatures = signatures, .signature_count = MANY};
    const wlk_verify_options options = {.trust = trust, .evidence = &evidence};
    EXPECT_OK(wlk_verify_memory(data, sizeof data, &options, &found, &error));
    assert_int_equal(found.trusted, MANY - 30);
    assert_int_equal(found.signer_count, WLK_MAX_SIGNERS);
    assert_int_equal(found.signers[0].state, UK);
    assert_int_equal(found.signers[0].detached, 1);
    assert_int_equal(found.key_id[0], 31);
    EXPECT_OK(wlk_verification_check(&found, MANY - 30, 0, &error));
    EXPECT_RULE(wlk_verification_check(&found, MANY - 29, 0, &error), FEW);
    assert_string_equal(error.text, "70 of 71");
    wlk_trust_free(trust);
}

static void test_report_of_signers(void **state) {
    (void)state;
    wlk_trust *trust = all_keys();
    sample s = artifact(&(evidence_row){.native = 1, .inside = 4});
    wlk_signature signatures[MOST];
    const wlk_evidence evidence = {
        .signatures = signatures,
        .signature_count = sign_all("6g 9b 1g", s.bytes, s.size, signatures)};
    const wlk_verify_options options = {.trust = trust, .evidence = &evidence, .now = NOW};
    wlk_verification found;
    wlk_error error;
    static const struct {
        wlk_signature_state state;
        uint8_t key;
        const char *name;
        int detached;
    } want[] = {{EX, 4, "ended", 0}, {RE, 6, "revoked", 1}, {UK, 9, "", 1}, {TR, 1, "alice", 1}};
    EXPECT_OK(wlk_verify_memory(s.bytes, s.size, &options, &found, &error));
    assert_int_equal(found.signer_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(found.signers[i].state, want[i].state);
        assert_int_equal(found.signers[i].key_id[7], want[i].key);
        assert_string_equal(found.signers[i].key_name, want[i].name);
        assert_int_equal(found.signers[i].detached, want[i].detached);
    }
    free(s.bytes);
    wlk_trust_free(trust);
}

/* Zero is the clock's own time. */
static void test_now(void **state) {
    (void)state;
    static const struct {
        int64_t from_now, until_now;
        wlk_signature_state want;
    } spans[] = {{-3600, 3600, TR}, {3600, 7200, EX}, {-7200, -3600, EX}};
    static const uint8_t data[] = "any artifact";
    const int64_t now = (int64_t)time(NULL);
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        const test_key pair = key_number(1);
        const wlk_trusted_key key = {.key = public_of(&pair),
                                     .name = "alice",
                                     .valid_from = now + spans[i].from_now,
                                     .valid_until = now + spans[i].until_now,
                                     .revoked = INT64_MAX};
        const wlk_signature signature = made(1, 'g', data, sizeof data);
        const wlk_evidence evidence = {.signatures = &signature, .signature_count = 1};
        wlk_trust *trust;
        wlk_verification found;
        wlk_error error;
        EXPECT_OK(wlk_trust_new(&trust, &error));
        EXPECT_OK(wlk_trust_add_key(trust, &key, &error));
        const wlk_verify_options options = {.trust = trust, .evidence = &evidence};
        EXPECT_OK(wlk_verify_memory(data, sizeof data, &options, &found, &error));
        assert_int_equal(found.state, spans[i].want);
        wlk_trust_free(trust);
    }
}

/* ---- what a refusal says */

static void test_refusals_say_where(void **state) {
    (void)state;
    static const struct {
        evidence_row row;
        uint32_t threshold;
        wlk_rule rule;
        uint64_t offset;
        const char *text;
    } says[] = {
        {{.native = 1, .detached = ""}, 1, UNSIG, 110, ""},
        {{.native = 1, .inside = 9, .detached = ""}, 1, UNKEY, 110, "key 0909090909090909"},
        {{.native = 1, .inside = 4, .detached = ""}, 1, EXKEY, 110, "key 0404040404040404, ended"},
        {{.native = 1, .detached = "6g"}, 1, REKEY, WLK_NO_OFFSET, "key 0606060606060606, revoked"},
        {{.native = 1, .inside = 9, .detached = "4g"},
         1,
         EXKEY,
         WLK_NO_OFFSET,
         "key 0404040404040404, ended"},
        {{.native = 1, .inside = 1, .detached = "4g"}, 2, FEW, WLK_NO_OFFSET, "1 of 2"},
        {{.detached = ""}, 1, UNSIG, WLK_NO_OFFSET, ""},
        {{.detached = "9g"}, 1, UNKEY, WLK_NO_OFFSET, "key 0909090909090909"},
    };
    wlk_trust *trust = all_keys();
    for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
        sample s = artifact(&says[i].row);
        wlk_signature signatures[MOST];
        const wlk_evidence evidence = {
            .signatures = signatures,
            .signature_count = sign_all(says[i].row.detached, s.bytes, s.size, signatures)};
        const wlk_verify_options options = {.trust = trust, .evidence = &evidence, .now = NOW};
        wlk_verification found;
        wlk_error error;
        EXPECT_OK(wlk_verify_memory(s.bytes, s.size, &options, &found, &error));
        EXPECT_AT(wlk_verification_check(&found, says[i].threshold, 0, &error), says[i].rule,
                  says[i].offset);
        assert_string_equal(error.text, says[i].text);
        free(s.bytes);
    }
    wlk_trust_free(trust);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_trusted_comment_is_a_trusted_one),
        cmocka_unit_test(test_many_signers),
        cmocka_unit_test(test_report_of_signers),
        cmocka_unit_test(test_now),
        cmocka_unit_test(test_refusals_say_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
