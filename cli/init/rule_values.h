/* Values of rules: numbers with names in their texts, "{2*layers}", which are given, or read off a checkpoint's names
 * and shapes. */
#ifndef CLI_INIT_RULE_VALUES_H
#define CLI_INIT_RULE_VALUES_H

#include "formats/tensor_text.h"
#include "init/like.h"

/* Checks that the rules have every value that --set gives. */
int rule_values_check(const like *a, failure *why);

/* Copies a rule's text with each {expression} of values, and of numbers of the tensor, replaced by its number. `where`
 * begins the sentence of a failure. */
int rule_values_text(const like *a, const tensor_facts *tensor, const char *text, const char *where, char *out,
                     size_t size, failure *why);

/* Whether the checkpoint has a tensor whose name matches. */
bool rule_values_match(const like *a, const json_t *patterns);

/* Keeps a sentence and returns STATUS_INPUT, as fail() does: the rules are well formed, and do not say what a tensor
 * should be. */
int rules_decline(failure *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
