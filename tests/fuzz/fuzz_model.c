/* Model files: what one describes becomes a safetensors header that reads back as the same tensors. */
#include <stdlib.h>
#include <string.h>

#include "formats/model.h"
#include "formats/safetensors.h"
#include "formats/tensor_file.h"
#include "fuzz.h"

static void same(const model_tensor *m, const stored_tensor *s) {
  FUZZ_REQUIRE(strcmp(m->name, s->name) == 0 && m->tensor.rank == s->rank && s->type->measurable);
  FUZZ_REQUIRE(m->tensor.dtype == s->type->dtype && model_bytes(m) == s->bytes && model_elements(m) == s->elements);
  for (int d = 0; d < s->rank; ++d)
    FUZZ_REQUIRE(m->tensor.shape[d] == s->shape[d]);
}

/* The parts of a note are those of the model, and all of the tensor. */
static void same_parts(const model_tensor *m, const tensor_file *f) {
  const char *note = tensor_file_note(f, "parts", m->name);
  tensor_parts made;
  failure why = {0};
  FUZZ_REQUIRE((note != NULL) == (m->parts.count > 0));
  if (!note) return;
  json_t *array = json_loads(note, 0, NULL);
  const int status = tensor_parts_make(array, &m->tensor, &(part_texts){.fans = &m->tensor}, "note", &made, &why);
  FUZZ_REQUIRE(array && fuzz_verdict(status, &why));
  json_t *again = tensor_parts_json(&made, &m->tensor, NULL);
  FUZZ_REQUIRE(json_equal(array, again) && made.count >= m->parts.count);
  json_decref(again);
  json_decref(array);
  tensor_parts_free(&made);
}

static void read_back(const model *m) {
  char *header = NULL;
  size_t size = 0;
  uint64_t elements, bytes;
  tensor_file f;
  failure why = {0};
  if (!fuzz_verdict(safetensors_header(m, 1, &header, &size, &why), &why)) return; /* it may be too long */
  model_totals(m, &elements, &bytes);
  const char *path = fuzz_file(".safetensors", header, size, bytes);
  free(header);
  if (!path) return;
  FUZZ_REQUIRE(fuzz_verdict(tensor_file_open(path, &f, &why), &why) && f.count == m->count);
  for (size_t i = 0; i < f.count; ++i) {
    same(&m->tensors[i], &f.tensors[i]);
    same_parts(&m->tensors[i], &f);
  }
  tensor_file_close(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  model m;
  failure why = {0};
  const char *path = fuzz_file(".safetensors", data, size, 0); /* model_load() takes any name */
  if (path && fuzz_verdict(model_load(path, NULL, &m, &why), &why)) {
    read_back(&m);
    model_free(&m);
  }
  return 0;
}
