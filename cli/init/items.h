/* What fills a part of a model's tensor: items of a plan. No device. */
#ifndef CLI_INIT_ITEMS_H
#define CLI_INIT_ITEMS_H

#include "init/pieces.h"

typedef struct item_list {
  fanin_item *items;
  size_t count, capacity;
} item_list;

/* Adds the items that fill `where`, a dense part of the tensor, `offset` bytes into a buffer: one, or one for each slab
 * of another initializer that it meets. The caller frees list->items. */
void items_add(item_list *list, const model_tensor *t, const fanin_tensor *where, cl_mem buffer, size_t offset);

#endif
