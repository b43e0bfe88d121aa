/* One LSTM's loop over time and its gradient, as training/compiled.py calls them.

   A step's product has few rows, and TensorFlow reaches half of the processor's speed with so few. Here the weights are
   arranged once a window, a row of them serves a block of streams, whose sums stay in registers, and all else that is
   done to each number is done where it is in a register: the bias, the gates, dropout, and the rounding for the large
   products before and after the loop.

   The factors of products, here and in TensorFlow, are float32, or bfloat16 where the processor multiplies it; sums,
   states and gates are float32. */

#ifdef __AVX512VL__
#define LANES 16
#endif
#include "vectors.h"

#ifdef __AVX512BF16__
#include <immintrin.h>

typedef uint16_t Number;                                  /* what is multiplied */
typedef uint32_t __attribute__((may_alias)) Factor;       /* the numbers of two rows, the first in the low half */
typedef uint16_t Halves __attribute__((vector_size(2 * LANES)));
typedef Words Factors;
enum { ROWS = 2 };

INLINE Floats read(const Number *source, ptrdiff_t count) {
    Halves halves = (Halves)(count >= LANES ? _mm256_loadu_si256((const void *)source)
                                            : _mm256_maskz_loadu_epi16(mask_of(count), source));
    return (Floats)(__builtin_convertvector(halves, Words) << 16);
}

/* To the nearest bfloat16, ties to even. */
INLINE void write(Number *target, Floats values, ptrdiff_t count) {
    __m256i halves = (__m256i)_mm512_cvtneps_pbh((__m512)values);
    if (count >= LANES) _mm256_storeu_si256((void *)target, halves);
    else _mm256_mask_storeu_epi16(target, mask_of(count), halves);
}

/* The same in the upper half. */
INLINE Words rounded(Floats values) {
    Words bits = (Words)values;
    return (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
}

INLINE Factors join(Floats first, Floats second) { return rounded(first) >> 16 | rounded(second); }

INLINE Floats add_product(Floats sum, Factor x, Factors weights) {
    return (Floats)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32(x), (__m512bh)weights);
}
#else
typedef float Number;
typedef float Factor;
typedef Floats Factors;
enum { ROWS = 1 };

INLINE Floats read(const Number *source, ptrdiff_t count) { return load(source, count); }

INLINE void write(Number *target, Floats values, ptrdiff_t count) { store(target, values, count); }

INLINE Factors join(Floats first, Floats second) { return (void)second, first; }

INLINE Floats add_product(Floats sum, Factor x, Factors weights) { return sum + x * weights; }
#endif

const int textgen_number_bytes = sizeof(Number);

/* A window of one layer; all fields have eight bytes. T steps, B streams, H units. */
struct window {
    ptrdiff_t steps, streams, units;
    int64_t first, key, threshold; /* dropout: the first stream's number, the layer's generator, what keeps an output */
    /* What is read forward; the last three backward too. */
    const Number *projected;       /* (N, 4H): input products; gates in Keras's order i, f, c, o */
    const int32_t *places;         /* (T, B): where theirs are; or null, and they are in order */
    const float *bias;             /* (4H) */
    const float *first_outputs, *first_cells; /* (B, H) */
    const float *kernel;           /* (H, 4H) */
    float *room;                   /* as training/compiled.py measures it */
    /* What is written forward. */
    Number *before;                /* (T, B, H): the outputs before each step; read backward */
    float *cells, *gates;          /* (T, B, H) and (T, B, 4H), after their functions; read backward */
    Number *after;                 /* (T, B, H): the outputs, after dropout */
    float *last_outputs;           /* (B, H) */
    /* What is read backward. */
    const Number *d_after;         /* (T, B, H) */
    /* What is written backward. */
    float *d_outputs, *d_cells;    /* (B, H): gradients of the last outputs and cells, which become those of the first */
    Number *d_projected;           /* (T, B, 4H) */
    float *d_sums;                 /* (N, 4H): added to it, those of each place; without places all are added to one row */
};

/* Call for all streams, by blocks: all of a block or a single one. */
#define FOR_BLOCKS(streams, call, ...)                                                                      \
    for (ptrdiff_t first = 0, next; first < (streams); first = next) {                                      \
        next = first + (first + BLOCK <= (streams) ? BLOCK : 1);                                            \
        if (next == first + BLOCK) call(BLOCK, first, __VA_ARGS__);                                         \
        else call(1, first, __VA_ARGS__);                                                                   \
    }

INLINE void convert(ptrdiff_t count, const float *source, Number *target) {
    for (ptrdiff_t place = 0; place < count; place += LANES)
        write(target + place, load(source + place, count - place), count - place);
}

/* A matrix (streams, rows) to left factors (streams, rows / ROWS); a last, odd number is joined with zero. */
INLINE void to_factors(ptrdiff_t streams, ptrdiff_t rows, const Number *numbers, Factor *factors) {
    ptrdiff_t size = parts_of(rows, ROWS);
    for (ptrdiff_t stream = 0; stream < streams; stream++, factors += size) {
        factors[size - 1] = 0;
        memcpy(factors, numbers + stream * rows, rows * sizeof *numbers);
    }
}

/* Arrange a recurrent kernel (H, 4H) for outputs times kernel: (panels of LANES units, H / ROWS, i, f, c and o). */
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

/* Arrange its left factors (H, 4H / ROWS) for gates times its transpose: (panels of units, 4H / ROWS, PANEL). */
INLINE void transpose(ptrdiff_t units, const Factor *kernel, Factor *arranged) {
    ptrdiff_t width = PARTS * units / ROWS;
    for (ptrdiff_t first = 0; first < units; first += PANEL)
        for (ptrdiff_t row = 0; row < width; row++, arranged += PANEL)
            for (ptrdiff_t unit = 0; unit < PANEL; unit++)
                arranged[unit] = first + unit < units ? kernel[(first + unit) * width + row] : 0;
}

/* Add to the sums of `count` streams, a constant, their rows of x times one panel of weights. */
INLINE void add_rows(ptrdiff_t count, const Factor *x, ptrdiff_t rows, const Factor *weights, Floats sums[][PARTS]) {
    for (int start = 0; start < PARTS; start += WIDE) {
        Floats some[BLOCK][WIDE];
        for (ptrdiff_t stream = 0; stream < count; stream++)
            for (int part = 0; part < WIDE; part++) some[stream][part] = sums[stream][start + part];
        for (ptrdiff_t row = 0; row < rows; row++) {
            Factors parts[WIDE];
            for (int part = 0; part < WIDE; part++)
                memcpy(&parts[part], weights + row * PANEL + (start + part) * LANES, sizeof *parts);
            for (ptrdiff_t stream = 0; stream < count; stream++)
                for (int part = 0; part < WIDE; part++)
                    some[stream][part] = add_product(some[stream][part], x[stream * rows + row], parts[part]);
        }
        for (ptrdiff_t stream = 0; stream < count; stream++)
            for (int part = 0; part < WIDE; part++) sums[stream][start + part] = some[stream][part];
    }
}

/* The same for a block or one stream; both have `rows` rows of factors. Not inlined: its caller's constants would take
   the registers that the sums need. */
static __attribute__((noinline)) void multiply(ptrdiff_t count, const Factor *x, ptrdiff_t rows, const Factor *weights,
                                               Floats sums[][PARTS]) {
    if (count == BLOCK) add_rows(BLOCK, x, rows, weights, sums);
    else add_rows(1, x, rows, weights, sums);
}

/* The output of a generator of training/dropout.py, and LANES of them side by side. */
INLINE Words outputs_of(uint32_t seed, ptrdiff_t number) {
    Words x;
    for (int lane = 0; lane < LANES; lane++) x[lane] = (number + lane + 1) * 0x9e3779b9u;
    x += seed;
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}

INLINE uint32_t output_of(uint32_t seed, ptrdiff_t number) {
    uint32_t x = seed + (uint32_t)(number + 1) * 0x9e3779b9u;
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}

/* What dropout makes of some units' outputs, or of their gradients, of one stream at one step. */
INLINE Floats dropped(const struct window *w, ptrdiff_t now, ptrdiff_t stream, ptrdiff_t unit, Floats values) {
    if (w->threshold == 0) return values;
    float scale = 1 / (1 - w->threshold * 0x1p-32);
    uint32_t key = output_of(output_of(w->key, w->first + stream), now);
    return choose((Integers)(outputs_of(key, unit) >= (uint32_t)w->threshold), values * scale, all(0));
}

/* LANES units of one step, in `count` streams from `first` on. */
INLINE void advance_units(ptrdiff_t count, ptrdiff_t first, ptrdiff_t unit, const struct window *w, ptrdiff_t now,
                          const Factor *arranged, const Factor *factors) {
    ptrdiff_t units = w->units, size = w->streams * units, filled = units - unit, rows = parts_of(units, ROWS);
    Floats sums[BLOCK][PARTS];
    for (ptrdiff_t stream = 0; stream < count; stream++) {
        ptrdiff_t place = now * w->streams + first + stream;
        const Number *projected = w->projected + (w->places ? w->places[place] : place) * PARTS * units + unit;
        for (int gate = 0; gate < PARTS; gate++)
            sums[stream][gate] = read(projected + gate * units, filled) + load(w->bias + gate * units + unit, filled);
    }
    multiply(count, factors + first * rows, rows, arranged + unit * rows * PARTS, sums);
    for (ptrdiff_t stream = 0; stream < count; stream++) {
        ptrdiff_t here = (first + stream) * units + unit, place = now * size + here;
        float *gate = w->gates + (now * w->streams + first + stream) * PARTS * units + unit;
        Floats i = sigmoid(sums[stream][0]), f = sigmoid(sums[stream][1]), o = sigmoid(sums[stream][3]);
        Floats g = hyperbolic_tangent(sums[stream][2]);
        Floats cell = f * load(now ? w->cells + place - size : w->first_cells + here, filled) + i * g;
        Floats output = o * hyperbolic_tangent(cell);
        store(gate, i, filled);
        store(gate + units, f, filled);
        store(gate + 2 * units, g, filled);
        store(gate + 3 * units, o, filled);
        store(w->cells + place, cell, filled);
        store(w->last_outputs + here, output, filled);
        if (now + 1 < w->steps) write(w->before + place + size, output, filled);
        write(w->after + place, dropped(w, now, first + stream, unit, output), filled);
    }
}

/* The loop over time. */
void textgen_forward(const struct window *w) {
    ptrdiff_t units = w->units, streams = w->streams;
    Factor *arranged = (Factor *)w->room, *factors = arranged + parts_of(units, LANES) * parts_of(units, ROWS) * PANEL;
    arrange(units, w->kernel, arranged);
    convert(streams * units, w->first_outputs, w->before);
    for (ptrdiff_t now = 0; now < w->steps; now++) {
        to_factors(streams, units, w->before + now * streams * units, factors);
        for (ptrdiff_t unit = 0; unit < units; unit += LANES)
            FOR_BLOCKS(streams, advance_units, unit, w, now, arranged, factors)
    }
}

/* One step back, in one stream, through dropout, the cell and the gates: the gradient of what was projected. */
INLINE void through_gates(const struct window *w, ptrdiff_t now, ptrdiff_t stream) {
    ptrdiff_t units = w->units, size = w->streams * units, row = now * w->streams + stream;
    float *d_sums = w->d_sums + (w->places ? w->places[row] : 0) * PARTS * units;
    for (ptrdiff_t unit = 0; unit < units; unit += LANES) {
        ptrdiff_t filled = units - unit, here = stream * units + unit, place = now * size + here;
        const float *gates = w->gates + row * PARTS * units + unit;
        Floats i = load(gates, filled), f = load(gates + units, filled);
        Floats g = load(gates + 2 * units, filled), o = load(gates + 3 * units, filled);
        Floats squashed = hyperbolic_tangent(load(w->cells + place, filled));
        Floats before = load(now ? w->cells + place - size : w->first_cells + here, filled);
        Floats output = dropped(w, now, stream, unit, read(w->d_after + place, filled)) + load(w->d_outputs + here, filled);
        Floats cell = load(w->d_cells + here, filled) + output * o * (1.0f - squashed * squashed);
        store(w->d_cells + here, cell * f, filled);
        Floats through[PARTS] = {
            cell * g * i * (1.0f - i),
            cell * before * f * (1.0f - f),
            cell * i * (1.0f - g * g),
            output * squashed * o * (1.0f - o),
        };
        for (int gate = 0; gate < PARTS; gate++) {
            float *sum = d_sums + gate * units + unit;
            store(sum, load(sum, filled) + through[gate], filled);
            write(w->d_projected + (row * PARTS + gate) * units + unit, through[gate], filled);
        }
    }
}

/* LANES * PARTS units of the gradient of the outputs before a step, in `count` streams from `first` on. */
INLINE void through_kernel(ptrdiff_t count, ptrdiff_t first, ptrdiff_t unit, const struct window *w,
                           const Factor *arranged, const Factor *factors) {
    ptrdiff_t units = w->units, rows = PARTS * units / ROWS;
    Floats sums[BLOCK][PARTS] = {{{0}}};
    multiply(count, factors + first * rows, rows, arranged + unit * rows, sums);
    for (ptrdiff_t stream = 0; stream < count; stream++)
        for (int part = 0; part < PARTS; part++) {
            ptrdiff_t place = unit + part * LANES;
            store(w->d_outputs + (first + stream) * units + place, sums[stream][part], units - place);
        }
}

/* The gradient of the loop over time. */
void textgen_backward(const struct window *w) {
    ptrdiff_t units = w->units, streams = w->streams, width = PARTS * units;
    Factor *arranged = (Factor *)w->room, *factors = arranged + parts_of(units, PANEL) * width / ROWS * PANEL;
    convert(units * width, w->kernel, (Number *)factors);
    transpose(units, factors, arranged);
    for (ptrdiff_t now = w->steps - 1; now >= 0; now--) {
        for (ptrdiff_t stream = 0; stream < streams; stream++) through_gates(w, now, stream);
        const Factor *d_gates = (const Factor *)(w->d_projected + now * streams * width);
        for (ptrdiff_t unit = 0; unit < units; unit += PANEL)
            FOR_BLOCKS(streams, through_kernel, unit, w, arranged, d_gates)
    }
}
