#include "base/memory.h"
#include "formats/pickle/machine_state.h"

static wlk_status too_little(const machine *m, wlk_error *error) {
    return machine_refuse(m, RULE_PICKLE_STACK, "too little lies on the stack", error);
}

/* How many values are out of reach. */
static uint32_t fence(const machine *m) {
    return m->mark_count > 0 ? m->marks[m->mark_count - 1] : 0;
}

#define FIRST_ROOM 256

/* Room for one more of `size` bytes. */
static wlk_status grow(const machine *m, void **list, uint32_t count, uint32_t *room, size_t size,
                       wlk_error *error) {
    if (count < *room) return WLK_OK;
    if (count >= m->p->limits->pickle_objects || count > UINT32_MAX / 4) {
        return machine_refuse(m, RULE_LIMIT_PICKLE_OBJECTS, "the stack", error);
    }
    const uint32_t more = *room > 0 ? 2 * *room : FIRST_ROOM;
    void *larger = mem_resize_array(*list, more, size);
    if (!larger) return error_at(error, RULE_INTERNAL_MEMORY, WLK_NO_OFFSET);
    *list = larger;
    *room = more;
    return WLK_OK;
}

wlk_status machine_push(machine *m, py_value *value, wlk_error *error) {
    TRY(grow(m, (void **)&m->stack, m->count, &m->room, sizeof *m->stack, error));
    m->stack[m->count++] = value;
    return WLK_OK;
}

wlk_status machine_top(const machine *m, uint32_t below, py_value **value, wlk_error *error) {
    if (m->count - fence(m) <= below) return too_little(m, error);
    *value = m->stack[m->count - 1 - below];
    return WLK_OK;
}

wlk_status machine_pop(machine *m, py_value **value, wlk_error *error) {
    TRY(machine_top(m, 0, value, error));
    m->count--;
    return WLK_OK;
}

wlk_status machine_mark(machine *m, wlk_error *error) {
    TRY(grow(m, (void **)&m->marks, m->mark_count, &m->mark_room, sizeof *m->marks, error));
    m->marks[m->mark_count++] = m->count;
    return WLK_OK;
}

wlk_status machine_pop_mark(machine *m, py_value *const **values, uint32_t *count,
                            wlk_error *error) {
    if (m->mark_count == 0) {
        return machine_refuse(m, RULE_PICKLE_STACK, "there is no mark", error);
    }
    const uint32_t first = m->marks[--m->mark_count];
    *values = m->stack ? m->stack + first : NULL;
    *count = m->count - first;
    m->count = first;
    return WLK_OK;
}

wlk_status machine_pop_many(machine *m, uint32_t count, py_value *const **values,
                            wlk_error *error) {
    if (m->count - fence(m) < count) return too_little(m, error);
    m->count -= count;
    *values = m->stack ? m->stack + m->count : NULL;
    return WLK_OK;
}

wlk_status machine_drop(machine *m, wlk_error *error) {
    py_value *value;
    if (m->mark_count > 0 && fence(m) == m->count) {
        m->mark_count--;
        return WLK_OK;
    }
    return machine_pop(m, &value, error);
}
