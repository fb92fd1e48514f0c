/* One tile, for one type of readings and one of the clock's steps; see sweep.c. */
typedef struct {
    READINGS low, high;
    f64x8 sum, with_time, squares, t_sum, t_squares;
    i64x8 n;
} LANED;

/* Add eight rows; where `holed`, only those with a finite reading, counting them and their times too. */
static inline __attribute__((always_inline)) void ADD(LANED *to, READINGS v, f64x8 t, int holed)
{
    READINGS_MASK less = v < to->low, more = v > to->high;
    if (holed) {
        READINGS_MASK present = (v - v == 0);
        i64x8 wide_present = __builtin_convertvector(present, i64x8);
        less &= present, more &= present;
        v = (READINGS)((READINGS_MASK)v & present);
        t = (f64x8)((i64x8)t & wide_present);
        to->n -= wide_present;
        to->t_sum += t;
        to->t_squares += t * t;
    }
    to->low = PICK(less, v, to->low, READINGS, READINGS_MASK);
    to->high = PICK(more, v, to->high, READINGS, READINGS_MASK);
    f64x8 wide = __builtin_convertvector(v, f64x8);
    to->sum += wide;
    to->with_time += wide * t;
    to->squares += wide * wide;
}

/* Sum a column's rows; the last few are filled up with missing ones. */
static inline __attribute__((always_inline)) LANED SUM(const READING *x, const double *centred, int64_t rows,
                                                       int holed)
{
    LANED sums = {0};
    READINGS v = {0};
    f64x8 t = {0};
    sums.low += (READING)__builtin_inf(), sums.high -= (READING)__builtin_inf();
    int64_t i = 0;
    for (; i + LANES <= rows; i += LANES) {
        __builtin_memcpy(&v, x + i, sizeof v);
        __builtin_memcpy(&t, centred + i, sizeof t);
        ADD(&sums, v, t, holed);
    }
    if (i < rows) {
        for (int lane = 0; lane < LANES; lane++) {
            v[lane] = i + lane < rows ? x[i + lane] : (READING)__builtin_nan("");
            t[lane] = i + lane < rows ? centred[i + lane] : 0.0;
        }
        ADD(&sums, v, t, 1);
    }
    return sums;
}

/* Time above a level: the steps are whole numbers that add up exactly, in any order. */
static inline __attribute__((always_inline)) STEP TIME_ABOVE(const READING *x, const STEP *steps,
                                                             int64_t rows, READING level)
{
    READINGS v;
    STEPS step, over = {0};
    STEP time = 0;
    int64_t i = 0;
    for (; i + LANES <= rows; i += LANES) {
        __builtin_memcpy(&v, x + i, sizeof v);
        __builtin_memcpy(&step, steps + i, sizeof step);
        READINGS_MASK is_over = (v > level) & (v - v == 0);
        over += (STEPS)((STEPS_MASK)step & __builtin_convertvector(is_over, STEPS_MASK));
    }
    for (int lane = 0; lane < LANES; lane++)
        time += over[lane];
    for (; i < rows; i++)
        time += x[i] > level && x[i] - x[i] == 0 ? steps[i] : 0;
    return time;
}

/* columns    width pointers to whole columns, of which rows a to a + rows are summed
 * centred    (rows,) s after the tile's mean; steps (rows,) from each row to the next
 * levels     (width,) NaN where no time above a level is asked for
 * the rest   (width,) results of each column; linear (width, 2): sum, and sum of products with the time
 *
 * n, t_sum and t_squares come as if no reading were missing; above and edge_above come as zeros and are
 * written where some readings are above the level and some are not, or are missing.
 */
CLONES void SWEEP(int64_t width, const READING *const *columns, int64_t a, int64_t rows,
                  const double *centred, const STEP *steps, const READING *levels, int64_t *n,
                  READING *low, READING *high, READING *first, READING *last, double *linear,
                  double *squares, double *t_sum, double *t_squares, STEP *above, uint8_t *edge_above)
{
    for (int64_t s = 0; s < width; s++) {
        const READING *x = columns[s] + a;
        LANED sums = SUM(x, centred, rows, 0);
        double sum = total(&sums.sum);
        /* Infinities and NaN never cancel; of the last rows, the only ones counted here, none may lack. */
        int holed = !(sum - sum == 0.0) || count(&sums.n) != rows % LANES;
        if (holed) {
            sums = SUM(x, centred, rows, 1);
            sum = total(&sums.sum), n[s] = count(&sums.n);
            t_sum[s] = total(&sums.t_sum), t_squares[s] = total(&sums.t_squares);
        }
        READING least = sums.low[0], most = sums.high[0];
        for (int lane = 1; lane < LANES; lane++) {
            least = sums.low[lane] < least ? sums.low[lane] : least;
            most = sums.high[lane] > most ? sums.high[lane] : most;
        }
        int none = !(least <= most);
        low[s] = none ? (READING)__builtin_nan("") : least;
        high[s] = none ? (READING)__builtin_nan("") : most;
        first[s] = x[0], last[s] = x[rows - 1];
        linear[2 * s] = sum, linear[2 * s + 1] = total(&sums.with_time), squares[s] = total(&sums.squares);
        if (most > levels[s] && (holed || !(least > levels[s]))) {
            above[s] = TIME_ABOVE(x, steps, rows, levels[s]);
            edge_above[s] = last[s] > levels[s] && last[s] - last[s] == 0;
        }
    }
}

#undef SWEEP
#undef LANED
#undef ADD
#undef SUM
#undef TIME_ABOVE
#undef READING
#undef READINGS
#undef READINGS_MASK
#undef STEP
#undef STEPS
#undef STEPS_MASK
