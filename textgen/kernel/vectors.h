/* What the compiled steps share: vectors of floats and the functions of the gates.

   Vectors are GCC's and Clang's extension of C; each compiler makes of them what the processor has. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wpsabi" /* how vectors are passed to functions: all of ours are inlined */

#ifndef LANES
#define LANES 8 /* numbers of a vector: AVX2's, which the layout of the weights that are written with follows */
#endif

enum {
    ABI = 3,                  /* of kernel/library.py too: what calls the functions must know them as they are */
    PARTS = 4,                /* vectors of a panel: of LANES units the gates i, f, c, o, or columns of a matrix */
    PANEL = PARTS * LANES,    /* numbers of a panel's row */
    BLOCK = 4,                /* the most streams that share a row of weights */
#ifdef __AVX512VL__
    WIDE = PARTS,             /* vectors of a row at a time: a block has 16 sums then, and AVX-512 has 32 registers */
#else
    WIDE = PARTS / 2,         /* and AVX2 has 16, NEON as many of two vectors of its own: x is better read twice */
#endif
};

typedef float Floats __attribute__((vector_size(4 * LANES)));
typedef uint32_t Words __attribute__((vector_size(4 * LANES)));
typedef int32_t Integers __attribute__((vector_size(4 * LANES)));

#define INLINE static inline __attribute__((always_inline))

INLINE ptrdiff_t at_most(ptrdiff_t number, ptrdiff_t most) { return number < most ? number : most; }

/* How many panels or vectors hold so many numbers. */
INLINE ptrdiff_t parts_of(ptrdiff_t numbers, ptrdiff_t size) { return (numbers + size - 1) / size; }

/* The first `count` lanes, none where it is not positive: the last vector of a row may be partly filled. */
#if LANES == 16
#include <immintrin.h>

INLINE __mmask16 mask_of(ptrdiff_t count) { return count > 0 ? 0xffff >> (LANES - count) : 0; }

INLINE Floats load(const float *source, ptrdiff_t count) {
    return (Floats)(count >= LANES ? _mm512_loadu_ps(source) : _mm512_maskz_loadu_ps(mask_of(count), source));
}

INLINE void store(float *target, Floats values, ptrdiff_t count) {
    if (count >= LANES) _mm512_storeu_ps(target, (__m512)values);
    else _mm512_mask_storeu_ps(target, mask_of(count), (__m512)values);
}
#else
INLINE Floats load(const float *source, ptrdiff_t count) {
    Floats result = {0};
    if (count >= LANES) memcpy(&result, source, sizeof result);
    else if (count > 0) memcpy(&result, source, count * sizeof *source);
    return result;
}

INLINE void store(float *target, Floats values, ptrdiff_t count) {
    if (count >= LANES) memcpy(target, &values, sizeof values);
    else if (count > 0) memcpy(target, &values, count * sizeof *target);
}
#endif

INLINE Floats all(float number) { return number - (Floats){0}; }

INLINE Floats choose(Integers mask, Floats yes, Floats no) {
    return (Floats)(((Integers)yes & mask) | ((Integers)no & ~mask));
}

/* exp(x) for |x| <= 87, to float32's precision: 2^n by the exponent's bits, the rest by the Taylor series to the
   seventh power, whose error at half of ln 2 is 5e-9. Adding 1.5 * 2^23 rounds; ln 2 is taken off in two parts, the
   first short enough that its product with n is exact. */
INLINE Floats exponential(Floats x) {
    x = choose(x > 87.0f, all(87.0f), x);
    x = choose(x < -87.0f, all(-87.0f), x);
    Floats rounded = x * 1.44269504f + 12582912.0f;
    Floats n = rounded - 12582912.0f;
    Floats r = x - n * 0.693145751953125f - n * 1.42860677e-6f;
    Floats series = all(1.0f / 5040);
    series = series * r + 1.0f / 720;
    series = series * r + 1.0f / 120;
    series = series * r + 1.0f / 24;
    series = series * r + 1.0f / 6;
    series = series * r + 0.5f;
    series = series * r + 1.0f;
    series = series * r + 1.0f;
    return (Floats)((Words)series + ((Words)rounded << 23));
}

INLINE Floats sigmoid(Floats x) { return 1.0f / (1.0f + exponential(-x)); }

INLINE Floats hyperbolic_tangent(Floats x) { return 2.0f * sigmoid(2.0f * x) - 1.0f; }
