/* What must hold of .npy files and archives of them, whatever they are made from. */
#ifndef WEIGHLOCK_FUZZ_CHECK_NPY_H
#define WEIGHLOCK_FUZZ_CHECK_NPY_H

#include <weighlock/model.h>

/* Writes an array that was read and reads it again: the same elements. Fails for want of
 * memory alone. */
wlk_status npy_check_written(const wlk_tensor *want, wlk_error *error);

/* Bytes as elements of a dtype that follows from `hash`, which NumPy need not have: as many
 * are put out as were laid out. */
void npy_check_layout(const uint8_t *data, size_t size, uint64_t hash);

/* Bytes as a tensor's name: a member of an archive is no path. */
wlk_status npy_check_member(const uint8_t *data, size_t size, wlk_error *error);

#endif
