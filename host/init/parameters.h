/* Parameters of initializers and schemes: fields of a record with a name and a range, and the text "a=1,b=2" that sets
 * them. */
#ifndef HOST_INIT_PARAMETERS_H
#define HOST_INIT_PARAMETERS_H

#include <float.h>
#include <math.h>

#include "core/names.h"
#include "fanin/init.h"

typedef struct fanin__choice {
  const char *name;
  int value; /* an enumerator, or 0 and 1 */
} fanin__choice;

typedef enum fanin__parameter_type {
  FANIN__NUMBER, /* double */
  FANIN__GAIN,   /* double; in text also an activation's name */
  FANIN__CHOICE  /* int or an enum */
} fanin__parameter_type;

/* A parameter; lists of them end with a NULL name. */
typedef struct fanin__parameter {
  const char *name;
  size_t offset; /* of the field in the record */
  fanin__parameter_type type;
  double least, most;           /* numbers: the range that is accepted */
  const fanin__choice *choices; /* choices: ends with a NULL name */
  size_t with[2]; /* numbers: 0 means the default where the fields at these offsets are 0 too; mostly `offset` */
} fanin__parameter;

#define FANIN__END                                                                                                     \
  {                                                                                                                    \
    NULL, 0, FANIN__NUMBER, 0, 0, NULL, {                                                                              \
      0                                                                                                                \
    }                                                                                                                  \
  }

/* The least positive number. */
#define FANIN__ABOVE_0 0x1p-1074

/* The empty list. */
extern const fanin__parameter fanin__no_parameters[];

/* The field of a record at an offset: a number, or the value of a choice. */
double fanin__number_at(const void *record, size_t offset);
int fanin__choice_at(const void *record, size_t offset);

/* Whether a field has what is accepted; if not, the failure has `status`. `owner` is whose parameter it is. */
fanin_status fanin__check_parameter(const char *owner, const void *record, const fanin__parameter *parameter,
                                    fanin_status status);

/* What a text sets: the parameters of an initializer or of a scheme. */
typedef struct fanin__form {
  const char *owner;
  const fanin__parameter *own, *more; /* more: accepted as well; NULL: nothing is */
} fanin__form;

/* Reads what follows a name, "" or ":a=1,b=2", into the fields of `record`. A gain that is no number is an
 * activation's name, which *word is set to. FANIN_STATUS_BAD_TEXT names the parameter, its value and what would be
 * accepted. */
fanin_status fanin__read_pairs(const fanin__form *form, const char *text, void *record, fanin__span *word);

#endif
