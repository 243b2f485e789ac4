/* Dates as people write them, in UTC and the Gregorian calendar; times are seconds
 * since 1970-01-01 00:00. */
#ifndef WLK_TRUST_DATES_H
#define WLK_TRUST_DATES_H

#include <stdbool.h>
#include <stdint.h>

#define DATE_CHARACTERS 10 /* YYYY-MM-DD */
#define DAY_SECONDS 86400
#define DATES_END 253402300800 /* the first second of the year 10000 */

/* Is text[0..length) a date of the years 1970 to 9999? *time is its first second. */
bool date_of(const uint8_t *text, uint64_t length, int64_t *time);

#endif
