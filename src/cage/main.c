/* weighlock-child: reads an ORDER, locks itself down, says HELLO, waits until the
 * parent has attested it, and only then looks at the artifact. After the filter
 * it makes three system calls: read(0), write(1), exit_group. */
#include <stdlib.h>
#include <unistd.h>

#include "cage/channel.h"
#include "cage/layers.h"
#include "cage/rehearse.h"
#include "formats/formats.h"

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#error "a build for fuzzing takes every signature and digest for right: no program is made of it"
#endif

/* Exit codes, for the parent's report. */
enum { EXIT_DONE = 0, EXIT_NO_ORDER = 10, EXIT_NOT_CONFINED = 11, EXIT_NO_GO = 12, EXIT_PIPE = 13 };

/* What the parent has verified as a .wlk file is parsed as one; nothing else is. */
static wlk_status choose_format(const cage *c, const format_row **format, wlk_error *error) {
    if (c->order.format == WIRE_FORMAT_WLK) {
        *format = format_find(WLK_FORMAT_WLK);
        return WLK_OK;
    }
    TRY(format_detect(c->snapshot, c->order.snapshot_bytes, format, error));
    return (*format)->id != WLK_FORMAT_WLK ? WLK_OK : error_at(error, RULE_FORMAT_UNKNOWN, 0);
}

/* Rows of the operator's policy, behind the order. */
static uint8_t policy[WIRE_MAX_POLICY];

static wlk_status parse(const cage *c, image_builder *builder, wlk_error *error) {
    const format_row *format;
    TRY(choose_format(c, &format, error));
    const format_input input = {.data = c->snapshot,
                                .size = c->order.snapshot_bytes,
                                .absent = c->order.file_bytes - c->order.snapshot_bytes,
                                .limits = &c->order.limits,
                                .pickle_rows = policy,
                                .pickle_rows_bytes = c->order.policy_length};
    image_format(builder, format->id);
    TRY(format->parse(&input, builder, error));
    return image_builder_status(builder, error);
}

/* The artifact becomes DATA frames and *image, or an error. */
static wlk_status build(const cage *c, channel *out, uint8_t **image, uint64_t *length,
                        wlk_error *error) {
    const image_sink sink = channel_sink(out);
    image_builder *builder = image_builder_new(&c->order.limits, &sink);
    if (!builder) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    wlk_status status = parse(c, builder, error);
    if (status == WLK_OK) {
        status = image_finish(builder, c->order.file_bytes, image, length, error);
    }
    image_builder_free(builder);
    return status;
}

/* All memory here is the heap, so there is no more of it because of its limit. */
static bool refuse(channel *out, const wlk_error *error) {
    wlk_error told = *error;
    if (told.rule == RULE_INTERNAL_MEMORY) told.rule = RULE_LIMIT_HEAP_BYTES;
    const wire_refuse body = wire_make_refuse(&told);
    return channel_fill(out) && channel_send(out, FRAME_REFUSE, &body, sizeof body);
}

static bool answer(const cage *c, channel *out) {
    uint8_t *image = NULL;
    uint64_t length = 0;
    wlk_error error = {0};
    if (c->snapshot == NULL)
        return refuse(
            out, &(wlk_error){.status = rule_status(RULE_FORMAT_EMPTY), .rule = RULE_FORMAT_EMPTY});
    if (build(c, out, &image, &length, &error) != WLK_OK) return refuse(out, &error);
    return channel_send(out, FRAME_IMAGE, image, length) && channel_send(out, FRAME_END, NULL, 0);
}

int main(void) {
    static cage c;
    static channel out;
    wire_hello hello;
    if (channel_read_order(&c.order, policy, NULL) != WLK_OK) _exit(EXIT_NO_ORDER);
    c.privileged = geteuid() == 0;
    out.transport = c.order.transport;
    const bool confined = cage_lock_down(&c, &hello);
    if (!channel_send(&out, FRAME_HELLO, &hello, sizeof hello) || !channel_flush(&out)) {
        _exit(EXIT_PIPE);
    }
    if (!confined) _exit(EXIT_NOT_CONFINED);
    rehearse(&c.order.limits);
    if (!channel_wait_go(&c)) _exit(EXIT_NO_GO);
    const bool sent = answer(&c, &out) && channel_flush(&out);
    _exit(sent ? EXIT_DONE : EXIT_PIPE);
}
