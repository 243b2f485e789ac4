#include "gate/artifact.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/memory.h"
#include "gate/snapshot.h"
#include "trust/trust_set.h"

wlk_status artifact_open(const wlk_artifact *artifact, int *fd, wlk_error *error) {
    if (artifact->path) return snapshot_open_path(artifact->path, fd, error);
    *fd = fcntl(artifact->fd, F_DUPFD_CLOEXEC, 3);
    return *fd >= 0 ? WLK_OK : error_errno(error, RULE_GATE_READ, errno, "descriptor");
}

static wlk_status join(const wlk_evidence *own, uint32_t beside, evidence *out, wlk_error *error) {
    uint32_t count;
    if (__builtin_add_overflow(own->signature_count, beside, &count)) {
        return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    }
    out->joined = mem_resize_array(NULL, count, sizeof *out->joined);
    if (!out->joined) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    memcpy(out->joined, own->signatures, own->signature_count * sizeof *out->joined);
    memcpy(out->joined + own->signature_count, out->beside, beside * sizeof *out->joined);
    out->all.signatures = out->joined;
    out->all.signature_count = count;
    return WLK_OK;
}

wlk_status evidence_collect(const wlk_artifact *artifact, const wlk_trust *trust, evidence *out,
                            wlk_error *error) {
    uint32_t beside = 0;
    *out = (evidence){.all = artifact->evidence};
    if (artifact->path) {
        TRY(wlk_signatures_beside(artifact->path, trust, &out->beside, &beside, error));
    }
    if (beside == 0) return WLK_OK;
    if (out->all.signature_count > 0) return join(&artifact->evidence, beside, out, error);
    out->all.signatures = out->beside;
    out->all.signature_count = beside;
    return WLK_OK;
}

void evidence_drop(evidence *e) {
    mem_free(e->beside);
    mem_free(e->joined);
    *e = (evidence){0};
}

bool evidence_has_known_key(const evidence *e, const wlk_trust *trust) {
    for (uint32_t i = 0; i < e->all.signature_count; i++) {
        if (trust_find(trust, e->all.signatures[i].key_id)) return true;
    }
    return false;
}

void artifact_clear_outputs(wlk_load_report *report, wlk_error *error) {
    *report = (wlk_load_report){.nonfinite = {.tensor = WLK_NONE}};
    *error = (wlk_error){.offset = WLK_NO_OFFSET};
}
