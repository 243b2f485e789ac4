/* scipy's distributions, which a search over options may hold: of no use here, and so opaque. But
 * scipy executes a text that lies in their state when Python loads them. A pickle that Weighlock
 * takes shall be harmless to whoever loads it elsewhere, too. */
#ifndef WLK_FORMATS_PICKLE_DISTRIBUTION_H
#define WLK_FORMATS_PICKLE_DISTRIBUTION_H

#include "formats/pickle/value.h"

/* Is it a state as scipy itself writes it for one of its distributions: a dict (since scipy 1.6;
 * scipy/stats/_distn_infrastructure.py, rv_generic.__setstate__) or (options, random numbers)? */
bool distribution_is_state(const py_value *state);

#endif
