/* NaN and infinity among a model's weights: counted by this process, from the verified
 * bytes, whatever the child said; refused where the policy says so. */
#ifndef WLK_GATE_WEIGHTS_H
#define WLK_GATE_WEIGHTS_H

#include <weighlock/load.h>

#include "base/error.h"

/* Looks once at each tensor that can hold such values, unless the policy ignores both,
 * on `threads` threads (the caller's counts; 0 means 1). *found has what the policy
 * does not ignore, also on failure: audit.nan, audit.infinity with the tensor's name
 * and the place of the first such element in the file. Tensors that share bytes are
 * looked at for each: together at most limits.output_bytes. */
wlk_status weights_audit(const wlk_model *model, const wlk_policy *policy, uint32_t threads,
                         wlk_nonfinite *found, wlk_error *error);

/* The same for one tensor with its data, which lie at file_offset. */
wlk_status weights_audit_tensor(const wlk_tensor *tensor, uint64_t file_offset,
                                const wlk_policy *policy, wlk_error *error);

#endif
