/* The sums of a tile, in machine code: what `cycles.sums` does with numpy where this library is absent.
 *
 * Nothing is called, so it needs no particular C library: it loads in Lambda, in Glue and on a laptop. Eight
 * lanes are summed apart and put together in a fixed order, and no product is fused with a sum: every
 * processor gives the same bits, be its vectors 128, 256 or 512 wide.
 */
#include <stdint.h>

#define LANES 8
#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif

typedef double f64x8 __attribute__((vector_size(8 * LANES)));
typedef int64_t i64x8 __attribute__((vector_size(8 * LANES)));
typedef float f32x8 __attribute__((vector_size(4 * LANES)));
typedef int32_t i32x8 __attribute__((vector_size(4 * LANES)));

#define PICK(mask, yes, no, floats, ints) (floats)(((ints)(yes) & (mask)) | ((ints)(no) & ~(mask)))

static inline double total(const f64x8 *lanes)
{
    double sum = 0.0;
    for (int lane = 0; lane < LANES; lane++)
        sum += (*lanes)[lane];
    return sum;
}

static inline int64_t count(const i64x8 *lanes)
{
    int64_t sum = 0;
    for (int lane = 0; lane < LANES; lane++)
        sum += (*lanes)[lane];
    return sum;
}

#define SWEEP sweep_f32_f32
#define LANED laned_f32_f32
#define ADD add_f32_f32
#define SUM sum_f32_f32
#define TIME_ABOVE time_above_f32_f32
#define READING float
#define READINGS f32x8
#define READINGS_MASK i32x8
#define STEP float
#define STEPS f32x8
#define STEPS_MASK i32x8
#include "tile.h"

#define SWEEP sweep_f32_f64
#define LANED laned_f32_f64
#define ADD add_f32_f64
#define SUM sum_f32_f64
#define TIME_ABOVE time_above_f32_f64
#define READING float
#define READINGS f32x8
#define READINGS_MASK i32x8
#define STEP double
#define STEPS f64x8
#define STEPS_MASK i64x8
#include "tile.h"

#define SWEEP sweep_f64_f32
#define LANED laned_f64_f32
#define ADD add_f64_f32
#define SUM sum_f64_f32
#define TIME_ABOVE time_above_f64_f32
#define READING double
#define READINGS f64x8
#define READINGS_MASK i64x8
#define STEP float
#define STEPS f32x8
#define STEPS_MASK i32x8
#include "tile.h"

#define SWEEP sweep_f64_f64
#define LANED laned_f64_f64
#define ADD add_f64_f64
#define SUM sum_f64_f64
#define TIME_ABOVE time_above_f64_f64
#define READING double
#define READINGS f64x8
#define READINGS_MASK i64x8
#define STEP double
#define STEPS f64x8
#define STEPS_MASK i64x8
#include "tile.h"
