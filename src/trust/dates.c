#include "trust/dates.h"

#include <stdio.h>
#include <string.h>

#include <weighlock/trust.h>

#include "base/error.h"

typedef struct civil_date {
    int64_t year;
    int64_t month; /* 1 to 12 */
    int64_t day;   /* 1 to 31 */
} civil_date;

/* Both directions: https://howardhinnant.github.io/date_algorithms.html. Years begin
 * in March, so that the day that comes and goes is their last. */
static int64_t days_from_civil(const civil_date *date) {
    const int64_t year = date->year - (date->month <= 2);
    const int64_t era = year / 400;
    const int64_t year_of_era = year - era * 400;
    const int64_t month = (date->month + 9) % 12;
    const int64_t day_of_year = (153 * month + 2) / 5 + date->day - 1;
    const int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static civil_date civil_from_days(int64_t days) {
    const int64_t shifted = days + 719468;
    const int64_t era = shifted / 146097;
    const int64_t day_of_era = shifted - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t month = (5 * day_of_year + 2) / 153;
    civil_date date = {.year = year_of_era + era * 400,
                       .month = month < 10 ? month + 3 : month - 9,
                       .day = day_of_year - (153 * month + 2) / 5 + 1};
    if (date.month <= 2) date.year++;
    return date;
}

/* `count` decimal digits at `at`. */
static bool number_at(const uint8_t *at, unsigned count, int64_t *value) {
    *value = 0;
    for (unsigned i = 0; i < count; i++) {
        if (at[i] < '0' || at[i] > '9') return false;
        *value = *value * 10 + (at[i] - '0');
    }
    return true;
}

/* A day that its month does not have comes back as another day. */
static bool exists(const civil_date *date) {
    if (date->year < 1970 || date->month < 1 || date->month > 12) return false;
    if (date->day < 1 || date->day > 31) return false;
    return civil_from_days(days_from_civil(date)).day == date->day;
}

bool date_of(const uint8_t *text, uint64_t length, int64_t *time) {
    civil_date date;
    if (length != DATE_CHARACTERS || text[4] != '-' || text[7] != '-') return false;
    if (!number_at(text, 4, &date.year) || !number_at(text + 5, 2, &date.month) ||
        !number_at(text + 8, 2, &date.day) || !exists(&date)) {
        return false;
    }
    *time = days_from_civil(&date) * DAY_SECONDS;
    return true;
}

wlk_status wlk_date_parse(const char *text, int64_t *time, wlk_error *error) {
    const size_t length = strnlen(text, DATE_CHARACTERS + 1);
    if (date_of((const uint8_t *)text, length, time)) return WLK_OK;
    return error_text(error, RULE_TRUST_DATE, WLK_NO_OFFSET, "%s", text);
}

/* Times that have no such date show the nearest one. */
void wlk_date_text(int64_t time, char text[11]) {
    if (time < 0) time = 0;
    if (time >= DATES_END) time = DATES_END - 1;
    const civil_date date = civil_from_days(time / DAY_SECONDS);
    (void)snprintf(text, DATE_CHARACTERS + 1, "%04u-%02u-%02u", (unsigned)date.year % 10000,
                   (unsigned)date.month % 100, (unsigned)date.day % 100);
}
