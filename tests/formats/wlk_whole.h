/* The small file that tests alter (formats/wlk_text_whole.h), and what they share
 * (formats/wlk_case.h). */
#ifndef TESTS_FORMATS_WLK_WHOLE_H
#define TESTS_FORMATS_WLK_WHOLE_H

#include "formats/wlk_case.h"
#include "formats/wlk_text_whole.h"

#endif
