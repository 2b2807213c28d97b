/* Pieces of a file on a device, and the statistics of several pieces together. */
#include "inspect/measure_file.h"

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
  out->loaded = allocate(2, sizeof *out->loaded);
  return session_buffer(s, out->bytes, &out->buffer, why);
}

void measurer_free(measurer *m) {
  if (m->buffer) clReleaseMemObject(m->buffer);
  free(m->host);
  free(m->loaded);
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

int measurer_load(const measurer *m, const tensor_file *f, uint64_t offset, size_t size, failure *why) {
  if (m->loaded[0] == offset && m->loaded[1] >= size) return STATUS_OK;
  m->loaded[1] = 0;
  const int status = tensor_file_read(f, offset, m->host, size, why);
  if (status != STATUS_OK) return status;
  const cl_int code = clEnqueueWriteBuffer(m->session->queue, m->buffer, CL_TRUE, 0, size, m->host, 0, NULL, NULL);
  if (code != CL_SUCCESS) return fail_opencl(why, code, "clEnqueueWriteBuffer");
  m->loaded[0] = offset;
  m->loaded[1] = size;
  return STATUS_OK;
}
