/* An operator's policy: limits, trust and what is looked for in weights, in one
 * file that nobody else can change (weighlock-policy(5)).
 *
 *     [limits]
 *     file_bytes = 4294967296
 *     [trust]
 *     folder = /etc/weighlock/trust
 *     threshold = 2
 *     [audit]
 *     nan = refuse
 *     [pickle]
 *     mylibrary.steps.Marker = opaque
 */
#ifndef WEIGHLOCK_POLICY_H
#define WEIGHLOCK_POLICY_H

#include <weighlock/limits.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WLK_POLICY_PATH_BYTES 4096
#define WLK_POLICY_PICKLE_BYTES 8192

/* What is done about a remarkable thing that breaks no rule of the format. */
typedef enum wlk_action {
    WLK_IGNORE = 0, /* it is not looked for */
    WLK_REPORT = 1,
    WLK_REFUSE = 2
} wlk_action;

typedef struct wlk_policy {
    wlk_limits limits;                        /* [limits] NAME = NUMBER */
    char trust_folder[WLK_POLICY_PATH_BYTES]; /* [trust] folder = /PATH; "": the default one */
    uint32_t threshold;    /* [trust] threshold = N: distinct trusted keys that must have signed */
    int legacy_signatures; /* [trust] legacy = accept|refuse: minisign's, of the file unhashed */
    wlk_action nan;        /* [audit] nan = ignore|report|refuse */
    wlk_action infinity;   /* [audit] infinity = ignore|report|refuse */
    /* [pickle] MODULE.NAME = record|opaque: classes that a pickle may name besides those of
     * the built-in list, and that stay inert. In the order of the file, each as 1 (record) or 2
     * (opaque), the name's length, the name. */
    uint32_t pickle_bytes;
    uint8_t pickle[WLK_POLICY_PICKLE_BYTES];
} wlk_policy;

/* The defaults: policy/limits.policy, one signature, prehashed, NaN and infinity
 * reported. */
WLK_API void wlk_policy_default(wlk_policy *policy);

/* Reads a policy file over *policy: what the file does not name stays as it is. The
 * file belongs to root or to the caller and is writable by nobody else, else
 * policy.mode; text that is not exactly as it must be is policy.text with its
 * offset. On failure *policy is unchanged. */
WLK_API WLK_MUST_USE wlk_status wlk_policy_load(const char *path, wlk_policy *policy,
                                                wlk_error *error);

/* The same from memory. */
WLK_API WLK_MUST_USE wlk_status wlk_policy_parse(const char *text, uint64_t length,
                                                 wlk_policy *policy, wlk_error *error);

#ifdef __cplusplus
}
#endif
#endif
