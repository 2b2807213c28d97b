/* What the metadata of a file say of its tensors. */
#include "inspect/notes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/args.h"
#include "fanin/scheme.h"

enum { TEXT = 512 };

bool notes_tensor(const tensor_file *f, const stored_tensor *t, bool usual, fanin_tensor *out) {
  static const char *const layouts[] = {"", "", "OI", "OIW", "OIHW", "OIDHW"};
  const char *layout = tensor_file_note(f, "layout", t->name);
  *out = layout_none(t->type->dtype, t->rank, t->shape);
  if (!layout && usual && t->rank < (int)(sizeof layouts / sizeof *layouts)) layout = layouts[t->rank];
  return !layout || layout_parse(layout, strlen(layout), out);
}

/* Makes the parts of a note, which are the whole tensor together. */
static int read_parts(const char *text, const fanin_tensor *t, tensor_parts *out, failure *why) {
  const json_check in = {"metadata", why};
  const json_t *list = NULL;
  json_t *root = NULL;
  tensor_region r = {.init = NULL};
  size_t slabs = 0;
  *out = (tensor_parts){.count = 0};
  int status = json_load_bytes("metadata", text, strlen(text), &root, why);
  if (status == STATUS_OK) status = tensor_parts_read(&in, "parts", root, &list);
  if (status == STATUS_OK) status = tensor_parts_make(list, t, &(part_texts){.fans = t}, "metadata", out, why);
  while (status == STATUS_OK && tensor_parts_next(out, t, NULL, &r))
    ++slabs;
  if (status == STATUS_OK && slabs != out->count) {
    status = fail(why, STATUS_INPUT, "metadata: parts: they are not all of the tensor");
  }
  json_decref(root);
  return status;
}

/* The note "parts". */
static void take_parts_note(const tensor_file *f, const stored_tensor *t, const char *text, expectation *e) {
  failure why = {.text = ""};
  fanin_tensor tensor;
  tensor_parts parts = {.count = 0};
  e->by = BY_FILE;
  e->twin = tensor_file_note(f, "key", t->name);
  if (!notes_tensor(f, t, false, &tensor)) {
    expectation_reason(e, "its layout in the metadata is not a layout");
  } else if (read_parts(text, &tensor, &parts, &why) != STATUS_OK) {
    expectation_reason(e, "%s", why.text);
  } else {
    expectation_set_parts(e, f, &tensor, NULL, &parts);
  }
  tensor_parts_free(&parts);
}

void notes_take(const tensor_file *f, const stored_tensor *t, expectation *e) {
  double factor;
  const char *text = tensor_file_maker(f, t->name, &factor), *parts = tensor_file_note(f, "parts", t->name);
  fanin_tensor tensor;
  fanin_init parsed;
  char full[TEXT];
  const char *norm_of = tensor_file_note(f, "norm_of", t->name);
  if (parts) take_parts_note(f, t, parts, e);
  if (!parts && !text && norm_of) {
    e->by = BY_FILE;
    expectation_set_norm(e, norm_of);
  }
  if (parts || !text) return;
  e->by = BY_FILE;
  e->twin = tensor_file_note(f, "key", t->name);
  e->rescaled = factor != 1;
  const char *times = e->rescaled ? tensor_file_note(f, "factor", t->name) : NULL;
  snprintf(full, sizeof full, times ? "%.300s times %.60s" : "%.300s", text, times);
  expectation_text(e, full);
  if (!notes_tensor(f, t, false, &tensor)) {
    expectation_reason(e, "its layout in the metadata is not a layout");
  } else if (fanin_init_parse(text, &parsed) != FANIN_STATUS_OK) {
    expectation_reason(e, "its initializer in the metadata is not known");
  } else if (isnan(factor) || fanin_init_scaled(&parsed, factor, &parsed) != FANIN_STATUS_OK) {
    expectation_reason(e, "its factor in the metadata is not a positive number that the initializer takes");
  } else {
    expectation_set(e, &tensor, &parsed);
  }
}

/* Reads the note "0:32000->32064 normal:std=0.02" of a tensor that has grown: its new end is a part. False where it is
 * no such note. */
static bool read_resized(const char *text, const stored_tensor *t, tensor_parts *out) {
  const char *colon = strchr(text, ':'), *arrow = strstr(text, "->"), *blank = arrow ? strchr(arrow, ' ') : NULL;
  uint64_t dimension = 0, from = 0, to = 0;
  fanin_init init;
  if (!colon || !blank || colon > arrow || !args_u64(text, (size_t)(colon - text), &dimension)) return false;
  if (!args_u64(colon + 1, (size_t)(arrow - colon - 1), &from)) return false;
  if (!args_u64(arrow + 2, (size_t)(blank - arrow - 2), &to)) return false;
  if (dimension >= (uint64_t)t->rank || from == 0 || from >= to || to != t->shape[dimension]) return false;
  if (fanin_init_parse(blank + 1, &init) != FANIN_STATUS_OK) return false;
  out->dimension = (int)dimension;
  out->list = allocate(1, sizeof *out->list);
  out->list[out->count++] = (tensor_part){from, to, init};
  return true;
}

bool notes_take_kept(const tensor_file *f, const stored_tensor *t, expectation *e) {
  const char *kept = tensor_file_note(f, "kept", t->name), *resized = tensor_file_note(f, "resized", t->name);
  fanin_tensor tensor;
  char rest[TEXT];
  const bool around = resized && strstr(resized, " around_mean"); /* of --resize, of which nothing else is asked */
  if (kept && resized)
    expectation_reason(e, "kept from %.200s, but resized: %.300s%s", kept, resized,
                       around ? " (what is new follows from what was kept)" : "");
  else if (kept)
    expectation_reason(e, "kept from %.300s", kept);
  if (!kept || !resized || !notes_tensor(f, t, false, &tensor) || !read_resized(resized, t, &e->parts))
    return kept != NULL;
  e->known = true;
  e->by = BY_FILE;
  e->twin = tensor_file_note(f, "key", t->name);
  snprintf(rest, sizeof rest, "kept from %.300s", kept);
  e->rest = copy_text(rest, strlen(rest));
  layout_format(&tensor, e->layout);
  return true;
}
