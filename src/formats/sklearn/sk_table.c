#include <string.h>

#include "base/checked.h"
#include "formats/sklearn/sk_internal.h"

/* ---- making tables */

static wlk_status new_table(sk *s, uint32_t blocks, sk_table *out) {
    *out = (sk_table){.blocks = sk_take(s, blocks, sizeof(sk_block))};
    return out->blocks ? WLK_OK : sk_no_memory(s);
}

/* The blocks have been taken for all that come. */
static wlk_status add_block(sk *s, sk_table *table, const sk_block *block) {
    uint64_t columns;
    if (block->columns == 0) return WLK_OK;
    if (!checked_add(table->columns, block->columns, &columns) || columns > s->limits->columns) {
        return sk_refuse(s, RULE_LIMIT_COLUMNS, NULL, "%llu", (unsigned long long)columns);
    }
    sk_block *slot = &table->blocks[table->block_count++];
    *slot = *block;
    slot->first = table->columns;
    table->columns = (uint32_t)columns;
    return WLK_OK;
}

wlk_status sk_table_of(sk *s, sk_name value, wlk_dtype dtype, uint32_t columns, sk_table *out) {
    const sk_block block = {.value = value, .columns = columns, .dtype = dtype};
    TRY(new_table(s, 1, out));
    return add_block(s, out, &block);
}

wlk_status sk_table_inputs(sk *s, sk_table *out) {
    const uint32_t count = s->inputs->count;
    uint32_t *columns = sk_take(s, count, sizeof *columns);
    if (!columns) return sk_no_memory(s);
    for (uint32_t i = 0; i < count; i++) columns[i] = i;
    const sk_block block = {.columns = count, .inputs = columns};
    TRY(new_table(s, 1, out));
    return add_block(s, out, &block);
}

wlk_status sk_table_join(sk *s, const sk_table *tables, uint32_t count, sk_table *out) {
    uint64_t blocks = 0;
    for (uint32_t i = 0; i < count; i++) blocks += tables[i].block_count;
    if (blocks > s->limits->columns) {
        return sk_refuse(s, RULE_LIMIT_COLUMNS, NULL, "%llu", (unsigned long long)blocks);
    }
    TRY(new_table(s, (uint32_t)blocks, out));
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < tables[i].block_count; k++) {
            TRY(add_block(s, out, &tables[i].blocks[k]));
        }
    }
    return WLK_OK;
}

/* The block that a column is of: the last one that does not begin behind it. */
static const sk_block *block_of(const sk_table *table, uint32_t column) {
    uint32_t low = 0, high = table->block_count - 1;
    while (low < high) {
        const uint32_t middle = high - (high - low) / 2;
        if (table->blocks[middle].first <= column) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return &table->blocks[low];
}

static bool is_identity(const uint32_t *list, uint32_t count, uint32_t of) {
    if (count != of) return false;
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] != i) return false;
    }
    return true;
}

/* What is left of a block when these of its columns are taken; `places` are in the arena. */
static wlk_status pick_block(sk *s, const sk_block *block, uint32_t *places, uint32_t count,
                             sk_block *out) {
    *out = *block;
    out->columns = count;
    if (is_identity(places, count, block->columns)) return WLK_OK;
    if (block->value) return sk_gather(s, block->value, places, count, &out->value);
    for (uint32_t i = 0; i < count; i++) places[i] = block->inputs[places[i]];
    out->inputs = places;
    return WLK_OK;
}

/* Columns that follow each other and are of one block become one. */
wlk_status sk_table_pick(sk *s, const sk_table *table, const uint32_t *columns, uint32_t count,
                         sk_table *out) {
    uint32_t *places = sk_take(s, count, sizeof *places);
    if (!places) return sk_no_memory(s);
    TRY(new_table(s, count, out));
    for (uint32_t i = 0, next; i < count; i = next) {
        const sk_block *block = block_of(table, columns[i]);
        sk_block picked;
        for (next = i; next < count && columns[next] - block->first < block->columns; next++) {
            places[next] = columns[next] - block->first;
        }
        TRY(pick_block(s, block, places + i, next - i, &picked));
        TRY(add_block(s, out, &picked));
    }
    return WLK_OK;
}

/* ---- how the model's own columns are read */

static wlk_status read_as(sk *s, const uint32_t *columns, uint32_t count, sk_column_use use) {
    uint8_t *uses = s->inputs->use;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t column = columns[i];
        if (uses[column] > SK_COLUMN_SEEN && uses[column] != use) {
            return sk_refuse(s, RULE_SKLEARN_COLUMN, NULL,
                             "'%.64s' is read as numbers and as texts", s->inputs->names[column]);
        }
        uses[column] = (uint8_t)use;
    }
    return WLK_OK;
}

void sk_table_seen(sk *s, const sk_table *table) {
    uint8_t *uses = s->inputs->use;
    for (uint32_t i = 0; i < table->block_count; i++) {
        const sk_block *block = &table->blocks[i];
        for (uint32_t k = 0; !block->value && k < block->columns; k++) {
            uint8_t *use = &uses[block->inputs[k]];
            if (*use == SK_COLUMN_UNREAD) *use = SK_COLUMN_SEEN;
        }
    }
}

/* A CSV file that the estimator was fitted with also has the columns that it drops, whatever
 * they hold: if any is known by name, each column is an input of its own. */
bool sk_inputs_apart(const sk *s) {
    const sk_inputs *inputs = s->inputs;
    for (uint32_t i = 0; i < inputs->count; i++) {
        if (inputs->use[i] == SK_COLUMN_TEXTS) return true;
        if (inputs->use[i] == SK_COLUMN_UNREAD && inputs->named) return true;
    }
    return false;
}

wlk_dtype sk_inputs_dtype(const sk *s, uint32_t column) {
    const uint8_t use = s->inputs->use[column];
    return use == SK_COLUMN_TEXTS || use == SK_COLUMN_UNREAD ? WLK_STR : WLK_F64;
}

wlk_dtype sk_table_dtype(const sk *s, const sk_table *table, uint32_t column) {
    const sk_block *block = block_of(table, column);
    if (block->value) return block->dtype == WLK_STR ? WLK_STR : WLK_F64;
    const uint8_t use = s->inputs->use[block->inputs[column - block->first]];
    if (use <= SK_COLUMN_SEEN) return WLK_DTYPE_NONE;
    return use == SK_COLUMN_TEXTS ? WLK_STR : WLK_F64;
}

/* Whether the table's columns are the model's own from the first on, which they are mostly. */
static bool is_inputs(const sk_table *table, uint32_t column) {
    const sk_block *block = &table->blocks[0];
    return column < block->columns && block->inputs[column] == column;
}

uint32_t sk_table_find(const sk *s, const sk_table *table, const py_text *name) {
    char text[1024];
    uint32_t column;
    if (name->length >= sizeof text || memchr(name->data, 0, name->length)) return WLK_NONE;
    memcpy(text, name->data, name->length);
    text[name->length] = '\0';
    if (!s->inputs->named || !name_map_get(s->inputs->places, text, &column)) return WLK_NONE;
    for (uint32_t i = 0; i < table->block_count; i++) {
        if (table->blocks[i].value) return WLK_NONE;
    }
    if (table->block_count > 0 && is_inputs(table, column)) return column;
    for (uint32_t i = 0; i < table->block_count; i++) {
        const sk_block *block = &table->blocks[i];
        for (uint32_t k = 0; k < block->columns; k++) {
            if (block->inputs[k] == column) return block->first + k;
        }
    }
    return WLK_NONE;
}

/* ---- tables as values */

static sk_kept_table *kept(sk *s, const sk_table *table) {
    sk_inputs *inputs = s->inputs;
    for (uint32_t i = 0; i < SK_TABLES_KEPT && i < inputs->kept_count; i++) {
        if (inputs->kept[i].blocks == table->blocks) return &inputs->kept[i];
    }
    sk_kept_table *slot = &inputs->kept[inputs->kept_count++ % SK_TABLES_KEPT];
    *slot = (sk_kept_table){.blocks = table->blocks};
    return slot;
}

static wlk_status block_numbers(sk *s, const sk_block *block, sk_name *out) {
    *out = block->value;
    if (!block->value) {
        TRY(read_as(s, block->inputs, block->columns, SK_COLUMN_NUMBERS));
        return sk_columns_value(s, block->inputs, block->columns, out);
    }
    if (block->dtype == WLK_F64) return WLK_OK;
    if (block->dtype != WLK_STR) return sk_cast(s, block->value, WLK_F64, out);
    return sk_refuse(s, RULE_SKLEARN_COLUMN, NULL, "column %u holds texts, not numbers",
                     block->first);
}

static wlk_status make_numbers(sk *s, const sk_table *table, sk_name *out) {
    sk_name *parts = sk_take(s, table->block_count, sizeof *parts);
    if (!parts) return sk_no_memory(s);
    if (table->columns == 0) {
        return sk_refuse(s, RULE_SKLEARN_SHAPE, NULL, "it is given no columns");
    }
    for (uint32_t i = 0; i < table->block_count; i++) {
        TRY(block_numbers(s, &table->blocks[i], &parts[i]));
    }
    return sk_concat(s, parts, table->block_count, out);
}

wlk_status sk_table_numbers(sk *s, const sk_table *table, sk_name *out) {
    sk_kept_table *slot = kept(s, table);
    if (!slot->numbers) TRY(make_numbers(s, table, &slot->numbers));
    *out = slot->numbers;
    return WLK_OK;
}

wlk_status sk_table_singles(sk *s, const sk_table *table, sk_name *out) {
    sk_name numbers;
    TRY(sk_table_numbers(s, table, &numbers));
    sk_kept_table *slot = kept(s, table);
    if (!slot->singles) TRY(sk_cast(s, numbers, WLK_F32, &slot->singles));
    *out = slot->singles;
    return WLK_OK;
}

/* One column as a table. */
static wlk_status single(sk *s, const sk_table *table, uint32_t column, sk_block *out) {
    const sk_block *block = block_of(table, column);
    uint32_t *place = sk_take(s, 1, sizeof *place);
    if (!place) return sk_no_memory(s);
    *place = column - block->first;
    TRY(pick_block(s, block, place, 1, out));
    out->first = column;
    return WLK_OK;
}

wlk_status sk_table_column(sk *s, const sk_table *table, uint32_t column, sk_name *out) {
    sk_block block;
    TRY(single(s, table, column, &block));
    return block_numbers(s, &block, out);
}

wlk_status sk_table_texts(sk *s, const sk_table *table, uint32_t column, sk_name *out) {
    sk_block block;
    TRY(single(s, table, column, &block));
    *out = block.value;
    if (!block.value) {
        TRY(read_as(s, block.inputs, 1, SK_COLUMN_TEXTS));
        return sk_columns_value(s, block.inputs, 1, out);
    }
    if (block.dtype == WLK_STR) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_COLUMN, NULL, "column %u holds numbers, not texts", column);
}

/* ---- the empty text */

static uint8_t *empty_of(const sk *s, const sk_table *table, uint32_t column) {
    const sk_block *block = block_of(table, column);
    return block->value ? block->empty : &s->inputs->empty[block->inputs[column - block->first]];
}

wlk_status sk_table_made_of(sk *s, sk_name value, const sk_table *table, uint32_t column,
                            sk_table *out) {
    TRY(sk_table_of(s, value, WLK_STR, 1, out));
    out->blocks[0].empty = empty_of(s, table, column);
    return WLK_OK;
}

wlk_status sk_table_empty(sk *s, const sk_table *table, uint32_t column, sk_empty as) {
    uint8_t *empty = empty_of(s, table, column);
    if (!empty) return WLK_OK;
    *empty |= (uint8_t)as;
    if (*empty != (SK_EMPTY_MISSING | SK_EMPTY_KNOWN)) return WLK_OK;
    return sk_refuse(s, RULE_SKLEARN_VALUE, NULL,
                     "column %u: the empty text is one of its values, and stands for a missing one",
                     column);
}
