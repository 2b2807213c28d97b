/* Which tensors a rule takes, and how errors name rules. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "init/rules.h"

const char *init_rules_text(const json_t *texts, size_t i) {
  if (json_is_string(texts)) return i == 0 ? json_string_value(texts) : NULL;
  return json_string_value(json_array_get(texts, i));
}

bool init_rules_match(const json_t *patterns, const char *name) {
  const char *pattern;
  for (size_t i = 0; (pattern = init_rules_text(patterns, i)); ++i) {
    if (fnmatch(pattern, name, FNM_CASEFOLD) == 0) return true;
  }
  return false;
}

static bool has_text(const json_t *texts, const char *wanted) {
  const char *text;
  for (size_t i = 0; (text = init_rules_text(texts, i)); ++i) {
    if (strcmp(text, wanted) == 0) return true;
  }
  return false;
}

static bool has_sizes(const json_t *shape, const stored_tensor *t) {
  if (json_array_size(shape) != (size_t)t->rank) return false;
  for (int d = 0; d < t->rank; ++d) {
    const json_t *size = json_array_get(shape, (size_t)d);
    if (!json_is_null(size) && (uint64_t)json_integer_value(size) != t->shape[d]) return false;
  }
  return true;
}

static bool has_shape(const json_t *shape, const stored_tensor *t) {
  bool found = false;
  if (!json_is_array(json_array_get(shape, 0))) return has_sizes(shape, t);
  for (size_t i = 0; i < json_array_size(shape) && !found; ++i)
    found = has_sizes(json_array_get(shape, i), t);
  return found;
}

/* Whether a matrix has one of these numbers of rows for each column. */
static bool has_ratio(const json_t *ratio, const stored_tensor *t) {
  if (t->rank != 2) return false;
  for (size_t i = 0; i < json_array_size(ratio); ++i) {
    const uint64_t rows = (uint64_t)json_integer_value(json_array_get(ratio, i));
    if (t->shape[0] / rows == t->shape[1] && t->shape[0] % rows == 0) return true;
  }
  return false;
}

bool init_rule_takes(const init_rule *rule, const stored_tensor *t) {
  if (rule->rank >= 0 && rule->rank != t->rank) return false;
  if (rule->shape && !has_shape(rule->shape, t)) return false;
  if (rule->ratio && !has_ratio(rule->ratio, t)) return false;
  if (rule->stored_dtype && !has_text(rule->stored_dtype, t->type->name)) return false;
  return init_rules_match(rule->match, t->name);
}

char *init_rule_place(const init_rule *rule, char out[RULE_PLACE]) {
  if (rule->option)
    snprintf(out, RULE_PLACE, "%s", rule->option);
  else
    snprintf(out, RULE_PLACE, "rules %.128s: rules[%zu]", rule->set, rule->index);
  return out;
}

char *init_rule_pattern(const init_rule *rule) {
  const char *pattern;
  char *all = NULL;
  size_t capacity = 0, used = 0;
  enum { SHOWN = 2 };
  char others[32];
  const size_t count = json_is_array(rule->match) ? json_array_size(rule->match) : 1;
  for (size_t i = 0; i <= SHOWN && (pattern = init_rules_text(rule->match, i)); ++i) {
    if (i == SHOWN && count > SHOWN + 1) {
      snprintf(others, sizeof others, "%zu others", count - SHOWN);
      pattern = others;
    }
    const size_t more = strlen(pattern) + sizeof " or ";
    all = grow(all, &capacity, used + more, 1);
    used += (size_t)snprintf(all + used, more, "%s%s", i > 0 ? " or " : "", pattern);
  }
  return all;
}
