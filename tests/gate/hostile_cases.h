/* How child_hostile can misbehave. The number of a case travels in
 * limits.columns, which the real child has no use for, and a parameter in
 * limits.json_bytes. */
#ifndef TESTS_GATE_HOSTILE_CASES_H
#define TESTS_GATE_HOSTILE_CASES_H

#define HOSTILE_CASES(X)                                                               \
    X(good)                                                                            \
    /* what it says about the cage; the parameter is a layer's number */               \
    X(claims_layer) /* leaves it out and says that it holds */                         \
    X(admits_layer) /* leaves it out and says so */                                    \
    X(loses_layer)  /* leaves it out for files above HOSTILE_LARGE */                  \
    X(makes_dumpable)                                                                  \
    X(keeps_descriptor)                                                                \
    X(keeps_groups)                                                                    \
    X(keeps_saved_uid)                                                                 \
    X(takes_other_uid)                                                                 \
    X(adds_filter)                                                                     \
    X(adds_thread)                                                                     \
    /* leaves the layer out where its file comes with GO, and says so */               \
    X(waits_without_layer)                                                             \
    /* before HELLO */                                                                 \
    X(exits_0_at_once)                                                                 \
    X(exits_1_at_once)                                                                 \
    X(silent_at_once)                                                                  \
    X(stops_itself)                                                                    \
    X(kills_itself)                                                                    \
    X(crashes_at_once)                                                                 \
    X(data_before_hello)                                                               \
    X(refuse_before_hello)                                                             \
    X(end_before_hello)                                                                \
    /* instead of HELLO, or in it */                                                   \
    X(hello_build)                                                                     \
    X(hello_protocol)                                                                  \
    X(hello_magic)                                                                     \
    X(hello_sequence)                                                                  \
    X(hello_short)                                                                     \
    X(hello_long)                                                                      \
    X(hello_cut)                                                                       \
    X(hello_drips)                                                                     \
    X(hello_layer_count)                                                               \
    X(hello_layer_order)                                                               \
    X(hello_held_2)                                                                    \
    X(hello_unused)                                                                    \
    X(hello_twice)                                                                     \
    X(exits_0_after_hello)                                                             \
    X(exits_1_after_hello)                                                             \
    /* instead of reading GO, or while the file comes with it */                       \
    X(reads_no_go)                                                                     \
    X(ends_in_go)                                                                      \
    X(crashes_in_go)                                                                   \
    X(speaks_in_go)                                                                    \
    X(floods_in_go)                                                                    \
    /* after GO: frames */                                                             \
    X(sequence_skips)                                                                  \
    X(sequence_repeats)                                                                \
    X(sequence_restarts)                                                               \
    X(magic)                                                                           \
    X(type_zero)                                                                       \
    X(type_unknown)                                                                    \
    X(type_huge)                                                                       \
    X(type_order)                                                                      \
    X(type_go)                                                                         \
    X(type_hello)                                                                      \
    X(end_flags)                                                                       \
    X(end_length)                                                                      \
    X(header_cut)                                                                      \
    /* DATA */                                                                         \
    X(data_flags)                                                                      \
    X(data_empty)                                                                      \
    X(data_huge)                                                                       \
    X(data_not_raw)                                                                    \
    X(data_cut)                                                                        \
    X(data_long)                                                                       \
    X(data_short)                                                                      \
    X(raw_outside)                                                                     \
    X(raw_across_the_end)                                                              \
    X(raw_wraps)                                                                       \
    X(raw_altered_first)                                                               \
    X(raw_altered_last)                                                                \
    X(raw_from_elsewhere)                                                              \
    X(mapped)                                                                          \
    X(mapped_not_raw)                                                                  \
    X(mapped_misaligned)                                                               \
    X(mapped_outside)                                                                  \
    X(mapped_before_the_data)                                                          \
    X(mapped_too_long)                                                                 \
    X(mapped_all)                                                                      \
    X(sends_what_is_absent)                                                            \
    X(mapped_wraps)                                                                    \
    X(mapped_nothing)                                                                  \
    X(mapped_body_length)                                                              \
    X(mapped_cut)                                                                      \
    X(too_many_buffers)                                                                \
    X(too_much_output)                                                                 \
    X(endless_frames)                                                                  \
    X(endless_garbage)                                                                 \
    /* IMAGE; the parent validates it */                                               \
    X(image_huge)                                                                      \
    X(image_tiny)                                                                      \
    X(image_flags)                                                                     \
    X(image_cut)                                                                       \
    X(image_zero)                                                                      \
    X(image_garbage)                                                                   \
    X(image_garbage_hangs)                                                             \
    X(image_short)                                                                     \
    X(image_counts)                                                                    \
    X(image_other_file)                                                                \
    X(image_name_index)                                                                \
    X(image_buffer_index)                                                              \
    X(image_buffer_range)                                                              \
    X(image_edge)                                                                      \
    X(image_gap)                                                                       \
    X(image_unused_buffer)                                                             \
    X(image_missing_buffer)                                                            \
    X(image_swapped) /* which bytes are called which tensor: the child's to say */     \
    /* order and end */                                                                \
    X(image_twice)                                                                     \
    X(data_after_image)                                                                \
    X(no_image)                                                                        \
    X(no_end)                                                                          \
    X(end_twice)                                                                       \
    X(byte_after_end)                                                                  \
    X(flood_after_end)                                                                 \
    X(hangs_after_end)                                                                 \
    X(exits_1_after_end)                                                               \
    X(crashes_after_end)                                                               \
    X(calls_after_end)                                                                 \
    X(says_nothing)                                                                    \
    X(silent)                                                                          \
    X(drips)                                                                           \
    X(trickles)                                                                        \
    X(burns)                                                                           \
    /* REFUSE */                                                                       \
    X(refuses)                                                                         \
    X(refuses_after_image)                                                             \
    X(refuse_rule_zero)                                                                \
    X(refuse_rule_unknown)                                                             \
    X(refuse_other_verdict)                                                            \
    X(refuse_verdict_ok)                                                               \
    X(refuse_text_endless)                                                             \
    X(refuse_text_not_utf8)                                                            \
    X(refuse_text_behind_its_end)                                                      \
    X(refuse_length)                                                                   \
    X(refuse_cut)                                                                      \
    X(refuse_trailing)                                                                 \
    X(refuse_twice)                                                                    \
    X(refuse_floods)                                                                   \
    X(refuses_and_exits_1)                                                             \
    X(refuses_and_hangs)                                                               \
    /* in the middle of its work */                                                    \
    X(crashes)                                                                         \
    X(overflows_stack)                                                                 \
    X(traps)                                                                           \
    X(opens_file)                                                                      \
    X(reads_parent)                                                                    \
    X(writes_elsewhere)                                                                \
    /* those with a parameter, which are in tables of their own; frames are counted */ \
    /* from 0, HELLO is none of them */                                                \
    X(frame_stranger) /* BEND(before which, type): a whole frame more */               \
    X(frame_missing)  /* BEND(which, 0) */                                             \
    X(frame_twice)    /* BEND(which, 0) */                                             \
    X(frame_cut)      /* BEND(which, bytes of it that come), and exits with 0 */       \
    X(frame_long)     /* BEND(which, bytes that come behind it) */                     \
    X(frame_field)    /* BEND(which, BEND(enum bent_field, enum bent_value)) */        \
    X(ends_early)     /* BEND(behind how many, enum ending) */                         \
    X(floods_at_once)                                                                  \
    X(drips_slowly)                                                                    \
    X(image_change)  /* number of a change that is wrong: hostile_fields.h */          \
    X(empty_tensors) /* their number */                                                \
    X(mutates)       /* the seed: hostile_mutate.h */                                  \
    X(claims_format) /* its number, of a file of which it tells nothing else */        \
    /* what is accepted, since it breaks no rule: docs/threat-model.md */              \
    X(forges)         /* enum hostile_forgery */                                       \
    X(takes_its_time) /* milliseconds */                                               \
    X(refuses_with)   /* a rule's number */

#define HOSTILE_LARGE 8192u

/* Two numbers in one parameter; the first is below 256. */
#define BEND(first, second) ((uint64_t)(first) | (uint64_t)(second) << 8)

enum bent_field { BENT_magic, BENT_type, BENT_flags, BENT_length, BENT_sequence, BENT_argument };
enum bent_value { BENT_zero, BENT_one_more, BENT_one_less, BENT_high_bit, BENT_all_ones };
enum ending { ENDS_0, ENDS_1, ENDS_255, ENDS_in_crash, ENDS_in_trap, ENDS_in_call };

/* Well-formed models that are not what the file says. */
enum hostile_forgery {
    FORGE_other_dtype,
    FORGE_other_shape,
    FORGE_same_bytes,
    FORGE_left_out,
    FORGE_middle,
    FORGE_map_kinds,
    FORGE_graph,
    FORGE_metadata,
    FORGE_golden_rows,
    FORGE_finding,
    FORGE_hostile_text,
    /* what is refused: the byte map and the payloads do not agree */
    FORGE_called_padding,
    FORGE_in_two_ranges,
    FORGE_of_another,
    FORGE_outside
};

enum hostile_case {
#define HOSTILE_NUMBER(name) HOSTILE_##name,
    HOSTILE_CASES(HOSTILE_NUMBER)
#undef HOSTILE_NUMBER
        HOSTILE_COUNT
};

#endif
