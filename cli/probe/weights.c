/* Weights that fanin_probe() does not draw itself, on the device: those of a file, and those that are to be calibrated.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fanin/inspect.h"
#include "formats/tensor_file.h"
#include "probe/report.h"

static int allocate_buffer(const session *s, probe_weights *w, size_t l, failure *why) {
  const fanin_tensor t = w->tensors[l];
  return library_status(why, fanin_tensor_alloc(s->f, t.dtype, "OI", 2, t.shape, &w->tensors[l]), w->layers[l].name);
}

/* to (columns, rows) = from (rows, columns) transposed, of elements of `size` bytes */
static void transpose(const char *from, char *to, uint64_t rows, uint64_t columns, size_t size) {
  for (uint64_t i = 0; i < rows; ++i) {
    for (uint64_t j = 0; j < columns; ++j)
      memcpy(to + (j * rows + i) * size, from + (i * columns + j) * size, size);
  }
}

/* The bytes of fan_in x fan_out as those of fan_out x fan_in, or back; takes *bytes and gives new ones. */
static void turn(char **bytes, uint64_t rows, uint64_t columns, size_t size) {
  char *turned = allocate((size_t)(rows * columns), size);
  transpose(*bytes, turned, rows, columns, size);
  free(*bytes);
  *bytes = turned;
}

static int check_finite(const session *s, const tensor_file *f, const probe_weights *w, size_t l, failure *why) {
  fanin_stats stats = {0};
  const char *name = w->layers[l].name;
  const int status =
      library_status(why, fanin_measure(s->f, s->queue, &w->tensors[l], 0, NULL, &stats, sizeof stats), name);
  if (status != STATUS_OK || stats.nonfinite == 0) return status;
  return fail(why, STATUS_INPUT, "%s: tensor '%.128s': %" PRIu64 " of %" PRIu64 " numbers are infinite or NaN", f->path,
              name, stats.nonfinite, stats.count);
}

/* Writes a tensor of the file to the rows of layer l from byte `at` on. */
static int read_tensor(const session *s, const tensor_file *f, const probe_weights *w, size_t l, const char *name,
                       size_t at, failure *why) {
  const stored_tensor *t = tensor_file_find(f, name);
  char *bytes = allocate((size_t)t->bytes, 1);
  int status = tensor_file_read(f, t->offset, bytes, (size_t)t->bytes, why);
  if (status == STATUS_OK) {
    if (w->layers[l].transposed) turn(&bytes, t->shape[0], t->shape[1], fanin_dtype_size(t->type->dtype));
    const cl_int code = clEnqueueWriteBuffer(s->queue, w->tensors[l].buffer, CL_TRUE, w->tensors[l].offset + at,
                                             (size_t)t->bytes, bytes, 0, NULL, NULL);
    status = opencl_status(why, code, "clEnqueueWriteBuffer");
  }
  free(bytes);
  return status;
}

static int read_layer(const session *s, const tensor_file *f, probe_weights *w, size_t l, failure *why) {
  const probe_layer_weights *y = &w->layers[l];
  int status = allocate_buffer(s, w, l, why);
  if (status == STATUS_OK) status = read_tensor(s, f, w, l, y->name, 0, why);
  if (status == STATUS_OK && y->second)
    status = read_tensor(s, f, w, l, y->second, (size_t)tensor_file_find(f, y->name)->bytes, why);
  return status == STATUS_OK ? check_finite(s, f, w, l, why) : status;
}

int probe_weights_bytes(const session *s, const probe_weights *w, size_t l, char **bytes, size_t *size, failure *why) {
  const fanin_tensor *t = &w->tensors[l];
  uint64_t elements, total;
  *bytes = NULL;
  int status = library_status(why, fanin_tensor_size(t, &elements, &total), NULL);
  if (status != STATUS_OK) return status;
  *size = (size_t)total;
  *bytes = allocate(*size, 1);
  status = library_status(why, fanin_read(s->f, s->queue, t, *bytes, *size, 1, 0, NULL, NULL), "reading weights");
  if (w->layers[l].transposed) turn(bytes, t->shape[0], t->shape[1], fanin_dtype_size(t->dtype));
  return status;
}

static int read_biases(const tensor_file *f, probe_weights *w, size_t l, failure *why) {
  probe_layer_weights *y = &w->layers[l];
  if (!y->bias_name) return STATUS_OK;
  const stored_tensor *t = tensor_file_find(f, y->bias_name);
  const size_t size = fanin_dtype_size(t->type->dtype);
  char *bytes = allocate((size_t)t->bytes, 1);
  const int status = tensor_file_read(f, t->offset, bytes, (size_t)t->bytes, why);
  uint64_t bad = 0;
  y->biases = allocate((size_t)t->elements, sizeof *y->biases);
  for (uint64_t j = 0; status == STATUS_OK && j < t->elements; ++j) {
    y->biases[j] = (float)stored_value(t->type->dtype, bytes + j * size);
    if (!isfinite(y->biases[j])) ++bad;
  }
  w->biases[l] = y->biases;
  free(bytes);
  if (status != STATUS_OK || bad == 0) return status;
  return fail(why, STATUS_INPUT, "%s: tensor '%.128s': %" PRIu64 " of %" PRIu64 " numbers are infinite or NaN", f->path,
              y->bias_name, bad, t->elements);
}

int probe_weights_read(probe_request *r, const session *s, probe_weights *w, failure *why) {
  tensor_file f;
  int status = tensor_file_open(r->weights, &f, why);
  if (status != STATUS_OK) return status;
  for (size_t l = 0; l < w->count && status == STATUS_OK; ++l) {
    status = read_layer(s, &f, w, l, why);
    if (status == STATUS_OK) status = read_biases(&f, w, l, why);
  }
  tensor_file_close(&f);
  if (status == STATUS_OK) status = expect_guess(s, w, why);
  if (status != STATUS_OK) return status;
  r->config.weights = w->tensors;
  r->config.weight_factors = w->factors;
  r->config.inits = w->inits;
  r->config.biases = w->biases;
  r->init_texts[0] = probe_weights_init(w);
  r->file = w;
  return STATUS_OK;
}

int probe_weights_draw(probe_request *r, const session *s, probe_weights *out, failure *why) {
  const size_t n = r->config.n_widths - 1;
  int status = STATUS_OK;
  probe_weights_allocate(out, n);
  for (size_t l = 0; l < n && status == STATUS_OK; ++l) {
    char name[64];
    const uint64_t shape[2] = {probe_rows(r, l), r->widths[l]};
    const int length = snprintf(name, sizeof name, "layer%zu.weight", l + 1);
    probe_weights_add(out, name, (size_t)length, r->config.dtype, shape);
    fanin_key key;
    status = allocate_buffer(s, out, l, why);
    if (status == STATUS_OK) status = probe_init_of(r, 0, l, &out->inits[l], why);
    if (status == STATUS_OK) status = library_status(why, fanin_key_named(r->config.seed, name, &key), name);
    if (status != STATUS_OK) break;
    const fanin_tensor *t = &out->tensors[l];
    status = library_status(why, fanin_fill(s->f, s->queue, t, &out->inits[l], key, 0, NULL, NULL), name);
  }
  r->config.weights = out->tensors;
  return status;
}
