/* The network's forward pass, one character at a time: what generation/recurrent.py does in NumPy, for weights that
   bfloat16 holds exactly. generation/compiled.py prepares what is read here.

   One stream is as fast as its weights are read from memory, so these are stored in 16 bits and widened, exactly, by a
   shift. Many streams are as fast as the processor multiplies, so weights that were widened serve four streams.
   Arithmetic is float32 throughout. */

#include "vectors.h"

const int textgen_abi = ABI;

typedef Words Stored __attribute__((aligned(4), may_alias)); /* NumPy aligns arrays to their numbers */

/* A matrix (rows, 32 * panels) and what is added to its product. */
struct matrix {
    ptrdiff_t rows, columns;  /* columns: units of an LSTM, symbols of the head; the last panel may be partly filled */
    const uint32_t *weights;  /* (panels, ceil(rows / 2), 32): the low half of row 2k, the high half of row 2k + 1 */
    const float *bias;        /* (32 * panels), in the panels' order */
};

struct network {
    ptrdiff_t layers, units;
    const float *table;  /* (V, 32 * panels): the first layer's input product and bias for each symbol */
    const struct matrix *lstms;
    struct matrix head;
};

/* What the streams in its rows remember; the first `rows` of `capacity` are active. */
struct state {
    ptrdiff_t capacity, rows;
    const int64_t *codes;  /* (rows,); what lies outside [0, V) is read as the nearest that does not */
    float *outputs;        /* (capacity, layers * units) */
    float *cells;          /* (layers, capacity, units) */
    float *fresh;          /* (rows, units): a layer's new outputs, while its old ones are still read */
    float *logits;         /* (capacity, V) */
};

/* Add two rows' products to the sums of `count` streams; of a last, odd row there is no second number of x. A single
   stream's sums are so few that each addition would wait for the one before it: its second rows have sums apart. */
INLINE void add_rows(ptrdiff_t count, int second, const Stored *weights, const float *x, ptrdiff_t stride,
                     Floats sums[][PARTS], Floats apart[PARTS]) {
    Floats one[PARTS], two[PARTS];
    for (int part = 0; part < PARTS; part++) {
        one[part] = (Floats)(weights[part] << 16);
        two[part] = (Floats)(weights[part] & 0xffff0000u);
    }
    for (ptrdiff_t stream = 0; stream < count; stream++, x += stride) {
        Floats *others = count == 1 ? apart : sums[stream];
        for (int part = 0; part < PARTS; part++) sums[stream][part] += x[0] * one[part];
        for (int part = 0; part < PARTS && second; part++) others[part] += x[1] * two[part];
    }
}

/* Add to the sums of `count` streams their rows of x times one panel. */
INLINE void multiply(ptrdiff_t count, const float *x, ptrdiff_t stride, const struct matrix *matrix, ptrdiff_t panel,
                     Floats sums[][PARTS]) {
    ptrdiff_t rows = matrix->rows;
    const Stored *weights = (const Stored *)matrix->weights + panel * parts_of(rows, 2) * PARTS;
    Floats apart[PARTS] = {{0}};
    for (ptrdiff_t row = 0; row + 1 < rows; row += 2, weights += PARTS)
        add_rows(count, 1, weights, x + row, stride, sums, apart);
    if (rows % 2) add_rows(count, 0, weights, x + rows - 1, stride, sums, apart);
    for (int part = 0; part < PARTS; part++) sums[0][part] += apart[part];
}

/* Eight units of a layer, in `count` streams from `first` on. */
INLINE void advance_units(ptrdiff_t count, ptrdiff_t first, const struct network *network, const struct state *state,
                          ptrdiff_t layer, ptrdiff_t panel) {
    ptrdiff_t units = network->units, stride = network->layers * units, row = PANEL * parts_of(units, LANES);
    ptrdiff_t unit = panel * LANES, filled = units - unit;
    const struct matrix *lstm = &network->lstms[layer];
    const float *x = state->outputs + first * stride + (layer ? (layer - 1) * units : 0);
    Floats sums[BLOCK][PARTS];
    for (ptrdiff_t stream = 0; stream < count; stream++) {
        ptrdiff_t code = at_most(state->codes[first + stream], network->head.columns - 1);
        const float *start = layer ? lstm->bias : network->table + (code > 0 ? code : 0) * row;
        for (int gate = 0; gate < PARTS; gate++) sums[stream][gate] = load(start + panel * PANEL + gate * LANES, LANES);
    }
    multiply(count, x, stride, lstm, panel, sums);
    for (ptrdiff_t stream = 0; stream < count; stream++) {
        Floats *gates = sums[stream];
        float *cell = state->cells + (layer * state->capacity + first + stream) * units + unit;
        Floats kept = sigmoid(gates[1]) * load(cell, filled);
        Floats now = kept + sigmoid(gates[0]) * hyperbolic_tangent(gates[2]);
        store(cell, now, filled);
        store(state->fresh + (first + stream) * units + unit, sigmoid(gates[3]) * hyperbolic_tangent(now), filled);
    }
}

/* 32 symbols' logits, in `count` streams from `first` on. */
INLINE void predict_symbols(ptrdiff_t count, ptrdiff_t first, const struct network *network, const struct state *state,
                            ptrdiff_t panel) {
    ptrdiff_t units = network->units, stride = network->layers * units, symbol = panel * PANEL;
    const struct matrix *head = &network->head;
    Floats sums[BLOCK][PARTS];
    for (ptrdiff_t stream = 0; stream < count; stream++)
        for (int part = 0; part < PARTS; part++) sums[stream][part] = load(head->bias + symbol + part * LANES, LANES);
    multiply(count, state->outputs + first * stride + stride - units, stride, head, panel, sums);
    for (ptrdiff_t stream = 0; stream < count; stream++)
        for (int part = 0; part < PARTS; part++) {
            ptrdiff_t place = symbol + part * LANES;
            store(state->logits + (first + stream) * head->columns + place, sums[stream][part], head->columns - place);
        }
}

/* Read one character in each active row; with `predict`, also write the logits of the next. */
void textgen_step(const struct network *network, const struct state *state, int predict) {
    ptrdiff_t units = network->units, streams = state->rows;
    for (ptrdiff_t layer = 0; layer < network->layers; layer++) {
        for (ptrdiff_t panel = 0; panel * LANES < units; panel++)
            FOR_BLOCKS(streams, advance_units, network, state, layer, panel)
        for (ptrdiff_t stream = 0; stream < streams; stream++)
            memcpy(state->outputs + (stream * network->layers + layer) * units, state->fresh + stream * units,
                   units * sizeof(float));
    }
    for (ptrdiff_t panel = 0; predict && panel * PANEL < network->head.columns; panel++)
        FOR_BLOCKS(streams, predict_symbols, network, state, panel)
}
