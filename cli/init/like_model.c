/* The model that a checkpoint's tensors become, each with what was assigned to it. */
#include <stdlib.h>
#include <string.h>

#include "init/like.h"

static size_t element_bits(const assignment *a) {
  return kept_whole(&a->kept) ? a->kept.stored->type->bits : 8 * fanin_dtype_size(a->tensor.dtype);
}

static int by_size(const void *left, const void *right) {
  const assignment *const *l = left, *const *r = right;
  const size_t left_size = element_bits(*l), right_size = element_bits(*r);
  if (left_size != right_size) return left_size > right_size ? -1 : 1;
  return ((*l)->of > (*r)->of) - ((*l)->of < (*r)->of);
}

static int by_shard_and_size(const void *left, const void *right) {
  const assignment *const *l = left, *const *r = right;
  if ((*l)->of->shard != (*r)->of->shard) return (*l)->of->shard < (*r)->of->shard ? -1 : 1;
  return by_size(left, right);
}

static int add(const assignment *from, model *out, failure *why) {
  static const fanin_init none = {.kind = FANIN_KIND_ZEROS};
  char where[LIKE_PLACE];
  const char *name = from->of->stored->name, *twin = from->twin ? from->twin->stored->name : NULL;
  if (kept_whole(&from->kept)) return model_add_copied(out, name, &from->kept, from->kept.file->path, why);
  int status = from->kept.law ? model_add(out, name, &from->tensor, &none, from->kept.file->path, why)
                              : model_add(out, name, &from->tensor, &from->init,
                                          like_place(from->rule, from->of->stored, where), why);
  if (status != STATUS_OK) return status;
  if (from->parts.count > 0) {
    const tensor_parts parts = tensor_parts_copy(&from->parts);
    status = model_divide(out, &parts, where, why);
    if (status != STATUS_OK) return status;
  }
  out->tensors[out->count - 1].kept = from->kept;
  out->tensors[out->count - 1].stored_dtype = from->stored_dtype;
  if (from->norm_of) model_set_norm(out, from->norm_of->stored->name);
  if (twin) out->tensors[out->count - 1].stream_name = copy_text(twin, strlen(twin));
  return STATUS_OK;
}

int like_model(like *a, bool shards, model *out, failure *why) {
  size_t n = 0;
  int status = STATUS_OK;
  const assignment **order = allocate(a->checkpoint.count, sizeof *order);
  for (size_t i = 0; i < a->checkpoint.count; ++i) {
    if (kept_without_init(&a->list[i].kept) || !a->list[i].rule->skip) order[n++] = &a->list[i];
  }
  qsort(order, n, sizeof *order, shards ? by_shard_and_size : by_size);
  a->shard_of = allocate(n, sizeof *a->shard_of);
  for (size_t i = 0; i < n && status == STATUS_OK; ++i) {
    a->shard_of[i] = order[i]->of->shard;
    status = add(order[i], out, why);
  }
  free(order);
  return status;
}
