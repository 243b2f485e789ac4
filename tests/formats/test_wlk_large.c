/* Headers of up to 16 MiB, each of the kind that costs the parser most: they are
 * accepted where all limits allow them, and refused at once where one does not.
 * Invariant 7: neither loops nor allocations are larger than what is there. */
#include "formats/wlk_case.h"

#define HEADER_LIMIT (16u << 20)

/* A graph of these nodes, in the notation's encoding, without tensors. */
static wlk_case graph_of(const wlk_buffer *nodes, uint64_t count) {
    wlk_text header = {.mark = WLK_TEXT_NO_MARK};
    wlk_buffer part = wlk_text_encode(
        "<84> graphs <91> <83> inputs [{name:x, type:{tensor:{dtype:u8}}}] nodes", NULL);
    wlk_buffer_add(&header.out, part.data, part.size);
    wlk_text_head(&header, count, 0x90, 15, 0xdc, 2);
    wlk_buffer_add(&header.out, nodes->data, nodes->size);
    free(part.data);
    part = wlk_text_encode("outputs [] kind a opset {'':1} tensors []", NULL);
    wlk_buffer_add(&header.out, part.data, part.size);
    assert_true(header.out.size <= HEADER_LIMIT);
    const wlk_case c = wlk_case_of(header.out.data, header.out.size, NULL, 0);
    free(part.data);
    free(header.out.data);
    return c;
}

static void add(wlk_buffer *nodes, const char *text) {
    wlk_buffer part = wlk_text_encode(text, NULL);
    wlk_buffer_add(nodes, part.data, part.size);
    free(part.data);
}

static void add_head(wlk_buffer *nodes, uint64_t count, uint8_t fix, uint8_t byte) {
    wlk_text head = {.mark = WLK_TEXT_NO_MARK};
    wlk_text_head(&head, count, fix, 15, byte, 2);
    wlk_buffer_add(nodes, head.out.data, head.out.size);
    free(head.out.data);
}

/* One node with a list of `count` small integers. */
static wlk_case ints(uint64_t count) {
    wlk_buffer node = {0};
    add(&node, "<84> attr <81> k <81> ints");
    add_head(&node, count, 0x90, 0xdc);
    for (uint64_t i = 0; i < count; i++) wlk_buffer_add(&node, "\1", 1);
    add(&node, "in [] op A out []");
    wlk_case c = graph_of(&node, 1);
    free(node.data);
    return c;
}

static wlk_case many_tensors(unsigned count) {
    wlk_buffer header = {0};
    add(&header, "<82> kind a tensors");
    add_head(&header, count, 0x90, 0xdc);
    for (unsigned i = 0; i < count; i++) {
        char text[400];
        (void)snprintf(text, sizeof text,
                       "{codec:raw, dtype:u8, name:%0160u, nbytes:0, offset:0, shape:[0]}", i);
        char *name = strstr(text, "name:") + 5;
        *name = 't'; /* a word, not a number */
        add(&header, text);
    }
    assert_in_range(header.size, count * 200u, HEADER_LIMIT);
    const wlk_case c = wlk_case_of(header.data, header.size, NULL, 0);
    free(header.data);
    return c;
}

/* A chain: each node takes what the one before gives. */
static wlk_case many_nodes(unsigned count) {
    wlk_buffer nodes = {0};
    add(&nodes, "{in:[x], op:Identity, out:[v0]}");
    for (unsigned i = 1; i < count; i++) {
        char text[100];
        (void)snprintf(text, sizeof text, "{in:[v%u], op:Identity, out:[v%u]}", i - 1, i);
        add(&nodes, text);
    }
    wlk_case c = graph_of(&nodes, count);
    free(nodes.data);
    return c;
}

/* Nodes with as many inputs as one may have, all of them omitted: one byte each. */
static wlk_case many_edges(unsigned count, unsigned edges) {
    wlk_buffer nodes = {0};
    for (unsigned i = 0; i < count; i++) {
        add(&nodes, "<83> in");
        add_head(&nodes, edges, 0x90, 0xdc);
        for (unsigned k = 0; k < edges; k++) wlk_buffer_add(&nodes, "\xa0", 1);
        add(&nodes, "op A out []");
    }
    wlk_case c = graph_of(&nodes, count);
    free(nodes.data);
    return c;
}

/* Values, that is, outputs of nodes with as many as one may have. */
static wlk_case many_values(unsigned count, unsigned outputs) {
    wlk_buffer nodes = {0};
    for (unsigned i = 0; i < count; i++) {
        add(&nodes, "<83> in [] op A out");
        add_head(&nodes, outputs, 0x90, 0xdc);
        for (unsigned k = 0; k < outputs; k++) {
            char text[16];
            (void)snprintf(text, sizeof text, "v%x", i * outputs + k);
            add(&nodes, text);
        }
    }
    wlk_case c = graph_of(&nodes, count);
    free(nodes.data);
    return c;
}

static wlk_case many_attributes(unsigned count) {
    wlk_buffer node = {0};
    add(&node, "<84> attr");
    add_head(&node, count, 0x80, 0xde);
    for (unsigned i = 0; i < count; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "a%07x <81> ints []", i);
        add(&node, text);
    }
    add(&node, "in [] op A out []");
    wlk_case c = graph_of(&node, 1);
    free(node.data);
    return c;
}

static void assert_accepted(wlk_case c, wlk_section section, uint32_t count) {
    wlk_case_parse(&c);
    if (c.status != WLK_OK) wlk_case_show(&c, "a large header");
    assert_int_equal(c.status, WLK_OK);
    assert_int_equal(wlk_model_count(c.model, section), count);
    wlk_case_free(&c);
}

static void a_list_of_four_million_integers_is_accepted(void **state) {
    (void)state;
    assert_accepted(ints(4194304), WLK_SECTION_NUMBERS, 4194305);
}

static void sixty_five_thousand_tensors_are_accepted(void **state) {
    (void)state;
    assert_accepted(many_tensors(65536), WLK_SECTION_TENSORS, 65536);
}

static void two_hundred_thousand_nodes_are_accepted(void **state) {
    (void)state;
    assert_accepted(many_nodes(262144), WLK_SECTION_NODES, 262144);
}

static void sixteen_million_edges_are_accepted(void **state) {
    (void)state;
    assert_accepted(many_edges(255, 65536), WLK_SECTION_EDGES, 255 * 65536);
}

static void a_million_values_are_accepted(void **state) {
    (void)state;
    assert_accepted(many_values(21, 49900), WLK_SECTION_VALUES, 21 * 49900 + 1);
}

static void a_million_attributes_are_accepted(void **state) {
    (void)state;
    assert_accepted(many_attributes(1000000), WLK_SECTION_ATTRIBUTES, 1000000);
}

/* Sixteen million integers would be 400 MB when unpacked. */
static void what_no_element_needs_is_refused_before_it_is_unpacked(void **state) {
    (void)state;
    wlk_case c = ints(HEADER_LIMIT - 200);
    wlk_case_parse(&c);
    assert_int_equal(c.status, WLK_LIMIT);
    assert_string_equal(wlk_rule_name(c.error.rule), "limit.element-objects");
    wlk_case_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_of_four_million_integers_is_accepted),
        cmocka_unit_test(sixty_five_thousand_tensors_are_accepted),
        cmocka_unit_test(two_hundred_thousand_nodes_are_accepted),
        cmocka_unit_test(sixteen_million_edges_are_accepted),
        cmocka_unit_test(a_million_values_are_accepted),
        cmocka_unit_test(a_million_attributes_are_accepted),
        cmocka_unit_test(what_no_element_needs_is_refused_before_it_is_unpacked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
