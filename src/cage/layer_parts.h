/* The functions behind the rows of layers.c, by subject. Each returns 0 or errno;
 * an `apply` is followed by its `verify`. */
#ifndef WLK_CAGE_LAYER_PARTS_H
#define WLK_CAGE_LAYER_PARTS_H

#include "cage/layers.h"

/* process.c: descriptors, resource limits, flags of the process */
int descriptors_apply(cage *c);
int descriptors_verify(const cage *c);
int rlimits_apply(cage *c);
int rlimits_verify(const cage *c);
int oom_score_apply(cage *c);
int heap_apply(cage *c);
int heap_verify(const cage *c);
int no_new_privs_apply(cage *c);
int no_new_privs_verify(const cage *c);
int not_dumpable_apply(cage *c);
int not_dumpable_verify(const cage *c);
int parent_death_apply(cage *c);
int parent_death_verify(const cage *c);
int mdwe_apply(cage *c);
int mdwe_verify(const cage *c);
int speculation_apply(cage *c);
int speculation_verify(const cage *c);
int zero_rlimits_apply(cage *c);
int zero_rlimits_verify(const cage *c);

/* identity.c: capabilities and user */
int bounding_set_apply(cage *c);
int bounding_set_verify(const cage *c);
int ids_apply(cage *c);
int ids_verify(const cage *c);
int capabilities_apply(cage *c);
int capabilities_verify(const cage *c);
int regain_verify(const cage *c);

/* isolation.c: namespaces, root, Landlock, seccomp */
int pid_namespace_verify(const cage *c);
int namespaces_apply(cage *c);
int namespaces_verify(const cage *c);
int empty_root_apply(cage *c);
int empty_root_verify(const cage *c);
int landlock_apply(cage *c);
int landlock_verify(const cage *c);
int seccomp_apply(cage *c);

#endif
