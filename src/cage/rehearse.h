/* Parses a tiny model of our own while the parent attests. A fresh process pays
 * for the first use of every page of its code; here that is done in time that
 * would be spent waiting, so that the real artifact finds the parser warm. */
#ifndef WLK_CAGE_REHEARSE_H
#define WLK_CAGE_REHEARSE_H

#include <weighlock/limits.h>

/* Leaves nothing behind but freed memory; what it finds does not matter. */
void rehearse(const wlk_limits *limits);

#endif
