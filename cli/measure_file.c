/* Measures a tensor of a file on a device, piece by piece. */
#include "measure_file.h"

#include <math.h>
#include <stdlib.h>

int measurer_make(const session *s, const tensor_file *f, measurer *out, failure *why) {
  const size_t most = session_piece_bytes(s);
  uint64_t largest = 64; /* a buffer is never empty */
  for (size_t i = 0; i < f->count; ++i) {
    if (f->tensors[i].type->measurable && f->tensors[i].bytes > largest) largest = f->tensors[i].bytes;
  }
  *out = (measurer){.session = s, .bytes = largest < most ? (size_t)largest : most};
  out->host = allocate(out->bytes, 1);
  return session_buffer(s, out->bytes, &out->buffer, why);
}

void measurer_free(measurer *m) {
  if (m->buffer) clReleaseMemObject(m->buffer);
  free(m->host);
  *m = (measurer){0};
}

fanin_stats merge_stats(const fanin_stats *a, const fanin_stats *b) {
  const double na = (double)(a->count - a->nonfinite), nb = (double)(b->count - b->nonfinite), n = na + nb;
  fanin_stats sum = {.count = a->count + b->count, .nonfinite = a->nonfinite + b->nonfinite};
  if (na == 0 || nb == 0) { /* the side without numbers has 0 for extremes: leave it out */
    const fanin_stats *only = na == 0 ? b : a;
    const uint64_t count = sum.count, nonfinite = sum.nonfinite;
    sum = *only;
    sum.count = count;
    sum.nonfinite = nonfinite;
    return sum;
  }
  const double difference = b->mean - a->mean;
  const double squares = a->std * a->std * na + b->std * b->std * nb + difference * difference * (na * nb / n);
  sum.mean = a->mean + difference * (nb / n);
  sum.std = sqrt(squares / n);
  sum.second = a->second * (na / n) + b->second * (nb / n);
  sum.min = fmin(a->min, b->min);
  sum.max = fmax(a->max, b->max);
  return sum;
}

/* Uploads and measures `count` elements from the file's `offset`. */
static int measure_piece(const measurer *m, const tensor_file *f, fanin_dtype dtype, uint64_t offset, uint64_t count,
                         fanin_stats *out, failure *why) {
  const size_t bytes = (size_t)count * fanin_dtype_size(dtype);
  const int status = tensor_file_read(f, offset, m->host, bytes, why);
  if (status != STATUS_OK) return status;
  const cl_int code = clEnqueueWriteBuffer(m->session->queue, m->buffer, CL_TRUE, 0, bytes, m->host, 0, NULL, NULL);
  if (code != CL_SUCCESS) return fail_opencl(why, code, "clEnqueueWriteBuffer");
  const fanin_tensor piece = fanin_tensor_of(m->buffer, 0, dtype, NULL, 1, &count);
  const fanin_status measured = fanin_measure(m->session->f, m->session->queue, &piece, 0, NULL, out);
  return measured == FANIN_OK ? STATUS_OK : fail_library(why, measured, f->path);
}

int measure_stored(const measurer *m, const tensor_file *f, const stored_tensor *t, fanin_stats *out, failure *why) {
  const size_t size = fanin_dtype_size(t->type->dtype);
  const uint64_t most = m->bytes / size;
  *out = (fanin_stats){0};
  for (uint64_t first = 0; first < t->elements;) {
    const uint64_t left = t->elements - first, count = left < most ? left : most;
    fanin_stats piece = {0};
    const int status = measure_piece(m, f, t->type->dtype, t->offset + first * size, count, &piece, why);
    if (status != STATUS_OK) return status;
    *out = first == 0 ? piece : merge_stats(out, &piece);
    first += count;
  }
  return STATUS_OK;
}
