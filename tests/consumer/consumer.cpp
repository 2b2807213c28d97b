// The header compiles as C++, and the library's symbols have C linkage.
#include <fanin.h>

int main() {
  double gain = 0;
  return fanin_gain("relu", 0, FANIN_CRITERION_SECOND_MOMENT, &gain) == FANIN_STATUS_OK && gain > 1.41 && gain < 1.42
             ? 0
             : 1;
}
