/* Tensors and their layouts as text. */
#ifndef CLI_FORMATS_TENSOR_TEXT_H
#define CLI_FORMATS_TENSOR_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

enum { LAYOUT_TEXT = 64 };

/* The letters of layouts, and how sentences say what a layout is. */
#define LAYOUT_LETTERS "OIBGDHW"
#define LAYOUT_SYNTAX  "one letter for each dimension (O, I, B, G, D, H, W), then if needed ,groups=N and ,splits=N"

/* "OIHW", "OIHW,groups=32", "IO,splits=3" */
char *layout_format(const fanin_tensor *t, char out[LAYOUT_TEXT]);

/* A dense tensor without a layout and without a buffer. `rank` is at most FANIN_MAX_RANK. The library checks the rest
 * when the tensor is used. */
fanin_tensor layout_none(fanin_dtype dtype, int rank, const uint64_t *shape);

/* Sets the tensor's layout, groups and splits. Returns false if the text is not a layout. The library checks whether
 * the layout fits the shape. */
bool layout_parse(const char *text, size_t length, fanin_tensor *t);

/* An initializer's text, with schemes before it or none, which blanks separate: "residual:layers=4 normal:std=0.02".
 * The initializer's values are multiplied by the factors that the schemes have for `t`. Only `t`'s shape and layout are
 * looked at. `context` begins the sentence of a failure. */
int init_text_parse(const char *text, const fanin_tensor *t, fanin_init *out, const char *context, failure *why);

/* Checks the initializer alone, where there is no tensor yet that the schemes could look at. A text with braces passes:
 * what its expressions come to is not known yet. */
int init_text_check(const char *text, const char *context, failure *why);

/* Reads such a text into a const char *, and checks it. */
json_reader init_text_read;

/* What expressions may say of any tensor: `layer`, the first whole number between the dots or slashes of its name;
 * `shape[0]`, an extent (shape[-1] is the last); `fan_in` and `fan_out`. */
typedef struct tensor_facts {
  const char *name;
  const fanin_tensor *tensor; /* whose extents they are */
  const fanin_tensor *fans;   /* whose fans they are */
} tensor_facts;
extern const char *const tensor_names[];
enum { TENSOR_NAMES = 4 };

/* Whether expressions have that name for a number of every tensor. */
bool tensor_has_number(const char *name);

/* Finds the number, as an expression_finder does. `where` begins the sentence of a failure. */
int tensor_number(const tensor_facts *t, const char *name, const int64_t *index, const char *where, double *out,
                  failure *why);

/* Checks that expressions can name a value of a file's so, and that no number of every tensor has the name. */
int value_name_check(const json_check *in, const char *where, const char *name);

/* Fails for an index behind another name than shape; STATUS_OK if `index` is NULL. */
int tensor_no_index(const char *name, const int64_t *index, const char *where, failure *why);

/* A tensor on the command line: NAME:DTYPE:LAYOUT:SHAPE, as in "w:f32:OI:4096x1024". The name may hold colons: the last
 * three divide. LAYOUT is as above, or nothing. *name is the caller's to free. */
int tensor_text_parse(const char *text, char **name, fanin_tensor *tensor, failure *why);

#endif
