/* What the tensors of a checkpoint should be: by the metadata of their files, and by what the user names. */
#include "inspect/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "formats/norms.h"
#include "inspect/notes.h"

enum { TEXT = 512 };

static const named_init *init_for(const wishes *w, const char *name) {
  for (size_t i = 0; i < w->n_inits; ++i) {
    const char *of = w->inits[i].tensor;
    if (name ? of && strcmp(of, name) == 0 : !of) return &w->inits[i];
  }
  return NULL;
}

static void take_init(const tensor_file *f, const stored_tensor *t, const named_init *n, expectation *e) {
  failure why = {.text = ""};
  fanin_tensor tensor;
  fanin_init init;
  e->by = BY_OPTION;
  expectation_text(e, n->text);
  if (!notes_tensor(f, t, true, &tensor))
    expectation_reason(e, "its layout in the metadata is not a layout");
  else if (init_text_parse(n->text, &tensor, &init, NULL, &why) != STATUS_OK)
    expectation_reason(e, "%s", why.text);
  else
    expectation_set(e, &tensor, &init);
}

static bool take_model(const wishes *w, const tensor_file *f, const stored_tensor *t, size_t i, expectation *e) {
  const model_tensor *m = w->of_model ? w->of_model[i] : NULL;
  if (!m) return false;
  fanin_tensor tensor = m->tensor;
  tensor.dtype = t->type->dtype;
  e->by = BY_MODEL;
  if (m->norm_name) {
    expectation_set_norm(e, m->norm_name);
    return true;
  }
  expectation_set_parts(e, f, &tensor, &m->init, &m->parts);
  return true;
}

static bool take_rules(const wishes *w, const tensor_file *f, const stored_tensor *t, size_t i, expectation *e) {
  const assignment *a = w->like.list ? &w->like.list[i] : NULL;
  if (a && a->declined) expectation_reason(e, "the rules decline it: %.400s", a->declined);
  if (!a || !a->rule) return false;
  if (a->rule->skip) {
    expectation_reason(e, "the rules skip it: %.300s", a->rule->skip);
    return false;
  }
  fanin_tensor tensor = a->tensor;
  tensor.dtype = t->type->dtype;
  e->by = BY_RULES;
  if (a->norm_of) {
    expectation_set_norm(e, a->norm_of->stored->name);
    return true;
  }
  e->twin = a->twin ? a->twin->stored->name : NULL;
  expectation_set_parts(e, f, &tensor, &a->init, &a->parts);
  return true;
}

/* The rules decide where the file's notes do not. Where both speak, and do not say the same, the reader learns it. */
static void ask_rules(const wishes *w, const tensor_file *f, const stored_tensor *t, size_t i, expectation *e) {
  expectation ruled = {.known = false};
  const bool spoken = take_rules(w, f, t, i, &ruled);
  if (!e->known && !e->norm_of && (spoken || (ruled.reason && !e->reason))) {
    expectation_free(e);
    *e = ruled;
    return;
  }
  if (e->known && ruled.known && !expectation_is_same(e, &ruled, t)) {
    char text[TEXT], noted[TEXT], own[TEXT];
    snprintf(noted, sizeof noted, "%.160s", e->text);
    snprintf(own, sizeof own, "%.160s", ruled.text);
    snprintf(text, sizeof text, "its metadata say %.160s, and rules %.64s say %.160s: it is judged by the metadata",
             text_short(noted), w->like.rules.name, text_short(own));
    e->dispute = copy_text(text, strlen(text));
  }
  expectation_free(&ruled);
}

static bool is_declined(const wishes *w, size_t i) {
  return w->like.list && w->like.list[i].declined;
}

/* Whether there are values whose norms a tensor can have. Where there are none, it is not judged. */
static void check_norm(const wishes *w, const stored_tensor *t, expectation *e) {
  const checkpoint_tensor *found = checkpoint_find(&w->like.checkpoint, e->norm_of);
  const stored_tensor *of = found ? found->stored : NULL;
  if (of && of != t && of->type->measurable && norms_fit(t->rank, t->shape, of->rank, of->shape) &&
      t->elements <= NORMS_MOST)
    return;
  if (of)
    expectation_reason(e, "it should have the norms of %.300s, which has no numbers of such a shape", e->norm_of);
  else
    expectation_reason(e, "it should have the norms of %.300s, which is not here", e->norm_of);
  e->norm_of = NULL;
}

int expectation_of(const wishes *w, size_t i, expectation *out, failure *why) {
  const checkpoint_tensor *c = &w->like.checkpoint.tensors[i];
  const stored_tensor *t = c->stored;
  const tensor_file *f = &w->like.checkpoint.files[c->shard];
  const named_init *own = init_for(w, t->name), *others = init_for(w, NULL);
  *out = (expectation){.known = false};
  if (!t->type->measurable) {
    expectation_reason(out, "dtype %s is not measured", t->type->name);
  } else if (t->rank > FANIN_MAX_RANK) {
    expectation_reason(out, "it has %d dimensions, and at most %d are tested against an initializer", t->rank,
                       FANIN_MAX_RANK);
  } else if (own) {
    take_init(f, t, own, out);
    if (!out->known) return fail(why, STATUS_INPUT, "--init %.256s=%.128s: %s", own->tensor, own->text, out->reason);
  } else if (!take_model(w, f, t, i, out) && !notes_take_kept(f, t, out)) {
    notes_take(f, t, out);
    ask_rules(w, f, t, i, out);
    if (out->by == BY_NOBODY && others && !is_declined(w, i)) take_init(f, t, others, out);
  }
  if (out->known) {
    free(out->reason);
    out->reason = NULL;
  }
  if (out->norm_of) check_norm(w, t, out);
  const checkpoint_tensor *twin = out->twin ? checkpoint_find(&w->like.checkpoint, out->twin) : NULL;
  if (!twin || twin == c) out->twin = NULL; /* it is as any other that is made by that initializer */
  return STATUS_OK;
}
