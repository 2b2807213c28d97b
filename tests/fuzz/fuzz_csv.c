/* Samples for a probe as comma-separated values. The first byte says how many columns the network takes. */
#include <math.h>
#include <stdlib.h>

#include "formats/matrix.h"
#include "fuzz.h"
#include "probe/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  const uint64_t columns = data[0] % 8 + 1, most = 16;
  matrix m;
  input samples;
  failure why = {0};
  const char *path = fuzz_file(".csv", data + 1, size - 1, 0);
  if (!path || !fuzz_verdict(matrix_read(path, &m, &why), &why)) return 0;
  FUZZ_REQUIRE(m.rows > 0 && m.columns > 0);
  for (size_t i = 0; i < m.rows * m.columns; ++i)
    FUZZ_REQUIRE(isfinite(m.values[i]));
  if (fuzz_verdict(input_load(path, columns, most, data[0] & 8, &samples, &why), &why)) {
    FUZZ_REQUIRE(samples.batch == (m.rows < most ? m.rows : most) && samples.columns_left == m.columns - columns);
    for (size_t i = 0; i < samples.batch * columns; ++i)
      FUZZ_REQUIRE(isfinite(samples.values[i]));
  }
  free(samples.values);
  free(m.values);
  return 0;
}
