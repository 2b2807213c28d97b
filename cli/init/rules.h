/* Rules that give the tensors of a checkpoint their initializers: a JSON file, or a set of those in the command.
 * docs/checkpoints.md is the specification. */
#ifndef CLI_INIT_RULES_H
#define CLI_INIT_RULES_H

#include "base/json.h"
#include "formats/tensor_file.h"

/* The sets of rules in the command, which are share/rules/NAME.json. The last entry has a NULL name. */
typedef struct rule_set {
  const char *name;
  const char *json;
  size_t size;
} rule_set;
extern const rule_set rule_sets[];

/* Another tensor, whose name is that of the rule's tensor with `to` in the last place of `from`. NULL: none. */
typedef struct init_partner {
  const char *from, *to;
  int rank; /* that it must have; -1: any */
} init_partner;

/* One rule. Texts and values are those of the JSON. */
typedef struct init_rule {
  const json_t *match;        /* a pattern of names, or an array of them */
  int rank;                   /* -1: any */
  const json_t *shape;        /* sizes, null for any, or an array of such shapes; NULL: any shape */
  const json_t *ratio;        /* of a matrix: rows for each column, numbers of which one must be so; NULL: any */
  const json_t *stored_dtype; /* a dtype of safetensors, or an array of them; NULL: any */
  init_partner beside;        /* a tensor that the checkpoint must have */
  const json_t *with,
      *without;              /* patterns of names: the checkpoint must have such a tensor, or none; NULL: no matter */
  bool idle;                 /* what `with` and `without` ask for is not so: the rule takes nothing */
  init_partner fans_of;      /* the tensor whose fans the schemes see */
  const char *layout, *init; /* before values are put in */
  const json_t *scale;       /* texts of schemes; NULL: none */
  const json_t *parts;       /* that have other initializers; NULL: none */
  bool has_dtype;            /* the tensor is written in `dtype`, whatever --dtype says */
  fanin_dtype dtype;
  init_partner norm_of;                /* instead of init: the tensor whose norms this one has */
  const char *same_as, *skip, *refuse; /* or another tensor's name, why there is nothing to be made, why the rules
                                          cannot say what is to be made */
  const char *set;                     /* where the rule is: in the rules of this name, */
  size_t index;                        /* at this place; */
  const char *option;                  /* or the option that it is, "--rule 'x=zeros'"; NULL: it is none */
} init_rule;

typedef struct init_rules {
  char *name;          /* the set's or the file's */
  json_t *root;        /* what the texts belong to */
  json_t *values;      /* with those of `included` that it does not have itself; NULL: none */
  init_rule *rules;    /* its own, and then those of `included` */
  size_t count, own;   /* all of them, and how many are its own */
  const char *include; /* the name of a set; NULL: none */
  struct init_rules *included;
  bool shipped; /* a set of the command's, which has rules for more than one model */
} init_rules;

/* Loads a set by its name, or a file by a path that ends in .json. */
int init_rules_load(const char *name, init_rules *out, failure *why);

/* Rules that are options, --rule and --skip, and the texts of these: "--rule 'x=zeros'". */
typedef struct option_rules {
  json_t *list; /* NULL: there are none */
  char **texts;
  size_t count, capacity;
} option_rules;

/* The same as init_rules_load(), behind rules that go first, which must outlive the result. */
int init_rules_load_behind(const option_rules *first, const char *name, init_rules *out, failure *why);

/* Loads rules from JSON in memory. */
int init_rules_parse(const char *name, const char *bytes, size_t size, init_rules *out, failure *why);

void init_rules_free(init_rules *r);

/* The i-th text of a text or an array of texts; NULL past the end, and if `texts` is NULL. */
const char *init_rules_text(const json_t *texts, size_t i);

/* Whether `name` matches a pattern (fnmatch(3), blind to case), or one of an array of patterns. */
bool init_rules_match(const json_t *patterns, const char *name);

/* Whether the rule takes tensors of this name, rank, shape and dtype. */
bool init_rule_takes(const init_rule *rule, const stored_tensor *t);

/* Where the rule is, for sentences: "rules gpt2: rules[3]", "--rule 'x=zeros'". */
enum { RULE_PLACE = 256 };
char *init_rule_place(const init_rule *rule, char out[RULE_PLACE]);

/* "*.bias", "*.a.weight or *.b.weight", "*.a.weight or *.b.weight or 3 others": the caller's to free. */
char *init_rule_pattern(const init_rule *rule);

#endif
