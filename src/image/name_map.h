/* A map from names to numbers for names that somebody else chose.
 *
 * A crit-bit tree (D. J. Bernstein, https://cr.yp.to/critbit.html): a look-up
 * costs at most eight steps for each byte of the name, whatever names are in
 * the map, so there is nothing to flood as there is in a hash table. */
#ifndef WLK_IMAGE_NAME_MAP_H
#define WLK_IMAGE_NAME_MAP_H

#include <stdbool.h>
#include <stdint.h>

typedef struct name_map name_map;

/* A new map; NULL if there is no memory. */
name_map *name_map_new(void);
/* NULL is allowed. */
void name_map_free(name_map *map);

/* *value = what was set for the name; false if nothing was. */
bool name_map_get(const name_map *map, const char *name, uint32_t *value);

/* Sets the value of a name, which is copied; a value that was there is replaced.
 * False if there is no memory; then the map is as it was. */
bool name_map_set(name_map *map, const char *name, uint32_t value);

#endif
