/* Writing .npz: a zip archive (APPNOTE.TXT 6.3.10) of .npy files, as numpy.load reads it.
 * Members are stored, not compressed; ZIP64 where a size, a place or the number of members
 * needs it; no clock, so that the same tensors give the same bytes. Memory is a few dozen
 * bytes and the name of each member. */
#ifndef WLK_INPUT_NPZ_WRITE_H
#define WLK_INPUT_NPZ_WRITE_H

#include "input/npy_layout.h"

typedef struct npz_writer npz_writer;

/* A new archive; NULL if there is no memory. `output` must outlive it. */
npz_writer *npz_new(const npy_output *output);
/* NULL is allowed. */
void npz_free(npz_writer *npz);

/* Adds a tensor as NAME.npy, its name made harmless (npz_member_name), which no other
 * member has. Its bytes are gone through twice: for their CRC, and to put them out. */
WLK_MUST_USE wlk_status npz_add(npz_writer *npz, const wlk_tensor *tensor, const npy_layout *layout,
                                wlk_error *error);

/* Puts out what a zip archive ends with. Nothing can be added afterwards. */
WLK_MUST_USE wlk_status npz_finish(npz_writer *npz, wlk_error *error);

/* What the member of a tensor is called, without ".npy": its name, in which every byte
 * but A-Z a-z 0-9 . _ - stands as % and two upper-case hexadecimal digits, and so do a
 * dot at the beginning and that of ".npy" at the end; "%" for no name at all. So
 * it is never a path, two names never give the same, and urllib.parse.unquote gives the
 * tensor's name. The caller frees it (mem_free); NULL if there is no memory. */
char *npz_member_name(const char *name);

#endif
