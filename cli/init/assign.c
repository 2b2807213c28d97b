/* Gives the tensors of a checkpoint their initializers, by rules. */
#include "init/like.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fanin/scheme.h"
#include "formats/tensor_text.h"

enum { TEXT = 512 };

/* ---- Which rule -------------------------------------------------------------------------------------------------- */

/* The tensor whose fans the rule's schemes see: its name is this one with the last `fans_from` replaced by `fans_to`,
 * and it has two dimensions or more. NULL: there is none. */
static const checkpoint_tensor *fans_of(const like *a, const init_rule *r, const char *name) {
  const char *at = NULL;
  for (const char *next = strstr(name, r->fans_from); next; next = strstr(next + 1, r->fans_from))
    at = next;
  if (!at) return NULL;
  const size_t size = strlen(name) + strlen(r->fans_to) + 1;
  char *other = allocate(size, 1);
  snprintf(other, size, "%.*s%s%s", (int)(at - name), name, r->fans_to, at + strlen(r->fans_from));
  const checkpoint_tensor *found = checkpoint_find(&a->checkpoint, other);
  free(other);
  return found && found->stored->rank >= 2 ? found : NULL;
}

/* Whether a rule takes the tensor. A rule that looks at another tensor takes only tensors for which that one exists. */
static bool takes(const like *a, const init_rule *r, const stored_tensor *t) {
  if (!init_rule_takes(r, t)) return false;
  if (r->fans_from) return fans_of(a, r, t->name) != NULL;
  if (!r->same_as) return true;
  const checkpoint_tensor *twin = checkpoint_find(&a->checkpoint, r->same_as);
  return twin && twin->stored != t;
}

static const init_rule *find_rule(const like *a, const stored_tensor *t) {
  for (size_t i = 0; i < a->rules.count; ++i) {
    if (takes(a, &a->rules.rules[i], t)) return &a->rules.rules[i];
  }
  return NULL;
}

/* ---- Values: numbers with names in the texts of rules, "{layers}" ------------------------------------------------ */

enum { MOST_VALUES = 32 };

static int unknown(const like *a, const char *where, const char *name, failure *why) {
  char known[TEXT_KNOWN];
  const char *names[MOST_VALUES], *key;
  size_t n = 0;
  json_t *value;
  json_object_foreach((json_t *)a->rules.values, key, value) {
    if (n < MOST_VALUES) names[n++] = key;
  }
  return fail(why, STATUS_INPUT, "%s: rules %.128s have no value '%s'%s", where, a->rules.name, name,
              n > 0 ? text_known(name, names, n, "they have", known) : " and no other");
}

static int check_set(const like *a, failure *why) {
  const char *name;
  json_t *value;
  json_object_foreach((json_t *)a->set, name, value) {
    if (!json_object_get(a->rules.values, name)) return unknown(a, "--set", name, why);
  }
  return STATUS_OK;
}

/* Counts the tensors that match. */
static double count_of(const like *a, const json_t *patterns) {
  double count = 0;
  for (size_t i = 0; i < a->checkpoint.count; ++i)
    count += init_rules_match(patterns, a->checkpoint.tensors[i].stored->name);
  return count;
}

/* An extent of the first tensor that matches; 0: no tensor matches. */
static double size_of(const like *a, const json_t *pair) {
  const json_t *patterns = json_array_get(pair, 0);
  const json_int_t dimension = json_integer_value(json_array_get(pair, 1));
  for (size_t i = 0; i < a->checkpoint.count; ++i) {
    const stored_tensor *t = a->checkpoint.tensors[i].stored;
    if (!init_rules_match(patterns, t->name)) continue;
    return dimension >= 0 && dimension < t->rank ? (double)t->shape[dimension] : 0;
  }
  return 0;
}

static int find_value(const like *a, const char *name, const char *where, double *out, failure *why) {
  const json_t *given = json_object_get(a->set, name), *value = json_object_get(a->rules.values, name);
  if (given) value = given;
  if (!value) return unknown(a, where, name, why);
  if (json_is_number(value)) {
    *out = json_number_value(value);
    return STATUS_OK;
  }
  const json_t *count = json_object_get(value, "count"), *size = json_object_get(value, "size");
  *out = count ? count_of(a, count) : size ? size_of(a, size) : 0;
  if (*out > 0) return STATUS_OK;
  return fail(why, STATUS_INPUT, "%s: the value '%s' %s; give --set %s=NUMBER", where, name,
              json_is_null(value) ? "must be given" : "cannot be read off the checkpoint's names and shapes", name);
}

/* Copies the text with each {name} replaced by its number. */
static int rule_text(const like *a, const char *text, const char *where, char *out, size_t size, failure *why) {
  size_t used = 0;
  for (const char *at = text; *at;) {
    if (*at == '{') {
      const char *close = strchr(at, '}');
      const size_t length = close ? (size_t)(close - at) - 1 : 0;
      char name[65];
      double value = 0;
      if (length == 0 || length >= sizeof name) {
        return fail(why, STATUS_INPUT, "%s: '%.64s' has a brace that does not belong to a {value}", where, at);
      }
      snprintf(name, sizeof name, "%.*s", (int)length, at + 1);
      const int status = find_value(a, name, where, &value, why);
      if (status != STATUS_OK) return status;
      used += (size_t)snprintf(out + used, size - used, "%.17g", value);
      at = close + 1;
    } else {
      out[used++] = *at++;
    }
    if (used + 1 >= size) return fail(why, STATUS_INPUT, "%s: '%.64s...' is too long", where, text);
  }
  out[used] = '\0';
  return STATUS_OK;
}

/* ---- What it says ------------------------------------------------------------------------------------------------ */

/* "rules gpt2: rules[3], tensor 'h.0.attn.c_attn.weight'" */
static char *place_of(const like *a, const init_rule *r, const stored_tensor *t, char out[TEXT]) {
  snprintf(out, TEXT, "rules %.128s: rules[%td], tensor '%.256s'", a->rules.name, r - a->rules.rules, t->name);
  return out;
}

/* The tensor, with the layout that the rule gives it. */
static int shape_tensor(const like *a, const init_rule *r, const stored_tensor *t, fanin_tensor *out, failure *why) {
  char where[TEXT], layout[TEXT];
  place_of(a, r, t, where);
  if (t->rank > FANIN_MAX_RANK) {
    return fail(why, STATUS_INPUT, "%s: has %d dimensions; at most %d are accepted", where, t->rank, FANIN_MAX_RANK);
  }
  *out = layout_none(t->type->dtype, t->rank, t->shape);
  if (!r->layout) return STATUS_OK;
  const int status = rule_text(a, r->layout, where, layout, sizeof layout, why);
  if (status != STATUS_OK || layout_parse(layout, strlen(layout), out)) return status;
  return fail(
      why, STATUS_INPUT,
      "%s: layout '%s': write one letter for each dimension (O, I, B, D, H, W), then if needed ,groups=N and ,splits=N",
      where, layout);
}

/* Computes the product of the rule's schemes with the fans of `t`. */
static int read_factor(const like *a, const init_rule *r, const fanin_tensor *t, const char *where, double *factor,
                       failure *why) {
  const char *text;
  char scheme[TEXT];
  *factor = 1;
  for (size_t i = 0; (text = init_rules_text(r->scale, i)); ++i) {
    double one = 1;
    int status = rule_text(a, text, where, scheme, sizeof scheme, why);
    if (status == STATUS_OK) status = library_status(why, fanin_scheme_factor(scheme, t, &one), where);
    if (status != STATUS_OK) return status;
    *factor *= one;
  }
  return STATUS_OK;
}

/* The tensor whose fans the schemes use: this one, or another one with the layout that its own rule gives it. */
static int fans_tensor(const like *a, const assignment *to, fanin_tensor *out, failure *why) {
  *out = to->tensor;
  if (!to->rule->fans_from) return STATUS_OK;
  const stored_tensor *other = fans_of(a, to->rule, to->of->stored->name)->stored;
  const init_rule *rule = find_rule(a, other);
  return rule ? shape_tensor(a, rule, other, out, why) : STATUS_OK; /* a tensor without a rule is refused elsewhere */
}

static int read_init(const like *a, assignment *to, const char *where, failure *why) {
  char text[TEXT];
  fanin_tensor fans;
  fanin_init plain;
  double factor = 1;
  int status = rule_text(a, to->rule->init, where, text, sizeof text, why);
  if (status != STATUS_OK) return status;
  status = library_status(why, fanin_init_parse(text, &plain), where);
  if (status == STATUS_OK) status = fans_tensor(a, to, &fans, why);
  if (status == STATUS_OK) status = read_factor(a, to->rule, &fans, where, &factor, why);
  if (status != STATUS_OK) return status;
  return library_status(why, fanin_init_scaled(&plain, factor, &to->init), where);
}

/* Finds the dtype. Zeros of a dtype that the library does not have are made as zeros of a floating-point dtype of the
 * same size. */
static int read_dtype(const like *a, assignment *to, const char *where, failure *why) {
  const stored_type *type = to->of->stored->type;
  const bool floating = type->measurable || type->name[0] == 'F'; /* F4, F8_E8M0: --dtype takes their place too */
  if (floating && a->dtype) to->tensor.dtype = *a->dtype;
  if (type->measurable || (floating && a->dtype)) return STATUS_OK;
  if (to->init.kind == FANIN_KIND_ZEROS && type->bits >= 16) {
    to->tensor.dtype = type->bits == 64 ? FANIN_DTYPE_F64 : type->bits == 32 ? FANIN_DTYPE_F32 : FANIN_DTYPE_F16;
    to->stored_dtype = type->name;
    return STATUS_OK;
  }
  return fail(why, STATUS_INPUT, "%s: has dtype %s, %s; let a rule before this one skip it", where, type->name,
              floating          ? "which fanin does not write: give --dtype"
              : type->bits < 16 ? "which fanin does not write"
                                : "of which fanin writes zeros only: let the rule say \"init\": \"zeros\"");
}

static int read_rule(const like *a, assignment *to, failure *why) {
  char where[TEXT];
  place_of(a, to->rule, to->of->stored, where);
  if (to->rule->skip || to->rule->same_as) return STATUS_OK;
  int status = shape_tensor(a, to->rule, to->of->stored, &to->tensor, why);
  if (status == STATUS_OK) status = read_init(a, to, where, why);
  return status == STATUS_OK ? read_dtype(a, to, where, why) : status;
}

static bool same_shape(const stored_tensor *x, const stored_tensor *y) {
  for (int d = 0; d < x->rank && x->rank == y->rank; ++d) {
    if (x->shape[d] != y->shape[d]) return false;
  }
  return x->rank == y->rank;
}

/* Gives a tensor the initializer of its twin. Called after all others have theirs. */
static int read_twin(const like *a, assignment *to, failure *why) {
  char where[TEXT];
  const checkpoint_tensor *twin = checkpoint_find(&a->checkpoint, to->rule->same_as);
  const assignment *of = &a->list[twin - a->checkpoint.tensors];
  place_of(a, to->rule, to->of->stored, where);
  if (!of->rule || !of->rule->init || of->stored_dtype || !to->of->stored->type->measurable) {
    return fail(why, STATUS_INPUT, "%s: same_as '%.256s', which no rule gives an initializer of floating-point values",
                where, twin->stored->name);
  }
  if (!same_shape(to->of->stored, twin->stored)) {
    return fail(why, STATUS_INPUT, "%s: does not have the shape of '%.256s', whose values it should have", where,
                twin->stored->name);
  }
  to->twin = twin;
  to->tensor = of->tensor;
  to->tensor.dtype = a->dtype ? *a->dtype : to->of->stored->type->dtype;
  to->init = of->init;
  return STATUS_OK;
}

/* ---- All of them ------------------------------------------------------------------------------------------------- */

static int refuse_untaken(const like *a, failure *why) {
  enum { SHOWN = 4 };
  char names[TEXT] = "";
  size_t untaken = 0, used = 0;
  for (size_t i = 0; i < a->checkpoint.count; ++i) {
    const stored_tensor *t = a->list[i].of->stored;
    if (a->list[i].rule || untaken++ >= SHOWN || used >= sizeof names - 1) continue;
    used += (size_t)snprintf(names + used, sizeof names - used, "%s'%.96s'", used > 0 ? ", " : "", t->name);
  }
  if (untaken == 0) return STATUS_OK;
  return fail(why, STATUS_INPUT,
              "%s: no rule of %.128s takes %zu of its %zu tensors: %s%s. Other --rules may, or a file of your own with "
              "rules that give them an 'init' or 'skip' them (docs/checkpoints.md)",
              a->checkpoint.path, a->rules.name, untaken, a->checkpoint.count, names, untaken > SHOWN ? ", ..." : "");
}

int like_assign(like *a, failure *why) {
  const checkpoint *c = &a->checkpoint;
  a->list = allocate(c->count, sizeof *a->list);
  for (size_t i = 0; i < c->count; ++i) {
    const bool left_out = a->partial && !c->tensors[i].stored->type->measurable;
    a->list[i] = (assignment){.of = &c->tensors[i], .rule = left_out ? NULL : find_rule(a, c->tensors[i].stored)};
  }
  int status = a->partial ? STATUS_OK : refuse_untaken(a, why);
  if (status == STATUS_OK) status = check_set(a, why);
  for (size_t i = 0; status == STATUS_OK && i < c->count; ++i) { /* every tensor has a rule now */
    if (a->list[i].rule) status = read_rule(a, &a->list[i], why);
  }
  for (size_t i = 0; status == STATUS_OK && i < c->count; ++i) {
    if (a->list[i].rule && a->list[i].rule->same_as) status = read_twin(a, &a->list[i], why);
  }
  return status;
}

/* ---- The model --------------------------------------------------------------------------------------------------- */

static int by_size(const void *left, const void *right) {
  const assignment *const *l = left, *const *r = right;
  const size_t left_size = fanin_dtype_size((*l)->tensor.dtype), right_size = fanin_dtype_size((*r)->tensor.dtype);
  if (left_size != right_size) return left_size > right_size ? -1 : 1;
  return ((*l)->of > (*r)->of) - ((*l)->of < (*r)->of);
}

static int by_shard_and_size(const void *left, const void *right) {
  const assignment *const *l = left, *const *r = right;
  if ((*l)->of->shard != (*r)->of->shard) return (*l)->of->shard < (*r)->of->shard ? -1 : 1;
  return by_size(left, right);
}

static int add(const like *a, const assignment *from, model *out, failure *why) {
  char where[TEXT];
  const char *name = from->of->stored->name, *twin = from->twin ? from->twin->stored->name : NULL;
  const int status =
      model_add(out, name, &from->tensor, &from->init, place_of(a, from->rule, from->of->stored, where), why);
  if (status != STATUS_OK) return status;
  out->tensors[out->count - 1].stored_dtype = from->stored_dtype;
  if (twin) out->tensors[out->count - 1].stream_name = copy_text(twin, strlen(twin));
  return STATUS_OK;
}

int like_model(like *a, bool shards, model *out, failure *why) {
  size_t n = 0;
  int status = STATUS_OK;
  const assignment **order = allocate(a->checkpoint.count, sizeof *order);
  for (size_t i = 0; i < a->checkpoint.count; ++i) {
    if (!a->list[i].rule->skip) order[n++] = &a->list[i];
  }
  qsort(order, n, sizeof *order, shards ? by_shard_and_size : by_size);
  a->shard_of = allocate(n, sizeof *a->shard_of);
  for (size_t i = 0; i < n && status == STATUS_OK; ++i) {
    a->shard_of[i] = order[i]->of->shard;
    status = add(a, order[i], out, why);
  }
  free(order);
  return status;
}
