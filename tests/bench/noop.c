/* The yardstick of a cold load: a static program that does nothing. */
int main(void) {
    return 0;
}
