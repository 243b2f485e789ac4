/* Writes what fuzzers start from (fuzz/seeds/seeds.h):
 *
 *     make_seeds FOLDER      FOLDER/seeds/TARGET/NAME and FOLDER/dict/TARGET.dict
 *
 * The same sources give the same files. Prints which refusals no seed ends with, and fails
 * if one of them should have. */
#include <stdio.h>

#include <sodium.h>

#include "seeds/seeds.h"

int main(int argc, char **argv) {
    if (argc != 2 || sodium_init() < 0) {
        (void)fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    seed_folder(argv[1]);
    seeds_wlk();
    seeds_pickle();
    seeds_order();
    seeds_refusals();
    seeds_dictionaries();
    return rules_report() == 0 ? 0 : 1;
}
