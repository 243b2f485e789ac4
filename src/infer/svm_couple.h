/* Probabilities of classes from those of pairs of classes: the second method of Wu, Lin and
 * Weng, "Probability estimates for multi-class classification by pairwise coupling", JMLR 5
 * (2004), with libsvm's bounds of accuracy and of rounds. */
#ifndef WLK_INFER_SVM_COUPLE_H
#define WLK_INFER_SVM_COUPLE_H

#include <stdint.h>

/* Doubles that coupling works in, and about how many steps it takes, for so many classes:
 * saturated. */
uint64_t couple_doubles(uint64_t classes);
uint64_t couple_work(uint64_t classes);

/* How probable the first class of a pair is: 1 / (1 + e^(score a + b)), at least 1e-7 away
 * from 0 and 1; NaN counts as the least. */
double couple_pair(double score, double a, double b);

/* p [classes] from r [classes, classes], where r[i, j] is how probable class i is against
 * class j. scratch: couple_doubles of them, r may lie in none of it. */
void couple(const double *r, uint64_t classes, double *p, double *scratch);

#endif
