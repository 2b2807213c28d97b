/* Fills with tables: s4d_real, sinusoidal, inv_freq, alibi and ramp. */
#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "core/launch.h"
#include "core/status.h"
#include "fill/fill.h"
#include "math/integer.h"
#include "math/power.h"
#include "tensor/dtype.h"

/* Powers of a ratio: base^(-k / steps), k up to `most`. */
typedef struct powers {
  double base;
  uint64_t steps, most;
} powers;

static powers powers_of(const fanin__tabulated *t) {
  const uint64_t half = t->columns / 2, heads = fanin__power_of_two(t->columns);
  if (t->kind == FANIN_KIND_INV_FREQ) return (powers){t->base, t->columns, t->columns - 1};
  if (t->kind == FANIN_KIND_ALIBI) return (powers){16, heads, 2 * heads};
  if (t->kind == FANIN_KIND_S4D_REAL || t->kind == FANIN_KIND_RAMP) return (powers){1, 1, 0};
  return (powers){t->base, t->form == FANIN_FORM_TENSOR2TENSOR && half > 1 ? half - 1 : half, half - 1};
}

static cl_ulong bits_of(double value, bool f64) {
  const fanin__real real = fanin__real_of(value);
  cl_uint word;
  cl_ulong bits;
  memcpy(&word, &real.f32, sizeof word);
  memcpy(&bits, &real.f64, sizeof bits);
  return f64 ? bits : word;
}

/* An exponent, 2^60 as 1. */
static cl_ulong exponent_of(double exponent) {
  return (cl_ulong)(exponent * 0x1p60);
}

static void add_ramp(const fanin__tabulated *t, bool f64, fanin__table_numbers *out) {
  const fanin__ramp *const r = &t->ramp;
  out->steps = r->half_open || t->columns < 2 ? t->columns : t->columns - 1;
  out->bend = exponent_of(r->exponent);
  out->period = r->period;
  out->shift = r->shift;
  out->zigzag_bend = exponent_of(r->zigzag_exponent);
  out->lo = bits_of(r->lo, f64);
  out->span = bits_of(r->hi - r->lo, f64);
  out->zigzag = bits_of(r->zigzag, f64);
}

static fanin__table_numbers numbers_of(const fanin__tabulated *t, bool f64) {
  const powers r = powers_of(t);
  fanin__table_numbers out;
  memset(&out, 0, sizeof out);
  out.columns = t->columns;
  out.positions = t->positions;
  if (t->kind == FANIN_KIND_ALIBI) out.second = r.steps;
  if (t->kind == FANIN_KIND_SINUSOIDAL && t->form != FANIN_FORM_INTERLEAVED) out.second = t->columns / 2;
  for (int j = 0; j < FANIN__TABLE_BITS && r.most >> j > 0; j++) {
    uint64_t significand;
    out.exponent[j] = (cl_uint)fanin__wide_power(r.base, UINT64_C(1) << j, r.steps, &significand);
    out.significand[j] = significand;
  }
  if (t->kind == FANIN_KIND_RAMP) add_ramp(t, f64, &out);
  return out;
}

/* What kernels/table.cl is built with. */
static const char *options_of(const fanin__job *job, char out[FANIN__OPTIONS]) {
  static const char *const tables[FANIN_KIND_COUNT] = {[FANIN_KIND_S4D_REAL] = "S4D_REAL",
                                                       [FANIN_KIND_SINUSOIDAL] = "SINUSOIDAL",
                                                       [FANIN_KIND_INV_FREQ] = "INV_FREQ",
                                                       [FANIN_KIND_ALIBI] = "ALIBI",
                                                       [FANIN_KIND_RAMP] = "RAMP"};
  snprintf(out, FANIN__OPTIONS, "-D %s %s", tables[job->distribution.table.kind], fanin__dtype_of(job->dtype)->option);
  return out;
}

/* The passes that an element takes, at most: those of a ramp's two powers. */
enum { PASSES = 160 };

/* On GPUs neighbours write side by side; on CPUs an item has a piece of a row, or several short rows. */
static fanin__spread spread_of(const fanin *f, const fanin__rows *rows, cl_ulong piece) {
  const uint64_t tasks = fanin__ceil_div(rows->length, piece) * rows->count;
  const uint64_t size = rows->length > 0 && rows->length < piece ? rows->length : piece;
  return fanin__spread_of(f, tasks, fanin__ceil_div(piece, size), PASSES * size);
}

static fanin_status fill(fanin *f, cl_command_queue queue, const fanin__job *job, uint64_t seed) {
  (void)seed;
  const bool f64 = fanin__is_double(job->dtype);
  const fanin__table_numbers numbers = numbers_of(&job->distribution.table, f64);
  const fanin__real gain = fanin__real_of(job->distribution.law.value);
  const cl_ulong piece = f->type & CL_DEVICE_TYPE_CPU ? 256 : 1;
  const fanin__spread spread = spread_of(f, &job->rows, piece);
  char options[FANIN__OPTIONS];
  const fanin__launch launch = FANIN__LAUNCH(table, options_of(job, options), table, spread.grid,
                                             FANIN__VALUE(job->buffer), FANIN__VALUE(job->rows), FANIN__VALUE(numbers),
                                             FANIN__REAL(f64, gain), FANIN__VALUE(piece), FANIN__SPREAD(spread));
  return fanin__enqueue_in_order(f, queue, &launch);
}

static fanin_status compile(fanin *f, const fanin__job *job) {
  char options[FANIN__OPTIONS];
  return fanin__compile(f, &fanin__source_table, options_of(job, options), "table");
}

const fanin__filler fanin__table_filler = {.fill = fill, .compile = compile, .of_rows = true};
