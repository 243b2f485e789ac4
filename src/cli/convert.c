/* weighlock convert: a model of any format that is read goes out as .wlk, .npz or ONNX. */
#include "cli/convert.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <weighlock/memory.h>
#include <weighlock/write.h>

#include "cli/output.h"
#include "cli/progress.h"
#include "input/npz_write.h"

/* ---- what is asked for */

static bool ends_with(const char *text, const char *end) {
    const size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

static wlk_status choose_form(conversion *x, wlk_error *error) {
    static const char *const names[] = {
        [FORM_WLK] = "wlk", [FORM_NPZ] = "npz", [FORM_ONNX] = "onnx"};
    const char *text = x->c->options.value[OPTION_TO];
    unsigned choice = FORM_WLK;
    if (ends_with(x->out, ".npz")) choice = FORM_NPZ;
    if (ends_with(x->out, ".onnx")) choice = FORM_ONNX;
    if (text) TRY(options_choice(OPTION_TO, text, names, 3, &choice, error));
    x->form = (output_form)choice;
    return WLK_OK;
}

/* What only a .wlk file can hold is not silently left out of another. */
static wlk_status check_form(const conversion *x, wlk_error *error) {
    static const option_id wlk_only[] = {OPTION_SIGN, OPTION_COMPRESS, OPTION_GOLDEN};
    if (x->form == FORM_WLK) return WLK_OK;
    for (size_t i = 0; i < sizeof wlk_only / sizeof *wlk_only; i++) {
        if (!option_given(&x->c->options, wlk_only[i])) continue;
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET,
                          "%s goes with a .wlk file: there is no place for it in .npz and .onnx",
                          option_rows[wlk_only[i]].name);
    }
    return WLK_OK;
}

static wlk_status take_options(conversion *x, wlk_error *error) {
    TRY(cli_model_output(x->c, &x->out, error));
    if (!x->out) {
        return error_text(error, RULE_CLI_USAGE, WLK_NO_OFFSET, "convert needs --output FILE");
    }
    TRY(choose_form(x, error));
    TRY(check_form(x, error));
    return options_policy(&x->c->options, &x->policy, error);
}

/* ---- the model */

/* The file is copied once and sealed: what is parsed is what the digest is of. */
static wlk_status take_copy(conversion *x, wlk_error *error) {
    int fd;
    uint64_t size;
    TRY(snapshot_open_path(x->in, &fd, error));
    wlk_status status = snapshot_measure(fd, x->policy.limits.file_bytes, &size, error);
    if (status == WLK_OK) {
        status = snapshot_take(fd, x->policy.limits.snapshot_bytes, &x->copy, error);
    }
    (void)close(fd);
    return status;
}

static wlk_status load_copy(conversion *x, wlk_error *error) {
    cli_file file;
    TRY(take_copy(x, error));
    TRY(cli_file_of(x->c, x->in, &file, error));
    wlk_evidence *evidence = &file.artifact.evidence;
    file.artifact.path = NULL;
    file.artifact.fd = x->copy.fd;
    TRY(wlk_signatures_beside(x->in, x->trust, &x->beside, &evidence->signature_count, error));
    evidence->signatures = x->beside;
    return wlk_gate_load(x->gate, &file.artifact, &x->model, &x->report, error);
}

static wlk_status load(conversion *x, wlk_error *error) {
    progress shown;
    const bool allow_unsigned = option_given(&x->c->options, OPTION_ALLOW_UNSIGNED);
    TRY(cli_gate(x->c, allow_unsigned, &x->gate, &x->trust, error));
    x->subject = x->in;
    progress_start(&shown, x->in, cli_json(x->c));
    const wlk_status status = load_copy(x, error);
    progress_stop(&shown);
    return status;
}

/* ---- writing */

static wlk_status put_stream(void *context, const void *bytes, uint64_t length, wlk_error *error) {
    return output_put(context, bytes, length, error);
}

static wlk_status put_tensors(const conversion *x, npz_writer *npz, wlk_error *error) {
    for (uint32_t i = 0; i < wlk_model_count(x->model, WLK_SECTION_TENSORS); i++) {
        const wlk_tensor tensor = wlk_model_tensor(x->model, i);
        npy_layout layout;
        TRY(npy_layout_of(&tensor, x->policy.limits.output_bytes, &layout, error));
        TRY(npz_add(npz, &tensor, &layout, error));
    }
    return npz_finish(npz, error);
}

static wlk_status write_npz(const conversion *x, wlk_error *error) {
    output to;
    TRY(output_open(x->out, &to, error));
    const npy_output put = {&to, put_stream};
    npz_writer *npz = npz_new(&put);
    const wlk_status status =
        npz ? put_tensors(x, npz, error) : error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    npz_free(npz);
    return output_close(&to, status, error);
}

static wlk_status write_wlk(conversion *x, const wlk_golden *golden, wlk_error *error) {
    source_edits edits;
    wlk_write_options options = {.compress = option_given(&x->c->options, OPTION_COMPRESS),
                                 .golden = golden};
    TRY(source_edits_make(x, &edits, error));
    options.edits = edits.edits;
    options.edit_count = edits.count;
    return cli_write_model(x->c, x->model, options, OPTION_SIGN, x->out, &x->signer, error);
}

static wlk_status write_out(conversion *x, wlk_error *error) {
    if (x->form == FORM_NPZ) return write_npz(x, error);
    if (x->form == FORM_ONNX) return wlk_write_onnx_path(x->model, x->out, error);
    if (!option_given(&x->c->options, OPTION_GOLDEN)) return write_wlk(x, NULL, error);
    return convert_with_golden(x, write_wlk, error);
}

static wlk_status convert(conversion *x, wlk_error *error) {
    uint64_t size;
    TRY(take_options(x, error));
    TRY(load(x, error));
    TRY(write_out(x, error));
    x->subject = x->out;
    TRY(cli_size_of(x->out, &size, error));
    if (x->form == FORM_WLK || cli_json(x->c)) {
        const bool is_signed = option_given(&x->c->options, OPTION_SIGN);
        cli_print_written(x->c, x->out, size, is_signed ? &x->signer : NULL);
    } else {
        cli_print_safe(x->out);
        (void)printf(": wrote %llu bytes\n", (unsigned long long)size);
    }
    return WLK_OK;
}

int verb_convert(const cli *c) {
    conversion x = {.c = c, .in = c->options.operands[0], .copy = SNAPSHOT_NONE};
    wlk_error error = {.offset = WLK_NO_OFFSET};
    const wlk_status status = convert(&x, &error);
    if (error.rule == RULE_WRITE_TARGET || error.rule == RULE_WRITE_FAILED) x.subject = NULL;
    if (status != WLK_OK) (void)cli_fail(c, x.subject, &error);
    wlk_model_free(x.model);
    wlk_free(x.beside);
    snapshot_drop(&x.copy);
    wlk_gate_close(x.gate);
    wlk_trust_free(x.trust);
    return (int)status;
}
