/* One LSTM's loop over time and its gradient, as training/recurrence.py describes them.

   A step's product has few rows, and TensorFlow reaches half of the processor's speed with so few. Here the weights are
   arranged once a window, a row of them serves a block of streams, whose sums stay in registers, and the gates are
   computed where the sums are.

   The factors of the products are float32, or pairs of bfloat16 where the processor multiplies these; sums, states and
   gates are float32. */

#include "vectors.h"

#ifdef __AVX512BF16__
#include <immintrin.h>

typedef uint32_t Factor; /* the numbers of two rows, the first in the low half */
typedef Words Factors;
enum { ROWS = 2 };

/* To the nearest bfloat16, ties to even, in the upper half. */
INLINE Words rounded(Floats values) {
    Words bits = (Words)values;
    return (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
}

INLINE Factors join(Floats first, Floats second) { return rounded(first) >> 16 | rounded(second); }

INLINE Floats add_product(Floats sum, Factor x, Factors weights) {
    return (Floats)_mm256_dpbf16_ps((__m256)sum, (__m256bh)_mm256_set1_epi32(x), (__m256bh)weights);
}

/* A row of numbers, side by side, to factors; a last, odd one is joined with zero. */
INLINE void convert(ptrdiff_t count, const float *source, Factor *factors) {
    for (ptrdiff_t place = 0; place < count; place += LANES, factors += LANES / ROWS) {
        __m128bh halves = _mm256_cvtneps_pbh((__m256)load(source + place, count - place));
        memcpy(factors, &halves, at_most(parts_of(count - place, ROWS) * sizeof *factors, sizeof halves));
    }
}
#else
typedef float Factor;
typedef Floats Factors;
enum { ROWS = 1 };

INLINE Factors join(Floats first, Floats second) { return (void)second, first; }

INLINE Floats add_product(Floats sum, Factor x, Factors weights) { return sum + x * weights; }

INLINE void convert(ptrdiff_t count, const float *source, Factor *factors) {
    memcpy(factors, source, count * sizeof *factors);
}
#endif

/* Call for all streams, by blocks: how many they are must be a constant, or their sums would not stay in registers. */
#define FOR_BLOCKS(streams, call, ...)                                                                      \
    for (ptrdiff_t first = 0, next; first < (streams); first = next) {                                      \
        next = first + (first + BLOCK <= (streams) ? BLOCK : 1);                                            \
        if (next == first + BLOCK) call(BLOCK, first, __VA_ARGS__);                                         \
        else call(1, first, __VA_ARGS__);                                                                   \
    }

/* A matrix (streams, rows) to left factors (streams, rows / ROWS). */
INLINE void convert_all(ptrdiff_t streams, ptrdiff_t rows, const float *source, Factor *factors) {
    for (ptrdiff_t stream = 0; stream < streams; stream++)
        convert(rows, source + stream * rows, factors + stream * parts_of(rows, ROWS));
}

/* Arrange a recurrent kernel (H, 4H) for outputs times kernel: (panels of eight units, H / ROWS, i, f, c and o). */
INLINE void arrange(ptrdiff_t units, const float *kernel, Factor *arranged) {
    ptrdiff_t width = PARTS * units;
    for (ptrdiff_t unit = 0; unit < units; unit += LANES)
        for (ptrdiff_t row = 0; row < units; row += ROWS)
            for (int gate = 0; gate < PARTS; gate++, arranged += LANES) {
                const float *source = kernel + row * width + gate * units + unit;
                Floats second = row + 1 < units ? load(source + width, units - unit) : all(0);
                Factors factors = join(load(source, units - unit), second);
                memcpy(arranged, &factors, sizeof factors);
            }
}

/* Arrange its left factors (H, 4H / ROWS) for gates times its transpose: (panels of 32 units, 4H / ROWS, 32). */
INLINE void transpose(ptrdiff_t units, const Factor *kernel, Factor *arranged) {
    ptrdiff_t width = PARTS * units / ROWS;
    for (ptrdiff_t first = 0; first < units; first += PANEL)
        for (ptrdiff_t row = 0; row < width; row++, arranged += PANEL)
            for (ptrdiff_t unit = 0; unit < PANEL; unit++)
                arranged[unit] = first + unit < units ? kernel[(first + unit) * width + row] : 0;
}

/* Add to the sums of `count` streams their rows of x times one panel of weights; both have `rows` rows of factors. */
INLINE void multiply(ptrdiff_t count, const Factor *x, ptrdiff_t rows, const Factor *weights, Floats sums[][PARTS]) {
    for (int start = 0; start < PARTS; start += WIDE)
        for (ptrdiff_t row = 0; row < rows; row++) {
            Factors parts[WIDE];
            for (int part = 0; part < WIDE; part++)
                memcpy(&parts[part], weights + row * PANEL + (start + part) * LANES, sizeof *parts);
            for (ptrdiff_t stream = 0; stream < count; stream++)
                for (int part = 0; part < WIDE; part++)
                    sums[stream][start + part] =
                        add_product(sums[stream][start + part], x[stream * rows + row], parts[part]);
        }
}

/* Eight units of one step, in `count` streams from `first` on; the arrays are of all streams. */
INLINE void advance_units(ptrdiff_t count, ptrdiff_t first, ptrdiff_t unit, ptrdiff_t units, const Factor *arranged,
                          const Factor *factors, const float *projected, const float *cells_before, float *outputs,
                          float *cells, float *gates) {
    ptrdiff_t filled = units - unit, rows = parts_of(units, ROWS);
    Floats sums[BLOCK][PARTS];
    for (ptrdiff_t stream = 0; stream < count; stream++)
        for (int gate = 0; gate < PARTS; gate++)
            sums[stream][gate] = load(projected + ((first + stream) * PARTS + gate) * units + unit, filled);
    multiply(count, factors + first * rows, rows, arranged + unit * rows * PARTS, sums);
    for (ptrdiff_t stream = 0; stream < count; stream++) {
        ptrdiff_t place = (first + stream) * units + unit;
        float *gate = gates + (first + stream) * PARTS * units + unit;
        Floats i = sigmoid(sums[stream][0]), f = sigmoid(sums[stream][1]), o = sigmoid(sums[stream][3]);
        Floats g = hyperbolic_tangent(sums[stream][2]);
        Floats cell = f * load(cells_before + place, filled) + i * g;
        store(gate, i, filled);
        store(gate + units, f, filled);
        store(gate + 2 * units, g, filled);
        store(gate + 3 * units, o, filled);
        store(cells + place, cell, filled);
        store(outputs + place, o * hyperbolic_tangent(cell), filled);
    }
}

/* 32 units of the gradient of the outputs before a step, in `count` streams from `first` on. */
INLINE void through_kernel(ptrdiff_t count, ptrdiff_t first, ptrdiff_t unit, ptrdiff_t units, const Factor *arranged,
                           const Factor *factors, float *d_output) {
    ptrdiff_t rows = PARTS * units / ROWS;
    Floats sums[BLOCK][PARTS] = {{{0}}};
    multiply(count, factors + first * rows, rows, arranged + unit * rows, sums);
    for (ptrdiff_t stream = 0; stream < count; stream++)
        for (int part = 0; part < PARTS; part++) {
            ptrdiff_t place = unit + part * LANES;
            store(d_output + (first + stream) * units + place, sums[stream][part], units - place);
        }
}

/* The loop over time.

   projected (T, B, 4H), first_outputs and first_cells (B, H), kernel (H, 4H): what is read.
   room: for 32 * H * ceil(H / 8) + B * H numbers.
   outputs and cells (T, B, H), gates (T, B, 4H): what is written. */
void textgen_forward(ptrdiff_t steps, ptrdiff_t streams, ptrdiff_t units, const float *projected,
                     const float *first_outputs, const float *first_cells, const float *kernel, float *room,
                     float *outputs, float *cells, float *gates) {
    ptrdiff_t size = streams * units;
    Factor *arranged = (Factor *)room, *factors = arranged + parts_of(units, LANES) * parts_of(units, ROWS) * PANEL;
    arrange(units, kernel, arranged);
    for (ptrdiff_t now = 0; now < steps; now++) {
        const float *outputs_before = now ? outputs + (now - 1) * size : first_outputs;
        const float *cells_before = now ? cells + (now - 1) * size : first_cells;
        convert_all(streams, units, outputs_before, factors);
        for (ptrdiff_t unit = 0; unit < units; unit += LANES)
            FOR_BLOCKS(streams, advance_units, unit, units, arranged, factors, projected + now * size * PARTS,
                      cells_before, outputs + now * size, cells + now * size, gates + now * size * PARTS)
    }
}

/* One step back, in one stream, through the cell and the gates: the gradient of what was projected. */
INLINE void through_gates(ptrdiff_t units, const float *d_outputs, const float *cells_before, const float *cells,
                          const float *gates, const float *d_output, float *d_cell, float *d_projected) {
    for (ptrdiff_t unit = 0; unit < units; unit += LANES) {
        ptrdiff_t filled = units - unit;
        Floats i = load(gates + unit, filled), f = load(gates + units + unit, filled);
        Floats g = load(gates + 2 * units + unit, filled), o = load(gates + 3 * units + unit, filled);
        Floats squashed = hyperbolic_tangent(load(cells + unit, filled));
        Floats output = load(d_outputs + unit, filled) + load(d_output + unit, filled);
        Floats cell = load(d_cell + unit, filled) + output * o * (1.0f - squashed * squashed);
        store(d_projected + unit, cell * g * i * (1.0f - i), filled);
        store(d_projected + units + unit, cell * load(cells_before + unit, filled) * f * (1.0f - f), filled);
        store(d_projected + 2 * units + unit, cell * i * (1.0f - g * g), filled);
        store(d_projected + 3 * units + unit, output * squashed * o * (1.0f - o), filled);
        store(d_cell + unit, cell * f, filled);
    }
}

/* The gradient of the loop over time.

   d_outputs (T, B, H), first_cells (B, H), kernel (H, 4H), cells (T, B, H), gates (T, B, 4H): what is read.
   room: for 128 * H * ceil(H / 32) + max(B, H) * 4 * H numbers.
   d_output and d_cell (B, H): the gradients of the last outputs and cells, which become those of the first.
   d_projected (T, B, 4H): what is written. */
void textgen_backward(ptrdiff_t steps, ptrdiff_t streams, ptrdiff_t units, const float *d_outputs,
                      const float *first_cells, const float *kernel, float *room, const float *cells,
                      const float *gates, float *d_output, float *d_cell, float *d_projected) {
    ptrdiff_t size = streams * units, width = PARTS * units;
    Factor *arranged = (Factor *)room, *factors = arranged + parts_of(units, PANEL) * width / ROWS * PANEL;
    convert_all(units, width, kernel, factors);
    transpose(units, factors, arranged);
    for (ptrdiff_t now = steps - 1; now >= 0; now--) {
        const float *cells_before = now ? cells + (now - 1) * size : first_cells;
        float *d_gates = d_projected + now * size * PARTS;
        for (ptrdiff_t stream = 0; stream < streams; stream++) {
            ptrdiff_t here = stream * units, then = now * size + here;
            through_gates(units, d_outputs + then, cells_before + here, cells + then, gates + then * PARTS,
                          d_output + here, d_cell + here, d_gates + stream * width);
        }
        convert_all(streams, width, d_gates, factors);
        for (ptrdiff_t unit = 0; unit < units; unit += PANEL)
            FOR_BLOCKS(streams, through_kernel, unit, units, arranged, factors, d_output)
    }
}
