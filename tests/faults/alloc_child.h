/* What the starved child is told: limits.columns is the number of the allocation that
 * fails, 0 for none; limits.json_bytes is any of these. */
#ifndef TESTS_FAULTS_ALLOC_CHILD_H
#define TESTS_FAULTS_ALLOC_CHILD_H

enum {
    STARVED_FOR_GOOD = 1, /* all behind it fail too */
    STARVED_NOT_YET = 2   /* counted from GO on, not from the order on */
};

#endif
