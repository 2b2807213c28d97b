/* What the user names: --init, --like, --rules and --set of 'fanin inspect'. */
#include "inspect/wishes.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "formats/tensor_text.h"

/* Whether a text is an initializer, with schemes before it or none: for some tensor that has fans. */
static int read_text(const char *text, const char *context, failure *why) {
  const fanin_tensor any = {.dtype = FANIN_DTYPE_F32, .rank = 2, .shape = {1, 1}, .layout = "OI"};
  fanin_init unused;
  return init_text_parse(text, &any, &unused, context, why);
}

/* Reads INIT or NAME=INIT. A name may have '=' in it, and an initializer has, so that the text is divided at the first
 * '=' that leaves an initializer behind it. Where there is none, the sentence is of what stands behind a tensor's name,
 * or of the whole text. */
static int read_init(const wishes *w, const char *text, named_init *out, failure *why) {
  failure unused = {.text = ""};
  const char *named = NULL; /* what stands behind a tensor's name */
  out->text = text;
  if (read_text(text, NULL, &unused) == STATUS_OK) return STATUS_OK;
  for (const char *equal = strchr(text, '='); equal; equal = strchr(equal + 1, '=')) {
    char *name = copy_text(text, (size_t)(equal - text));
    const bool there = checkpoint_find(&w->like.checkpoint, name);
    if (read_text(equal + 1, NULL, &unused) == STATUS_OK) {
      out->tensor = name;
      out->text = equal + 1;
      if (there) return STATUS_OK;
      return fail(why, STATUS_INPUT, "--init '%.256s': there is no tensor '%.256s'", text, name);
    }
    if (there && !named) named = equal + 1;
    free(name);
  }
  return read_text(named ? named : text, "--init", why);
}

static int read_inits(wishes *w, failure *why) {
  size_t of_all = 0;
  w->inits = allocate(w->texts.count, sizeof *w->inits);
  for (size_t i = 0; i < w->texts.count; ++i) {
    const int status = read_init(w, w->texts.texts[i], &w->inits[w->n_inits++], why);
    if (status != STATUS_OK) return status;
    if (!w->inits[i].tensor && ++of_all > 1) {
      return args_fail(why, "--init '%s': a second one for all tensors; write NAME=INIT for single ones",
                       w->inits[i].text);
    }
  }
  return STATUS_OK;
}

/* The model's tensors must have the shapes that they have in the checkpoint. */
static int read_model(wishes *w, failure *why) {
  char is[TEXT_SHAPE], should_be[TEXT_SHAPE];
  const int status = model_load(w->model_path, w->like.set, &w->model, why);
  w->of_model = allocate(w->like.checkpoint.count, sizeof *w->of_model);
  for (size_t i = 0; status == STATUS_OK && i < w->model.count; ++i) {
    const fanin_tensor *t = &w->model.tensors[i].tensor;
    const checkpoint_tensor *found = checkpoint_find(&w->like.checkpoint, w->model.tensors[i].name);
    if (!found) continue;
    w->of_model[found - w->like.checkpoint.tensors] = &w->model.tensors[i];
    text_shape(found->stored->shape, found->stored->rank, is);
    text_shape(t->shape, t->rank, should_be);
    if (strcmp(is, should_be) == 0) continue;
    return fail(why, STATUS_INPUT, "--like %s: tensor '%.256s' has the shape %s there, and %s in %s", w->model_path,
                w->model.tensors[i].name, should_be, is, w->like.checkpoint.path);
  }
  return status;
}

int wishes_load(wishes *w, failure *why) {
  if (w->like.set && !w->like.rules_name && !w->model_path) return args_fail(why, "--set goes with --rules or --like");
  int status = read_inits(w, why);
  if (status == STATUS_OK && w->model_path) status = read_model(w, why);
  return status == STATUS_OK ? like_expect(&w->like, why) : status;
}

void wishes_free(wishes *w) {
  for (size_t i = 0; i < w->n_inits; ++i)
    free(w->inits[i].tensor);
  free(w->inits);
  free(w->of_model);
  free(w->texts.texts);
  model_free(&w->model);
  like_free(&w->like);
  *w = (wishes){.n_inits = 0};
}

const char *wishes_missing(const wishes *w, size_t *at) {
  while (*at < w->model.count) {
    const char *name = w->model.tensors[(*at)++].name;
    if (!checkpoint_find(&w->like.checkpoint, name)) return name;
  }
  return NULL;
}
