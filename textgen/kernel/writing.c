/* The network's forward pass, one character at a time: what generation/recurrent.py does in NumPy, for weights that
   bfloat16 holds exactly. generation/compiled.py prepares what is read here.

   One stream is as fast as its weights are read from memory, so these are stored in 16 bits and widened, exactly, by a
   shift. Many streams are as fast as the processor multiplies, so weights that were widened serve four streams.
   Arithmetic is float32 throughout.

   What a stream gets does not depend on its neighbours, not in one bit: its sums have one order, that of the matrix's
   rows, in every tile, and all else is computed by code that is there once. */

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

/* What is computed at once: several streams in one panel; or one stream in two, since in one it would have so few sums
   that each addition waits for the one before it. */
struct tile {
    ptrdiff_t first, streams, panel, panels;
};

/* Call for all panels and streams, by tiles: of streams as equal as can be, so that only a single stream is alone. */
#define FOR_TILES(all_panels, all_streams, call, ...)                                                        \
    for (ptrdiff_t panel = 0, panels; panel < (all_panels); panel += panels) {                               \
        panels = (all_streams) == 1 && panel + 1 < (all_panels) ? 2 : 1;                                     \
        for (ptrdiff_t first = 0, left = parts_of(all_streams, BLOCK), streams; left; first += streams, left--) { \
            streams = ((all_streams) - first) / left;                                                        \
            call((struct tile){first, streams, panel, panels}, __VA_ARGS__);                                 \
        }                                                                                                    \
    }

/* Add the products of a row, the first or the second of a pair, to sums of `wide` vectors of each panel. */
INLINE void add_row(ptrdiff_t streams, ptrdiff_t panels, int wide, int second, const Stored *pairs, ptrdiff_t size,
                    const float *x, ptrdiff_t stride, Floats sums[][PARTS]) {
    for (ptrdiff_t panel = 0; panel < panels; panel++, pairs += size) {
        Floats weights[PARTS];
        for (int part = 0; part < wide; part++) {
            Words pair = pairs[part];
            weights[part] = (Floats)(second ? pair & 0xffff0000u : pair << 16);
        }
        for (ptrdiff_t stream = 0; stream < streams; stream++)
            for (int part = 0; part < wide; part++) sums[stream + panel][part] += x[stream * stride] * weights[part];
    }
}

/* Add all rows' products to a tile's sums. `streams` and `panels` are constants, so that the sums stay in registers;
   where these are too few, only some vectors' at once. */
INLINE void add_rows(ptrdiff_t streams, ptrdiff_t panels, const struct matrix *matrix, ptrdiff_t panel, const float *x,
                     ptrdiff_t stride, Floats sums[][PARTS]) {
    ptrdiff_t rows = matrix->rows, size = parts_of(rows, 2) * PARTS;
    const int wide = streams > BLOCK / 2 ? WIDE : PARTS;
    for (int start = 0; start < PARTS; start += wide) {
        const Stored *pairs = (const Stored *)matrix->weights + panel * size + start;
        Floats some[BLOCK][PARTS];
        for (ptrdiff_t place = 0; place < streams * panels; place++)
            for (int part = 0; part < wide; part++) some[place][part] = sums[place][start + part];
        for (ptrdiff_t row = 0; row + 1 < rows; row += 2, pairs += PARTS) {
            add_row(streams, panels, wide, 0, pairs, size, x + row, stride, some);
            add_row(streams, panels, wide, 1, pairs, size, x + row + 1, stride, some);
        }
        if (rows % 2) add_row(streams, panels, wide, 0, pairs, size, x + rows - 1, stride, some);
        for (ptrdiff_t place = 0; place < streams * panels; place++)
            for (int part = 0; part < wide; part++) sums[place][start + part] = some[place][part];
    }
}

/* Add to a tile's sums its streams' rows of x, from the first tile's on, times its panels. */
static void multiply(struct tile tile, const struct matrix *matrix, const float *x, ptrdiff_t stride,
                     Floats sums[][PARTS]) {
    x += tile.first * stride;
    if (tile.panels == 2) add_rows(1, 2, matrix, tile.panel, x, stride, sums);
    else if (tile.streams == 1) add_rows(1, 1, matrix, tile.panel, x, stride, sums);
    else if (tile.streams == 2) add_rows(2, 1, matrix, tile.panel, x, stride, sums);
    else if (tile.streams == 3) add_rows(3, 1, matrix, tile.panel, x, stride, sums);
    else add_rows(BLOCK, 1, matrix, tile.panel, x, stride, sums);
}

/* A tile of a layer, eight units a panel. */
static void advance_units(struct tile tile, const struct network *network, const struct state *state, ptrdiff_t layer) {
    ptrdiff_t units = network->units, stride = network->layers * units, row = PANEL * parts_of(units, LANES);
    const struct matrix *lstm = &network->lstms[layer];
    float *cells = state->cells + layer * state->capacity * units;
    Floats sums[BLOCK][PARTS];
    for (ptrdiff_t stream = 0; stream < tile.streams; stream++) {
        ptrdiff_t code = at_most(state->codes[tile.first + stream], network->head.columns - 1);
        const float *start = layer ? lstm->bias : network->table + (code > 0 ? code : 0) * row;
        memcpy(sums[stream], start + tile.panel * PANEL, tile.panels * sizeof *sums);
    }
    multiply(tile, lstm, state->outputs + (layer ? (layer - 1) * units : 0), stride, sums);
    for (ptrdiff_t stream = 0; stream < tile.streams; stream++)
        for (ptrdiff_t panel = 0; panel < tile.panels; panel++) {
            Floats *gates = sums[stream + panel];
            ptrdiff_t unit = (tile.panel + panel) * LANES, filled = units - unit;
            ptrdiff_t place = (tile.first + stream) * units + unit;
            Floats kept = sigmoid(gates[1]) * load(cells + place, filled);
            Floats now = kept + sigmoid(gates[0]) * hyperbolic_tangent(gates[2]);
            store(cells + place, now, filled);
            store(state->fresh + place, sigmoid(gates[3]) * hyperbolic_tangent(now), filled);
        }
}

/* A tile of the logits, 32 symbols a panel. */
static void predict_symbols(struct tile tile, const struct network *network, const struct state *state) {
    ptrdiff_t units = network->units, stride = network->layers * units;
    const struct matrix *head = &network->head;
    Floats sums[BLOCK][PARTS];
    for (ptrdiff_t stream = 0; stream < tile.streams; stream++)
        memcpy(sums[stream], head->bias + tile.panel * PANEL, tile.panels * sizeof *sums);
    multiply(tile, head, state->outputs + stride - units, stride, sums);
    for (ptrdiff_t stream = 0; stream < tile.streams; stream++) {
        ptrdiff_t symbol = tile.panel * PANEL, symbols = at_most(head->columns - symbol, tile.panels * PANEL);
        float *logits = state->logits + (tile.first + stream) * head->columns + symbol;
        memcpy(logits, sums[stream], symbols * sizeof *logits);
    }
}

/* Read one character in each active row; with `predict`, also write the logits of the next. */
void textgen_step(const struct network *network, const struct state *state, int predict) {
    ptrdiff_t units = network->units, rows = state->rows;
    for (ptrdiff_t layer = 0; layer < network->layers; layer++) {
        FOR_TILES(parts_of(units, LANES), rows, advance_units, network, state, layer)
        for (ptrdiff_t row = 0; row < rows; row++)
            memcpy(state->outputs + (row * network->layers + layer) * units, state->fresh + row * units,
                   units * sizeof(float));
    }
    if (predict) FOR_TILES(parts_of(network->head.columns, PANEL), rows, predict_symbols, network, state)
}
