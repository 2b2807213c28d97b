/* fanin init --keep and --resize: the tensors of files that the output gets as they are, or longer. */
#include "init/keep.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dtype.h"
#include "base/output.h"
#include "base/text.h"
#include "init/around_mean.h"
#include "init/rules.h"

/* ---- The options ------------------------------------------------------------------------------------------------- */

/* Where the last field of text[0 .. length) begins, behind a colon; 0: there is no colon. */
static size_t last_field(const char *text, size_t length) {
  while (length > 0 && text[length - 1] != ':')
    --length;
  return length;
}

/* Reads what follows the extents, which is all behind a colon: "around_mean", "around_mean:scale=1e-5". */
static int read_law(resize *r, const char *text, const char *name, failure *why) {
  static const char form[] = "around_mean", field[] = ":scale=";
  char out[64];
  const size_t length = sizeof form - 1;
  r->scale = 1e-9; /* transformers' resize_token_embeddings() has the same */
  bool known = strncmp(text, form, length) == 0;
  if (known && text[length] != '\0') {
    failure unread = {.text = ""};
    known = strncmp(text + length, field, sizeof field - 1) == 0 &&
            args_real(&r->scale, name, text + length + sizeof field - 1, &unread) == STATUS_OK && r->scale >= 0;
  }
  if (!known) {
    return args_fail(why,
                     "%s '%s': ':%.64s' says nothing of what is new; behind TO, ':around_mean' and "
                     "':around_mean:scale=S' are accepted, S a finite number of at least 0",
                     name, r->text, text);
  }
  r->scale = fabs(r->scale); /* of -0 */
  for (int digits = 15; digits <= 17; ++digits) {
    snprintf(out, sizeof out, "%s%s%.*g", form, field, digits, r->scale);
    if (strtod(out + length + sizeof field - 1, NULL) == r->scale) break;
  }
  r->law = copy_text(out, strlen(out));
  return STATUS_OK;
}

/* The last "->" of a text; NULL: there is none. */
static const char *last_arrow(const char *text) {
  const char *found = strstr(text, "->");
  for (const char *next = found; next; next = strstr(next + 2, "->"))
    found = next;
  return found;
}

int keep_resize(void *to, const char *name, const char *value, failure *why) {
  kept_files *k = to;
  const char *arrow = last_arrow(value), *law = arrow ? strchr(arrow, ':') : NULL;
  const size_t before = arrow ? (size_t)(arrow - value) : 0, extents = last_field(value, before),
               dimension = extents ? last_field(value, extents - 1) : 0;
  uint64_t d = 0;
  resize r = {.text = value};
  if (dimension < 2 || !args_u64(value + dimension, extents - 1 - dimension, &d) || d >= FANIN_MAX_RANK ||
      !args_u64(value + extents, before - extents, &r.from) ||
      !args_u64(arrow + 2, law ? (size_t)(law - arrow) - 2 : strlen(arrow + 2), &r.to) || r.from == 0) {
    return args_fail(why, "%s '%s': write PATTERN:DIMENSION:FROM->TO, as in '*embed*.weight:0:32000->32064'", name,
                     value);
  }
  if (r.to <= r.from || r.to > INT64_MAX) {
    return args_fail(why, "%s '%s': %" PRIu64 " is not more than %" PRIu64 "; tensors only grow", name, value, r.to,
                     r.from);
  }
  r.dimension = (int)d;
  r.pattern = json_stringn(value, dimension - 1);
  if (!r.pattern) return args_fail(why, "%s '%s': the pattern is not valid UTF-8", name, value);
  const int status = law ? read_law(&r, law + 1, name, why) : STATUS_OK;
  k->resizes = grow(k->resizes, &k->capacity, k->n_resizes + 1, sizeof *k->resizes);
  k->resizes[k->n_resizes++] = r;
  return status;
}

/* ---- The files --------------------------------------------------------------------------------------------------- */

/* Lists the files of a path: itself, or those that an index names, which must agree with it. */
static int list_files(kept_files *k, const char *path, size_t *capacity, failure *why) {
  checkpoint c = {0};
  if (has_ending(path, ".safetensors")) {
    k->files = grow(k->files, capacity, k->n_files + 1, sizeof *k->files);
    k->files[k->n_files++] = copy_text(path, strlen(path));
    return STATUS_OK;
  }
  if (!has_ending(path, CHECKPOINT_INDEX)) {
    return args_fail(why, "--keep '%s': the name must end in .safetensors or " CHECKPOINT_INDEX, path);
  }
  const int status = checkpoint_read(path, &c, why);
  if (status != STATUS_OK) return status;
  k->files = grow(k->files, capacity, k->n_files + c.n_files, sizeof *k->files);
  for (size_t i = 0; i < c.n_files; ++i)
    k->files[k->n_files++] = copy_text(c.paths[i], strlen(c.paths[i]));
  checkpoint_free(&c);
  return STATUS_OK;
}

int keep_read(kept_files *k, failure *why) {
  size_t capacity = 0;
  int status = STATUS_OK;
  if (k->paths.count == 0) {
    return k->n_resizes == 0 ? STATUS_OK : args_fail(why, "--resize '%s': goes with --keep FILE", k->resizes[0].text);
  }
  for (size_t i = 0; i < k->paths.count && status == STATUS_OK; ++i)
    status = list_files(k, k->paths.texts[i], &capacity, why);
  if (status == STATUS_OK) status = checkpoint_gather((const char *const *)k->files, k->n_files, &k->all, why);
  if (status == STATUS_OK) k->used = allocate(k->all.count, sizeof *k->used);
  return status;
}

bool keep_has(const kept_files *k, const char *path) {
  bool found = checkpoint_has(&k->all, path);
  for (size_t i = 0; i < k->paths.count && !found; ++i)
    found = output_is(path, k->paths.texts[i]);
  return found;
}

/* ---- Sizes ------------------------------------------------------------------------------------------------------- */

static bool has_extent(int rank, const uint64_t *shape, const resize *r) {
  return r->dimension < rank && shape[r->dimension] == r->from;
}

/* Finds the --resize that says something of a tensor with that shape in the output, or of the one that is kept for it.
 * NULL in *out: none. */
static int find_resize(kept_files *k, const char *name, int rank, const uint64_t *shape, const stored_tensor *kept,
                       resize **out, failure *why) {
  *out = NULL;
  for (size_t i = 0; i < k->n_resizes; ++i) {
    resize *r = &k->resizes[i];
    if (!init_rules_match(r->pattern, name)) continue;
    if (!has_extent(rank, shape, r) && !(kept && has_extent(kept->rank, kept->shape, r))) continue;
    if (*out) {
      return fail(why, STATUS_INPUT, "--resize '%s' and '%s' both take tensor '%.256s'; one of them is accepted",
                  (*out)->text, r->text, name);
    }
    *out = r;
  }
  if (*out) ++(*out)->taken;
  return STATUS_OK;
}

static const stored_tensor *stored_of(const kept_files *k, const char *name) {
  const checkpoint_tensor *found = checkpoint_find(&k->all, name);
  return found ? found->stored : NULL;
}

int keep_resize_checkpoint(kept_files *k, checkpoint *c, failure *why) {
  for (size_t i = 0; k->n_resizes > 0 && i < c->count; ++i) {
    resize *r;
    stored_tensor *t = checkpoint_stored(c, i);
    const int status = find_resize(k, t->name, t->rank, t->shape, stored_of(k, t->name), &r, why);
    if (status != STATUS_OK) return status;
    if (!r || !has_extent(t->rank, t->shape, r) || stored_grow(t, r->dimension, r->to)) continue;
    return fail(why, STATUS_INPUT, "--resize '%s': tensor '%.256s' of %s would be too large, or end within a byte",
                r->text, t->name, c->path);
  }
  return STATUS_OK;
}

/* ---- What is kept ------------------------------------------------------------------------------------------------ */

/* The one dimension in which a tensor is longer than what is kept for it; -1: there is none, or they differ elsewhere
 * too. */
static int growing_dimension(int rank, const uint64_t *shape, const stored_tensor *kept) {
  int found = -1;
  if (rank != kept->rank) return -1;
  for (int d = 0; d < rank; ++d) {
    if (shape[d] == kept->shape[d]) continue;
    if (found >= 0 || shape[d] < kept->shape[d] || kept->shape[d] == 0) return -1;
    found = d;
  }
  return found;
}

/* The --resize that asks for that; NULL: none does. */
static const resize *asked_for(const kept_files *k, const char *name, int dimension, uint64_t from, uint64_t to) {
  for (size_t i = 0; i < k->n_resizes; ++i) {
    const resize *r = &k->resizes[i];
    if (r->dimension == dimension && r->from == from && r->to == to && init_rules_match(r->pattern, name)) return r;
  }
  return NULL;
}

/* "f32, f16, ...": what has numbers, of which there are means. */
static char *list_dtypes(char *out, size_t size) {
  size_t used = 0;
  out[0] = '\0';
  for (int dtype = 0; fanin_dtype_size((fanin_dtype)dtype) > 0 && used < size; ++dtype) {
    used += (size_t)snprintf(out + used, size - used, "%s%s", dtype ? ", " : "", fanin_dtype_name((fanin_dtype)dtype));
  }
  return out;
}

/* Checks that rows of a tensor can be drawn from those that there are. */
static int check_law(const resize *r, const stored_tensor *t, const char *path, failure *why) {
  char dtypes[128];
  uint64_t width = 1;
  for (int d = r->dimension + 1; d < t->rank; ++d)
    width *= t->shape[d];
  if (!t->type->measurable) {
    return fail(why, STATUS_INPUT,
                "--resize '%s': tensor '%.256s' is %s in %.200s; rows of %s are drawn around their mean", r->text,
                t->name, t->type->name, path, list_dtypes(dtypes, sizeof dtypes));
  }
  if (t->rank > FANIN_MAX_RANK) {
    return fail(why, STATUS_INPUT,
                "--resize '%s': tensor '%.256s' has %d dimensions; of at most %d, rows are drawn around their mean",
                r->text, t->name, t->rank, FANIN_MAX_RANK);
  }
  if (width <= AROUND_MEAN_MOST_WIDTH) return STATUS_OK;
  return fail(why, STATUS_INPUT,
              "--resize '%s': tensor '%.256s' has rows of %" PRIu64
              " elements behind dimension %d; of at most %d, rows are drawn around their mean",
              r->text, t->name, width, r->dimension, AROUND_MEAN_MOST_WIDTH);
}

/* "F32 8x4" */
static char *kind_text(const char *type, int rank, const uint64_t *shape, char out[TEXT_SHAPE + 32]) {
  char text[TEXT_SHAPE];
  snprintf(out, TEXT_SHAPE + 32, "%.24s %s", type, text_shape(shape, rank, text));
  return out;
}

int keep_find(kept_files *k, const char *name, const char *type, int rank, const uint64_t *shape, kept_tensor *out,
              failure *why) {
  char here[TEXT_SHAPE + 32], wanted[TEXT_SHAPE + 32], advice[768];
  const checkpoint_tensor *found = checkpoint_find(&k->all, name);
  *out = (kept_tensor){.file = NULL};
  if (!found) return STATUS_OK;
  const stored_tensor *t = found->stored;
  const bool same_type = strcmp(type, t->type->name) == 0, same_shape = stored_same_shape(rank, shape, t);
  const int d = growing_dimension(rank, shape, t);
  const resize *by = d >= 0 ? asked_for(k, name, d, t->shape[d], shape[d]) : NULL;
  if (same_type && (same_shape || by)) {
    k->used[found - k->all.tensors] = true;
    *out = (kept_tensor){.file = &k->all.files[found->shard], .stored = t, .grows = by != NULL};
    if (!by) return STATUS_OK;
    out->dimension = d;
    out->law = by->law;
    out->scale = by->scale;
    return by->law ? check_law(by, t, out->file->path, why) : STATUS_OK;
  }
  if (!same_type) {
    snprintf(advice, sizeof advice,
             "nothing is converted: give the output that dtype (as --dtype does for all tensors), or leave that file "
             "out");
  } else if (d >= 0) {
    snprintf(advice, sizeof advice,
             "--resize '%.512s:%d:%" PRIu64 "->%" PRIu64 "' keeps what is there and draws the rest", name, d,
             t->shape[d], shape[d]);
  } else {
    snprintf(advice, sizeof advice, "only whole tensors are kept: give the output that shape, or leave that file out");
  }
  return fail(why, STATUS_INPUT, "tensor '%.256s' is %s in %.200s, but %s in the output; %s", name,
              kind_text(t->type->name, t->rank, t->shape, here), k->all.paths[found->shard],
              kind_text(type, rank, shape, wanted), advice);
}

static int keep_tensor(kept_files *k, model_tensor *t, failure *why) {
  resize *r;
  int status = find_resize(k, t->name, t->tensor.rank, t->tensor.shape, stored_of(k, t->name), &r, why);
  if (status == STATUS_OK && r && has_extent(t->tensor.rank, t->tensor.shape, r)) {
    t->tensor.shape[r->dimension] = r->to;
    status = model_check_tensor(t, t->name, why);
  }
  if (status != STATUS_OK) return status;
  return keep_find(k, t->name, dtype_info(t->tensor.dtype).safetensors, t->tensor.rank, t->tensor.shape, &t->kept, why);
}

int keep_model(kept_files *k, model *m, failure *why) {
  int status = STATUS_OK;
  for (size_t i = 0; i < m->count && status == STATUS_OK; ++i)
    status = keep_tensor(k, &m->tensors[i], why);
  if (!m->format) m->format = k->all.format;
  return status;
}

/* ---- What is not ------------------------------------------------------------------------------------------------- */

/* The names of the first tensors that the output does not have, and how many there are. */
static size_t list_unused(const kept_files *k, char *out, size_t size) {
  enum { SHOWN = 4 };
  size_t unused = 0, used = 0;
  out[0] = '\0';
  for (size_t i = 0; i < k->all.count; ++i) {
    if (k->used[i] || unused++ >= SHOWN || used >= size - 1) continue;
    used +=
        (size_t)snprintf(out + used, size - used, "%s'%.96s'", used > 0 ? ", " : "", k->all.tensors[i].stored->name);
  }
  if (unused > SHOWN && used < size - 1) snprintf(out + used, size - used, ", ...");
  return unused;
}

/* Refuses a tensor that no file has and whose new rows should be drawn from those that there are. */
static int check_missing(const kept_files *k, const model_tensor *t, failure *why) {
  for (size_t i = 0; i < k->n_resizes && !t->kept.file; ++i) {
    const resize *r = &k->resizes[i];
    if (!r->law || r->dimension >= t->tensor.rank || t->tensor.shape[r->dimension] != r->to) continue;
    if (!init_rules_match(r->pattern, t->name)) continue;
    return fail(why, STATUS_INPUT,
                "--resize '%s': no file of --keep has tensor '%.256s', so that there are no rows to draw new ones "
                "around; without :around_mean, it is drawn by its initializer",
                r->text, t->name);
  }
  return STATUS_OK;
}

int keep_check(const kept_files *k, const model *m, failure *why) {
  char names[512];
  int status = STATUS_OK;
  if (list_unused(k, names, sizeof names) == k->all.count) {
    return fail(why, STATUS_INPUT,
                "--keep %s: the output has none of its tensors, %s; the names must be the same to the letter",
                k->paths.texts[0], names);
  }
  for (size_t i = 0; i < k->n_resizes; ++i) {
    const resize *r = &k->resizes[i];
    if (r->taken > 0) continue;
    return fail(why, STATUS_INPUT, "--resize '%s': no tensor that matches has %" PRIu64 " in dimension %d", r->text,
                r->from, r->dimension);
  }
  for (size_t i = 0; i < m->count && status == STATUS_OK; ++i)
    status = check_missing(k, &m->tensors[i], why);
  return status;
}

void keep_note(const kept_files *k, const char *program, const char *command) {
  char names[512];
  const size_t unused = k->used ? list_unused(k, names, sizeof names) : 0;
  if (unused == 0) return;
  fprintf(stderr, "%s: %s: note: %zu tensor%s of --keep %s not in the output: %s\n", program, command, unused,
          text_plural(unused), unused == 1 ? "is" : "are", text_plain(names, '\0'));
}

json_t *keep_unused_json(const kept_files *k) {
  json_t *list = json_array();
  for (size_t i = 0; k->used && i < k->all.count; ++i) {
    if (!k->used[i]) json_array_append_new(list, json_string(k->all.tensors[i].stored->name));
  }
  return list;
}

void keep_free(kept_files *k) {
  for (size_t i = 0; i < k->n_resizes; ++i) {
    json_decref(k->resizes[i].pattern);
    free(k->resizes[i].law);
  }
  checkpoint_free(&k->all);
  for (size_t i = 0; i < k->n_files; ++i)
    free(k->files[i]);
  free(k->resizes);
  free(k->files);
  free(k->used);
  free(k->paths.texts);
  *k = (kept_files){.n_files = 0};
}
