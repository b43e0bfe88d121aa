/* Calls one of the kernel's functions with arrays from standard input, and writes them to standard output afterwards.

   So the kernel can be tried where no Python runs: compiled for another processor, or with a compiler's sanitizers,
   which see each array's end. All numbers are int64: which function, how many sizes, these, how many arrays, and of
   each its bytes before its content. */

#include <stdio.h>
#include <stdlib.h>

#include "writing.c"

void textgen_forward(const void *);
void textgen_backward(const void *);

enum { MOST = 64 };

static void take(void *target, size_t bytes) {
    if (fread(target, 1, bytes, stdin) != bytes) exit(2);
}

static int64_t number(void) {
    int64_t value;
    take(&value, sizeof value);
    return value;
}

/* sizes: layers, units, symbols, capacity, rows, predict. arrays: the table; of each layer and of the head its weights and
   its bias; codes, outputs, cells, fresh and logits. */
static void step(const int64_t *sizes, void **arrays) {
    ptrdiff_t layers = sizes[0], units = sizes[1];
    struct matrix matrices[MOST];
    for (ptrdiff_t layer = 0; layer <= layers; layer++)
        matrices[layer] = (struct matrix){
            layer % layers ? 2 * units : units,
            layer < layers ? units : sizes[2],
            arrays[1 + 2 * layer],
            arrays[2 + 2 * layer],
        };
    void **own = arrays + 3 + 2 * layers;
    struct network network = {layers, units, arrays[0], matrices, matrices[layers]};
    struct state state = {sizes[3], sizes[4], own[0], own[1], own[2], own[3], own[4]};
    textgen_step(&network, &state, sizes[5]);
}

/* The fields of `struct window` of training.c, in order: six sizes, and 17 arrays, of which an empty one is a null pointer. */
static void window(void (*function)(const void *), const int64_t *sizes, const int64_t *lengths, void **arrays) {
    struct {
        int64_t sizes[6];
        void *arrays[17];
    } fields;
    memcpy(fields.sizes, sizes, sizeof fields.sizes);
    for (int place = 0; place < 17; place++) fields.arrays[place] = lengths[place] ? arrays[place] : NULL;
    function(&fields);
}

int main(void) {
    int64_t function = number(), sizes[MOST], lengths[MOST], count = number();
    void *a[MOST];
    take(sizes, count * sizeof *sizes);
    count = number();
    for (int64_t place = 0; place < count; place++) {
        lengths[place] = number();
        a[place] = aligned_alloc(2, lengths[place]);
        take(a[place], lengths[place]);
    }
    if (function == 0) step(sizes, a);
    else window(function == 1 ? textgen_forward : textgen_backward, sizes, lengths, a);
    for (int64_t place = 0; place < count; place++) {
        fwrite(a[place], 1, lengths[place], stdout);
        free(a[place]);
    }
    return 0;
}
