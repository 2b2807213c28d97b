/* What groups divide, from the definitions in fanin/tensor.h. */
#include <string.h>

#include "oracle.h"

/* G is an I that is divided into as many groups as it has indices. */
oracle_groups oracle_groups_of(const fanin_tensor *t) {
  const char *const g = strchr(t->layout, 'G');
  const uint64_t channels = g ? t->shape[g - t->layout] : 1, groups = g ? channels : t->groups;
  return (oracle_groups){.count = groups > 1 ? groups : 1, .of_inputs = g || t->layout[0] == 'I'};
}

bool oracle_is_input(char letter) {
  return letter == 'I' || letter == 'G';
}
