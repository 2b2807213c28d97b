/* Numbers with names in the texts of rules, "{layers}": given, written down, or read off the checkpoint. */
#include "init/rule_values.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { MOST_VALUES = 32 };

static int unknown(const assignments *a, const char *where, const char *name, failure *why) {
  char known[TEXT_KNOWN];
  const char *names[MOST_VALUES], *key;
  size_t n = 0;
  json_t *value;
  json_object_foreach((json_t *)a->rules->values, key, value) {
    if (n < MOST_VALUES) names[n++] = key;
  }
  return fail(why, STATUS_INPUT, "%s: rules %.128s have no value '%s'%s", where, a->rules->name, name,
              n > 0 ? text_known(name, names, n, "they have", known) : " and no other");
}

int rule_values_check(const assignments *a, failure *why) {
  const char *name;
  json_t *value;
  json_object_foreach((json_t *)a->set, name, value) {
    if (!json_object_get(a->rules->values, name)) return unknown(a, "--set", name, why);
  }
  return STATUS_OK;
}

/* How many tensors match. */
static double count_of(const assignments *a, const json_t *patterns) {
  double count = 0;
  for (size_t i = 0; i < a->checkpoint->count; ++i)
    count += init_rules_match(patterns, a->checkpoint->tensors[i].stored->name);
  return count;
}

/* An extent of the first tensor that matches; 0: there is none. */
static double size_of(const assignments *a, const json_t *pair) {
  const json_t *patterns = json_array_get(pair, 0);
  const json_int_t dimension = json_integer_value(json_array_get(pair, 1));
  for (size_t i = 0; i < a->checkpoint->count; ++i) {
    const stored_tensor *t = a->checkpoint->tensors[i].stored;
    if (!init_rules_match(patterns, t->name)) continue;
    return dimension >= 0 && dimension < t->rank ? (double)t->shape[dimension] : 0;
  }
  return 0;
}

static int find_value(const assignments *a, const char *name, const char *where, double *out, failure *why) {
  const json_t *given = json_object_get(a->set, name), *value = json_object_get(a->rules->values, name);
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

/* One {name} at *text, to `out`. */
static int put_value(const assignments *a, const char **text, const char *where, char *out, size_t size, size_t *used,
                     failure *why) {
  const char *close = strchr(*text, '}');
  char name[65];
  double value = 0;
  const size_t length = close ? (size_t)(close - *text) - 1 : 0;
  if (length == 0 || length >= sizeof name) {
    return fail(why, STATUS_INPUT, "%s: '%.64s' has a brace that is no {value}", where, *text);
  }
  snprintf(name, sizeof name, "%.*s", (int)length, *text + 1);
  const int status = find_value(a, name, where, &value, why);
  if (status != STATUS_OK) return status;
  *used += (size_t)snprintf(out + *used, size - *used, "%.17g", value);
  *text = close + 1;
  return STATUS_OK;
}

int rule_text(const assignments *a, const char *text, const char *where, char *out, size_t size, failure *why) {
  size_t used = 0;
  for (const char *at = text; *at;) {
    if (*at == '{') {
      const int status = put_value(a, &at, where, out, size, &used, why);
      if (status != STATUS_OK) return status;
    } else {
      out[used++] = *at++;
    }
    if (used + 1 >= size) return fail(why, STATUS_INPUT, "%s: '%.64s...' is too long", where, text);
  }
  out[used] = '\0';
  return STATUS_OK;
}
