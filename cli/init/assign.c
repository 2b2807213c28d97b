/* Gives the tensors of a checkpoint their initializers, by rules. */
#include "init/like.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dtype.h"
#include "base/text.h"
#include "fanin/scheme.h"
#include "formats/norms.h"
#include "formats/tensor_text.h"
#include "init/rule_values.h"

enum { TEXT = LIKE_PLACE };

/* ---- Which rule -------------------------------------------------------------------------------------------------- */

/* "h.0.attn.bias" of "h.0.attn.weight": the name with the last `from` replaced, which the caller frees. NULL: the name
 * does not have it. */
static char *partner_name(const init_partner *p, const char *name) {
  const char *at = NULL;
  for (const char *next = strstr(name, p->from); next; next = strstr(next + 1, p->from))
    at = next;
  if (!at) return NULL;
  const size_t size = strlen(name) + strlen(p->to) + 1;
  char *other = allocate(size, 1);
  snprintf(other, size, "%.*s%s%s", (int)(at - name), name, p->to, at + strlen(p->from));
  return other;
}

/* The tensor of that name; NULL: there is none. */
static const checkpoint_tensor *partner_of(const like *a, const init_partner *p, const char *name) {
  char *other = partner_name(p, name);
  const checkpoint_tensor *found = other ? checkpoint_find(&a->checkpoint, other) : NULL;
  free(other);
  return found;
}

static bool has_neighbour(const like *a, const init_partner *p, const char *name) {
  const checkpoint_tensor *other = partner_of(a, p, name);
  return other && (p->rank < 0 || p->rank == other->stored->rank);
}

/* What the rule makes of the tensor. */
typedef enum taking { TAKES_NOT, TAKES, LACKS_PARTNER } taking;

/* A rule by the fans of another tensor takes those whose other tensor has fans. Where there is no other tensor at all,
 * the rule decides too, and the answer is an error: no later rule may take the tensor for something else. So does one
 * by the norms of another tensor. */
static taking takes(const like *a, const init_rule *r, const stored_tensor *t) {
  if (r->idle || !init_rule_takes(r, t)) return TAKES_NOT;
  if (r->beside.from && !has_neighbour(a, &r->beside, t->name)) return TAKES_NOT;
  if (r->fans_of.from) {
    if (!strstr(t->name, r->fans_of.from)) return TAKES_NOT;
    const checkpoint_tensor *other = partner_of(a, &r->fans_of, t->name);
    return !other ? LACKS_PARTNER : other->stored->rank >= 2 ? TAKES : TAKES_NOT;
  }
  if (r->norm_of.from) {
    if (!strstr(t->name, r->norm_of.from)) return TAKES_NOT;
    return partner_of(a, &r->norm_of, t->name) ? TAKES : LACKS_PARTNER;
  }
  if (!r->same_as) return TAKES;
  const checkpoint_tensor *twin = checkpoint_find(&a->checkpoint, r->same_as);
  return twin && twin->stored != t ? TAKES : TAKES_NOT;
}

static const init_rule *find_rule(const like *a, const stored_tensor *t) {
  for (size_t i = 0; i < a->rules.count; ++i) {
    if (takes(a, &a->rules.rules[i], t) != TAKES_NOT) return &a->rules.rules[i];
  }
  return NULL;
}

/* ---- What it says ------------------------------------------------------------------------------------------------ */

char *like_place(const init_rule *r, const stored_tensor *t, char out[LIKE_PLACE]) {
  char place[RULE_PLACE];
  snprintf(out, TEXT, "%s, tensor '%.250s'", init_rule_place(r, place), t->name);
  return out;
}

/* The tensor, with the layout that the rule gives it. */
static int shape_tensor(const like *a, const init_rule *r, const stored_tensor *t, fanin_tensor *out, failure *why) {
  char where[TEXT], layout[TEXT];
  like_place(r, t, where);
  if (t->rank > FANIN_MAX_RANK) {
    return rules_decline(why, "%s: has %d dimensions; at most %d are accepted", where, t->rank, FANIN_MAX_RANK);
  }
  *out = layout_none(t->type->dtype, t->rank, t->shape);
  if (!r->layout) return STATUS_OK;
  const int status =
      rule_values_text(a, &(tensor_facts){t->name, out, out}, r->layout, where, layout, sizeof layout, why);
  if (status != STATUS_OK || layout_parse(layout, strlen(layout), out)) return status;
  return fail(why, STATUS_INPUT, "%s: layout '%s': write " LAYOUT_SYNTAX, where, layout);
}

/* Computes the product of the rule's schemes. */
static int read_factor(const like *a, const init_rule *r, const tensor_facts *t, const char *where, double *factor,
                       failure *why) {
  const char *text;
  char scheme[TEXT];
  *factor = 1;
  for (size_t i = 0; (text = init_rules_text(r->scale, i)); ++i) {
    double one = 1;
    int status = rule_values_text(a, t, text, where, scheme, sizeof scheme, why);
    if (status == STATUS_OK) status = library_status(why, fanin_scheme_factor(scheme, t->fans, &one), where);
    if (status != STATUS_OK) return status;
    *factor *= one;
  }
  return STATUS_OK;
}

static int refuse(const init_rule *r, const stored_tensor *t, failure *why) {
  char where[TEXT];
  return rules_decline(why, "%s: %.500s", like_place(r, t, where), r->refuse);
}

/* The tensor whose fans the schemes use: this one, or another one with the layout that its own rule gives it. */
static int fans_tensor(const like *a, const assignment *to, fanin_tensor *out, failure *why) {
  *out = to->tensor;
  if (!to->rule->fans_of.from) return STATUS_OK;
  const stored_tensor *other = partner_of(a, &to->rule->fans_of, to->of->stored->name)->stored;
  const init_rule *rule = find_rule(a, other);
  if (rule && rule->same_as) rule = find_rule(a, checkpoint_find(&a->checkpoint, rule->same_as)->stored);
  if (rule && rule->refuse) return refuse(rule, other, why);
  if (rule) return shape_tensor(a, rule, other, out, why);
  char where[TEXT]; /* it is copied, else it was refused: only a rule has its layout */
  return rules_decline(why,
                       "%s: follows the fans of '%.200s', to which no rule gives a layout: write one that takes it",
                       like_place(to->rule, to->of->stored, where), other->name);
}

/* What the names in texts of parts stand for. */
typedef struct rule_names {
  const like *a;
  const tensor_facts *tensor;
} rule_names;

static int expand(const void *state, const char *text, bool whole, const char *where, char *out, size_t size,
                  failure *why) {
  const rule_names *n = state;
  (void)whole; /* a range of another number is refused as such */
  return rule_values_text(n->a, n->tensor, text, where, out, size, why);
}

static int read_init(const like *a, assignment *to, const char *where, failure *why) {
  char text[TEXT];
  fanin_tensor fans;
  fanin_init plain;
  double factor = 1;
  const tensor_facts facts = {to->of->stored->name, &to->tensor, &fans};
  int status = fans_tensor(a, to, &fans, why);
  if (status == STATUS_OK) status = rule_values_text(a, &facts, to->rule->init, where, text, sizeof text, why);
  if (status == STATUS_OK) status = init_text_parse(text, &fans, &plain, where, why);
  if (status == STATUS_OK) status = read_factor(a, to->rule, &facts, where, &factor, why);
  if (status == STATUS_OK) status = library_status(why, fanin_init_scaled(&plain, factor, &to->init), where);
  if (status != STATUS_OK || !to->rule->parts) return status;
  const part_texts texts = {&fans, expand, &(rule_names){a, &facts}};
  return tensor_parts_make(to->rule->parts, &to->tensor, &texts, where, &to->parts, why);
}

/* The dtype that takes the place of the stored one: the rule's before that of --dtype. NULL: none. */
static const fanin_dtype *dtype_of(const like *a, const init_rule *r) {
  return r->has_dtype ? &r->dtype : a->dtype;
}

/* Finds the dtype. Zeros of a dtype that the library does not have are made as zeros of a floating-point dtype of the
 * same size. */
static int read_dtype(const like *a, assignment *to, const char *where, failure *why) {
  const stored_type *type = to->of->stored->type;
  const bool floating = type->measurable || type->name[0] == 'F'; /* F4, F8_E8M0: --dtype takes their place too */
  const fanin_dtype *dtype = dtype_of(a, to->rule);
  if (floating && dtype) to->tensor.dtype = *dtype;
  if (type->measurable || (floating && dtype)) return STATUS_OK;
  if (to->init.kind == FANIN_KIND_ZEROS && to->parts.count == 0 && type->bits >= 16) {
    to->tensor.dtype = type->bits == 64 ? FANIN_DTYPE_F64 : type->bits == 32 ? FANIN_DTYPE_F32 : FANIN_DTYPE_F16;
    to->stored_dtype = type->name;
    return STATUS_OK;
  }
  return fail(why, STATUS_INPUT, "%s: has dtype %s, %s; let a rule before this one skip it", where, type->name,
              floating ? "which fanin does not write: give --dtype"
              : type->bits < 16
                  ? "which fanin does not write"
                  : "of which fanin writes zeros only: let the rule say \"init\": \"zeros\", without parts");
}

/* What a file calls the dtype that a tensor is written in. */
static const char *type_name(const assignment *to) {
  return to->stored_dtype ? to->stored_dtype : dtype_info(to->tensor.dtype).safetensors;
}

/* Checks that what is drawn of a tensor that grows can stand beside what is kept. */
static int check_growing(const assignment *to, const char *where, failure *why) {
  const char *kept = to->kept.stored->type->name, *name = type_name(to);
  if (strcmp(name, kept) == 0) return STATUS_OK;
  return fail(why, STATUS_INPUT, "%s: is %s in %.200s, and its new part would be %s; nothing is converted", where, kept,
              to->kept.file->path, name);
}

/* A bias whose weight is not there, or norms without what they are of. */
static int refuse_partner(const like *a, const assignment *to, const char *where, failure *why) {
  const bool norm = to->rule->norm_of.from != NULL;
  char *other = partner_name(norm ? &to->rule->norm_of : &to->rule->fans_of, to->of->stored->name);
  rules_decline(
      why,
      "%s: %s of '%.200s', which is not in %s: give the index of the whole checkpoint, or a rule of your own for it",
      where, norm ? "has the norms" : "follows the fans", other, a->checkpoint.path);
  free(other);
  return STATUS_INPUT;
}

/* Sets what a tensor that has the norms of another one is. */
static int read_norm(const like *a, assignment *to, const char *where, failure *why) {
  const stored_tensor *t = to->of->stored, *other;
  char shape[TEXT_SHAPE], other_shape[TEXT_SHAPE];
  to->norm_of = partner_of(a, &to->rule->norm_of, t->name);
  other = to->norm_of->stored;
  to->init.kind = FANIN_KIND_ZEROS;
  int status = shape_tensor(a, to->rule, t, &to->tensor, why);
  if (status == STATUS_OK) status = read_dtype(a, to, where, why);
  if (status != STATUS_OK) return status;
  if (to->stored_dtype) {
    return fail(why, STATUS_INPUT, "%s: has dtype %s, of which no norm can be; let a rule before this one skip it",
                where, to->stored_dtype);
  }
  if (norms_fit(t->rank, t->shape, other->rank, other->shape)) return STATUS_OK;
  return rules_decline(
      why,
      "%s: has the shape %s, which norms of '%.200s' of shape %s cannot have: it seems to be something "
      "else; give a rule of your own for it",
      where, text_shape(t->shape, t->rank, shape), other->name, text_shape(other->shape, other->rank, other_shape));
}

static int read_rule(const like *a, assignment *to, failure *why) {
  char where[TEXT];
  like_place(to->rule, to->of->stored, where);
  if (to->rule->refuse) return refuse(to->rule, to->of->stored, why);
  if (takes(a, to->rule, to->of->stored) == LACKS_PARTNER) return refuse_partner(a, to, where, why);
  if (to->rule->skip && to->kept.grows) {
    return fail(why, STATUS_INPUT, "%s: grows, and the rule skips it: a rule before it must give its new part an init",
                where);
  }
  if (to->rule->skip || to->rule->same_as) return STATUS_OK;
  if (to->rule->norm_of.from) return read_norm(a, to, where, why);
  int status = shape_tensor(a, to->rule, to->of->stored, &to->tensor, why);
  if (status == STATUS_OK) status = read_init(a, to, where, why);
  if (status == STATUS_OK) status = read_dtype(a, to, where, why);
  return status == STATUS_OK && to->kept.grows ? check_growing(to, where, why) : status;
}

/* ---- What is kept ------------------------------------------------------------------------------------------------ */

/* The dtype that a tensor has in the output if it is kept: rules change it only where --dtype changes it too. */
static const char *kept_type(const like *a, const assignment *to) {
  const stored_type *type = to->of->stored->type;
  const bool floating = type->measurable || type->name[0] == 'F';
  if (!floating || !a->dtype) return type->name;
  return dtype_info(to->rule ? *dtype_of(a, to->rule) : *a->dtype).safetensors;
}

/* Sets what there is of a tensor whose new end is drawn from what is kept: its layout, if a rule says one, and the twin
 * that a rule ties it to, whose end is drawn with the same numbers. */
static int read_law(const like *a, assignment *to, failure *why) {
  const stored_tensor *t = to->of->stored;
  const init_rule *r = to->rule;
  const checkpoint_tensor *twin = r && r->same_as ? checkpoint_find(&a->checkpoint, r->same_as) : NULL;
  int status = STATUS_OK;
  if (twin && a->list[twin - a->checkpoint.tensors].kept.law) to->twin = twin;
  if (r && !r->refuse && !r->skip)
    status = shape_tensor(a, r, t, &to->tensor, why);
  else
    to->tensor = layout_none(t->type->dtype, t->rank, t->shape);
  to->tensor.dtype = to->kept.stored->type->dtype;
  return status;
}

/* Finds what a file of --keep has for a tensor. One without elements needs no file, and no rule: there is nothing to
 * draw. */
static int find_kept(const like *a, assignment *to, failure *why) {
  const stored_tensor *t = to->of->stored;
  if (to->rule && to->rule->skip && like_is_first(a, to->rule)) return STATUS_OK; /* asked for by --skip */
  if (a->keep) {
    const int status = keep_find(a->keep, t->name, kept_type(a, to), t->rank, t->shape, &to->kept, why);
    if (status != STATUS_OK || to->kept.file) return status;
  }
  if (t->elements == 0 && !(to->rule && to->rule->skip)) {
    to->kept = (kept_tensor){.file = &a->checkpoint.files[to->of->shard], .stored = t};
  }
  return STATUS_OK;
}

/* Gives a tensor that no file has the bytes that are kept for its twin. */
static int copy_twin(const like *a, assignment *to, const assignment *of, const char *where, failure *why) {
  if (strcmp(kept_type(a, to), of->kept.stored->type->name) == 0) {
    to->kept = of->kept;
    to->tensor = of->tensor; /* set where the twin grows */
    return STATUS_OK;
  }
  return fail(why, STATUS_INPUT, "%s: same_as '%.200s', which is %s in %.200s, and would be %s; nothing is converted",
              where, of->of->stored->name, of->kept.stored->type->name, of->kept.file->path, kept_type(a, to));
}

/* ---- Ties -------------------------------------------------------------------------------------------------------- */

/* Gives a tensor the initializer of its twin. Called after all others have theirs. */
static int read_twin(const like *a, assignment *to, failure *why) {
  char where[TEXT];
  const checkpoint_tensor *twin = checkpoint_find(&a->checkpoint, to->rule->same_as);
  const assignment *of = &a->list[twin - a->checkpoint.tensors];
  like_place(to->rule, to->of->stored, where);
  if (of->declined) return rules_decline(why, "%s: same_as '%.256s', which is declined", where, twin->stored->name);
  const bool copied = kept_without_init(&of->kept);
  if (copied ? to->kept.file != NULL
             : !of->rule || !of->rule->init || of->stored_dtype || !to->of->stored->type->measurable) {
    return fail(why, STATUS_INPUT, "%s: same_as '%.256s', which no rule gives an initializer of floating-point values",
                where, twin->stored->name);
  }
  if (!stored_same_shape(to->of->stored->rank, to->of->stored->shape, twin->stored)) {
    return rules_decline(why, "%s: does not have the shape of '%.256s', whose values it should have", where,
                         twin->stored->name);
  }
  to->twin = twin;
  if (copied) return copy_twin(a, to, of, where, why);
  to->tensor = of->tensor;
  const fanin_dtype *dtype = dtype_of(a, to->rule);
  to->tensor.dtype = dtype ? *dtype : to->of->stored->type->dtype;
  to->init = of->init;
  to->parts = tensor_parts_copy(&of->parts);
  if (!to->kept.file) to->kept = of->kept;
  return to->kept.grows ? check_growing(to, where, why) : STATUS_OK;
}

/* ---- All of them ------------------------------------------------------------------------------------------------- */

static int refuse_untaken(const like *a, failure *why) {
  enum { SHOWN = 4 };
  char names[TEXT] = "";
  size_t untaken = 0, used = 0;
  for (size_t i = 0; i < a->checkpoint.count; ++i) {
    const stored_tensor *t = a->list[i].of->stored;
    if (a->list[i].rule || kept_without_init(&a->list[i].kept) || untaken++ >= SHOWN || used >= sizeof names - 1)
      continue;
    used += (size_t)snprintf(names + used, sizeof names - used, "%s'%.96s'", used > 0 ? ", " : "", t->name);
  }
  if (untaken == 0) return STATUS_OK;
  return fail(why, STATUS_INPUT,
              "%s: no rule of %.128s takes %zu of its %zu tensors: %s%s. Give --rule 'PATTERN=INIT' for them, other "
              "--rules, or a file of your own that includes a set and has rules for them (docs/checkpoints.md)",
              a->checkpoint.path, a->rules.name, untaken, a->checkpoint.count, names, untaken > SHOWN ? ", ..." : "");
}

/* What a failure to read a tensor's rule comes to: where tensors may be left without one, the reason is kept. */
static int decline(const like *a, assignment *to, int status, failure *why) {
  char where[TEXT];
  if (status == STATUS_OK || !a->partial || !why->declined) return status;
  const size_t length = strlen(like_place(to->rule, to->of->stored, where));
  const char *reason = strncmp(why->text, where, length) == 0 ? why->text + length + 2 : why->text; /* after ": " */
  to->declined = copy_text(reason, strlen(reason));
  to->rule = NULL;
  *why = (failure){.text = ""};
  return STATUS_OK;
}

/* Whether the tensor's rule says what becomes of it. */
static bool is_read(const assignment *to) {
  return to->rule && !kept_without_init(&to->kept);
}

int like_assign(like *a, failure *why) {
  const checkpoint *c = &a->checkpoint;
  a->list = allocate(c->count, sizeof *a->list);
  for (size_t i = 0; i < a->rules.count; ++i) {
    init_rule *r = &a->rules.rules[i];
    r->idle = (r->with && !rule_values_match(a, r->with)) || (r->without && rule_values_match(a, r->without));
  }
  for (size_t i = 0; i < c->count; ++i) {
    const bool left_out = a->partial && !c->tensors[i].stored->type->measurable;
    a->list[i] = (assignment){.of = &c->tensors[i], .rule = left_out ? NULL : find_rule(a, c->tensors[i].stored)};
  }
  int status = STATUS_OK;
  for (size_t i = 0; !a->partial && status == STATUS_OK && i < c->count; ++i)
    status = find_kept(a, &a->list[i], why);
  if (!a->partial && status == STATUS_OK) status = refuse_untaken(a, why);
  if (status == STATUS_OK) status = rule_values_check(a, why);
  for (size_t i = 0; status == STATUS_OK && i < c->count; ++i) {
    if (a->list[i].kept.law) status = read_law(a, &a->list[i], why);
    if (is_read(&a->list[i])) status = decline(a, &a->list[i], read_rule(a, &a->list[i], why), why);
  }
  for (size_t i = 0; status == STATUS_OK && i < c->count; ++i) {
    if (is_read(&a->list[i]) && a->list[i].rule->same_as)
      status = decline(a, &a->list[i], read_twin(a, &a->list[i], why), why);
  }
  return status;
}
