/* What fills a part of a model's tensor: items of a plan. */
#include "init/items.h"

#include <string.h>

static void add(item_list *list, const model_tensor *t, const fanin_tensor *where, const fanin_init *init,
                cl_mem buffer, size_t offset) {
  fanin_key key = {0, 0};
  fanin_key_named(0, t->stream_name ? t->stream_name : t->name, &key); /* fails for no name that there is */
  list->items = grow(list->items, &list->capacity, list->count + 1, sizeof *list->items);
  fanin_item *item = &list->items[list->count++];
  *item = (fanin_item){.tensor = *where, .init = *init, .stream = key.stream};
  item->tensor.buffer = buffer;
  item->tensor.offset = offset;
}

/* Adds what two slabs of the tensor have in common, in the memory of `box`, which is dense. */
static void add_common(item_list *list, const model_tensor *t, const fanin_tensor *box, const tensor_region *r,
                       cl_mem buffer, size_t offset) {
  const int d = t->parts.dimension;
  const uint64_t end = box->start[d] + box->extent[d];
  const uint64_t from = r->first > box->start[d] ? r->first : box->start[d], to = r->end < end ? r->end : end;
  uint64_t start[FANIN_MAX_RANK], extent[FANIN_MAX_RANK], strides[FANIN_MAX_RANK], step = 1;
  fanin_tensor common;
  if (from >= to) return;
  memcpy(start, box->start, sizeof start);
  memcpy(extent, box->extent, sizeof extent);
  start[d] = from;
  extent[d] = to - from;
  for (int k = t->tensor.rank - 1; k >= 0; --k) {
    strides[k] = step;
    step *= box->extent[k];
  }
  fanin_tensor_slab(&t->tensor, start, extent, &common); /* neither can fail: a part of a part */
  fanin_tensor_strided(&common, strides, &common);
  offset += (size_t)((from - box->start[d]) * strides[d]) * fanin_dtype_size(t->tensor.dtype);
  add(list, t, &common, r->init, buffer, offset);
}

void items_add(item_list *list, const model_tensor *t, const fanin_tensor *where, cl_mem buffer, size_t offset) {
  const uint64_t elements = part_elements(where);
  if (t->parts.count == 0) {
    add(list, t, where, &t->init, buffer, offset);
    return;
  }
  for (uint64_t done = 0; done < elements;) {
    const fanin_tensor box = part_slab(where, done);
    tensor_region r = {.init = NULL};
    while (tensor_parts_next(&t->parts, &t->tensor, &t->init, &r))
      add_common(list, t, &box, &r, buffer, offset + (size_t)done * fanin_dtype_size(t->tensor.dtype));
    done += part_elements(&box);
  }
}
