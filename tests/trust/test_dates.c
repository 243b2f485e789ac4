#include "support.h"

#include <time.h>

#include "trust/dates.h"

static void test_dates_that_are(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t time;
    } rows[] = {
        {"1970-01-01", 0},          {"1970-01-02", 86400},       {"1999-12-31", 946598400},
        {"2000-02-29", 951782400},  {"2000-03-01", 951868800},   {"2024-02-29", 1709164800},
        {"2026-08-15", 1786752000}, {"2038-01-19", 2147472000},  {"2100-02-28", 4107456000},
        {"2100-03-01", 4107542400}, {"2400-02-29", 13574563200}, {"9999-12-31", 253402214400},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t time = -1;
        char text[11];
        wlk_error error;
        EXPECT_OK(wlk_date_parse(rows[i].text, &time, &error));
        assert_int_equal(time, rows[i].time);
        wlk_date_text(time, text);
        assert_string_equal(text, rows[i].text);
        wlk_date_text(time + 86399, text); /* the day's last second */
        assert_string_equal(text, rows[i].text);
    }
}

static void test_dates_that_are_not(void **state) {
    (void)state;
    static const char *const rows[] = {
        "",           "2026",        "2026-8-15",   "2026-08-1",  "2026-08-15 ", " 2026-08-15",
        "2026/08/15", "2026-00-10",  "2026-13-10",  "2026-01-00", "2026-01-32",  "2026-04-31",
        "2026-02-29", "2100-02-29",  "1969-12-31",  "0000-01-01", "-001-01-01",  "+026-01-01",
        "10000-01-1", "10000-01-01", "2026-08-15T", "2O26-08-15", "2026-0a-15",  "2026-08-15\n",
        "20260-8-15", "2026-08:15",  "2026-08-1x",  "2026-0x-15",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t time = 77;
        wlk_error error;
        EXPECT_RULE(wlk_date_parse(rows[i], &time, &error), RULE_TRUST_DATE);
        assert_int_equal(time, 77);
    }
}

/* Every day of the range, against the C library. */
static void test_every_day(void **state) {
    (void)state;
    for (int64_t time = 0; time < DATES_END; time += DAY_SECONDS) {
        char text[11], want[11];
        struct tm date;
        const time_t given = time;
        int64_t again = -1;
        assert_non_null(gmtime_r(&given, &date));
        assert_int_equal(strftime(want, sizeof want, "%Y-%m-%d", &date), 10);
        wlk_date_text(time, text);
        if (strcmp(text, want) != 0 || !date_of((const uint8_t *)text, 10, &again) ||
            again != time) {
            fail_msg("%s, not %s", text, want);
        }
    }
}

static void test_times_without_a_date(void **state) {
    (void)state;
    char text[11];
    wlk_date_text(INT64_MIN, text);
    assert_string_equal(text, "1970-01-01");
    wlk_date_text(-1, text);
    assert_string_equal(text, "1970-01-01");
    wlk_date_text(DATES_END, text);
    assert_string_equal(text, "9999-12-31");
    wlk_date_text(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates_that_are),
        cmocka_unit_test(test_dates_that_are_not),
        cmocka_unit_test(test_every_day),
        cmocka_unit_test(test_times_without_a_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
