// What the examples of this folder share: failures become exceptions, and the values that a tensor should have come
// from memory of fanin's own, because the bits do not depend on who owns the memory.
#ifndef EXAMPLES_STACKS_HPP
#define EXAMPLES_STACKS_HPP

#include <fanin.h>

#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

inline void check(fanin_status status, const char *what) {
  if (status != FANIN_STATUS_OK) throw std::runtime_error(std::string(what) + ": " + fanin_last_error());
}

// A matrix of `rows` times `columns`, filled in a buffer of its own.
inline std::vector<float> filled_elsewhere(fanin *f, std::uint64_t rows, std::uint64_t columns, const fanin_init &init,
                                           const fanin_key &key) {
  const std::uint64_t shape[] = {rows, columns};
  std::vector<float> values(rows * columns);
  fanin_tensor t = fanin_tensor();
  check(fanin_tensor_alloc(f, FANIN_DTYPE_F32, "OI", 2, shape, &t), "fanin_tensor_alloc");
  fanin_status status = fanin_fill(f, nullptr, &t, &init, key, 0, nullptr, nullptr);
  if (status == FANIN_STATUS_OK)
    status = fanin_read(f, nullptr, &t, values.data(), values.size() * sizeof(float), 1, 0, nullptr, nullptr);
  fanin_tensor_free(&t);
  check(status, "filling a buffer of fanin's own");
  return values;
}

// The part of 20 times 31 that the examples fill in a matrix of 50 times 70, from row 5 and column 30 on, and zeros.
inline std::vector<float> filled_in_zeros(fanin *f, const fanin_init &init, const fanin_key &key) {
  const std::vector<float> part = filled_elsewhere(f, 20, 31, init, key);
  std::vector<float> whole(50 * 70, 0.0f);
  for (std::size_t i = 0; i < 20; i++)
    for (std::size_t j = 0; j < 31; j++)
      whole[(5 + i) * 70 + 30 + j] = part[i * 31 + j];
  return whole;
}

// Runs an example and turns its exceptions into an exit status.
template <typename Example> int run_example(Example example) {
  try {
    return example() ? 0 : 1;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

#endif
