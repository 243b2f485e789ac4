#include "input/csv_write.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "input/array.h"
#include "input/element.h"

/* A byte order mark at the start of a file is not part of its first field. */
static bool begins_with_mark(const char *text, uint64_t length) {
    return length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0;
}

static bool needs_quotes(const char *text, uint64_t length) {
    if (length == 0) return false;
    if (begins_with_mark(text, length)) return true;
    if (text[0] == ' ' || text[length - 1] == ' ') return true;
    for (uint64_t i = 0; i < length; i++) {
        if (text[i] == ',' || text[i] == '"' || text[i] == '\n' || text[i] == '\r') return true;
    }
    return false;
}

void csv_write_field(FILE *out, const char *text, uint64_t length) {
    if (!needs_quotes(text, length)) {
        (void)fwrite(text, 1, length, out);
        return;
    }
    (void)fputc('"', out);
    for (uint64_t i = 0; i < length; i++) {
        if (text[i] == '"') (void)fputc('"', out);
        (void)fputc(text[i], out);
    }
    (void)fputc('"', out);
}

/* printf uses the locale's decimal point; CSV has its own. */
static void write_double(FILE *out, double value) {
    char text[40];
    if (isnan(value)) {
        (void)fputs("nan", out);
        return;
    }
    (void)snprintf(text, sizeof text, "%.17g", value);
    const size_t digits = strspn(text, "-0123456789");
    if (text[digits] != '\0' && text[digits] != 'e' && text[digits] != 'i') text[digits] = '.';
    (void)fputs(text, out);
}

void csv_write_number(FILE *out, const wlk_tensor *tensor, uint64_t index) {
    const number value = element_get(tensor->dtype, tensor->data, index);
    if (value.is_integer) {
        (void)fprintf(out, "%s%" PRIu64, value.negative ? "-" : "", value.magnitude);
    } else {
        write_double(out, value.value);
    }
}

static void write_element(FILE *out, const wlk_tensor *tensor, uint64_t index) {
    uint64_t length;
    if (tensor->dtype != WLK_STR) {
        csv_write_number(out, tensor, index);
        return;
    }
    const char *text = input_array_string(tensor, index, &length);
    csv_write_field(out, text, length);
}

/* Elements of one row: the product of all dimensions but the first. */
static uint64_t columns_of(const wlk_tensor *tensor) {
    uint64_t columns = 1;
    for (uint32_t i = 1; i < tensor->rank; i++) columns *= tensor->shape[i];
    return columns;
}

static void write_names(FILE *out, const csv_output *output) {
    const uint64_t columns = columns_of(output->tensor);
    for (uint64_t i = 0; i < columns; i++) {
        char name[300];
        const char *text = name;
        if (output->column_names) {
            text = output->column_names[i];
        } else if (columns == 1) {
            text = output->name;
        } else {
            (void)snprintf(name, sizeof name, "%.256s_%" PRIu64, output->name, i);
        }
        if (i > 0) (void)fputc(',', out);
        csv_write_field(out, text, strlen(text));
    }
}

static void write_row(FILE *out, const csv_output *output, uint64_t row) {
    const uint64_t columns = columns_of(output->tensor);
    for (uint64_t i = 0; i < columns; i++) {
        if (i > 0) (void)fputc(',', out);
        write_element(out, output->tensor, row * columns + i);
    }
}

static void write_line(FILE *out, const csv_output *outputs, uint32_t count, uint64_t row,
                       bool names) {
    bool first = true;
    for (uint32_t i = 0; i < count; i++) {
        if (columns_of(outputs[i].tensor) == 0) continue;
        if (!first) (void)fputc(',', out);
        first = false;
        if (names) {
            write_names(out, &outputs[i]);
        } else {
            write_row(out, &outputs[i], row);
        }
    }
    (void)fputc('\n', out);
}

static wlk_status check_output(const csv_output *output, uint64_t rows, wlk_error *error) {
    const wlk_tensor *tensor = output->tensor;
    if (tensor->dtype != WLK_STR && !element_is_numeric(tensor->dtype)) {
        return error_text(error, RULE_INPUT_DTYPE, WLK_NO_OFFSET, "output \"%.128s\" is %s",
                          output->name, wlk_dtype_name(tensor->dtype));
    }
    if (tensor->rank >= 1 && tensor->shape[0] == rows) return WLK_OK;
    return error_text(error, RULE_INPUT_ROWS, WLK_NO_OFFSET, "output \"%.128s\"", output->name);
}

wlk_status csv_write(FILE *out, const csv_output *outputs, uint32_t count, bool header,
                     wlk_error *error) {
    const uint64_t rows =
        count > 0 && outputs[0].tensor->rank > 0 ? outputs[0].tensor->shape[0] : 0;
    for (uint32_t i = 0; i < count; i++) TRY(check_output(&outputs[i], rows, error));
    if (header) write_line(out, outputs, count, 0, true);
    for (uint64_t row = 0; row < rows; row++) write_line(out, outputs, count, row, false);
    if (fflush(out) != 0 || ferror(out)) return error_errno(error, RULE_INPUT_WRITE, errno, "CSV");
    return WLK_OK;
}
