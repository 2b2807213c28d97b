// ViennaCL's matrices, filled on ViennaCL's own queue. A viennacl::matrix has padded rows, and a range of one begins in
// the middle of its buffer: strides and an offset say so, and the padding, which ViennaCL keeps at zero, is not
// touched.
//
//   c++ -std=c++11 viennacl.cpp $(pkg-config --cflags --libs fanin) -o viennacl
#define VIENNACL_WITH_OPENCL
#include <viennacl/linalg/prod.hpp>
#include <viennacl/matrix.hpp>
#include <viennacl/matrix_proxy.hpp>
#include <viennacl/vector.hpp>

#include "stacks.hpp"

#include <cmath>

namespace {

// A dense matrix, row-major as ViennaCL's are by default, or a range or slice of one. `layout` is "OI" for a matrix
// that has a row for each output feature.
fanin_tensor tensor_of(const viennacl::matrix_base<float> &m, const char *layout) {
  const std::uint64_t shape[] = {m.size1(), m.size2()};
  const std::uint64_t strides[] = {m.stride1() * m.internal_size2(), m.stride2()};
  const std::size_t first = m.start1() * m.internal_size2() + m.start2();
  fanin_tensor t;
  check(fanin_tensor_of(m.handle().opencl_handle().get(), first * sizeof(float), FANIN_DTYPE_F32, layout, 2, shape, &t),
        "fanin_tensor_of");
  check(fanin_tensor_strided(&t, strides, &t), "fanin_tensor_strided");
  return t;
}

bool same(const viennacl::matrix<float> &m, const std::vector<float> &expected) {
  std::vector<std::vector<float>> values(m.size1(), std::vector<float>(m.size2()));
  viennacl::copy(m, values);
  bool equal = true;
  for (std::size_t i = 0; i < m.size1(); i++)
    for (std::size_t j = 0; j < m.size2(); j++)
      equal = equal && values[i][j] == expected[i * m.size2() + j];
  return equal;
}

bool example() {
  const fanin_init init = fanin_he_normal(0, FANIN_MODE_FAN_IN);
  fanin_key key;
  check(fanin_key_named(42, "fc1.weight", &key), "fanin_key_named");

  viennacl::matrix<float> w(300, 784);
  const cl_command_queue queue = viennacl::ocl::get_queue().handle().get();
  fanin *f = nullptr;
  check(fanin_create_for_queue(queue, &f), "fanin_create_for_queue");
  const fanin_tensor t = tensor_of(w, "OI");
  check(fanin_fill(f, queue, &t, &init, key, 0, nullptr, nullptr), "fanin_fill");
  // The queue is in order: what ViennaCL enqueues next sees the weights.
  const viennacl::vector<float> ones = viennacl::scalar_vector<float>(784, 1.0f);
  const viennacl::vector<float> sums = viennacl::linalg::prod(w, ones);

  const std::vector<float> expected = filled_elsewhere(f, 300, 784, init, key);
  bool right = same(w, expected);
  std::vector<float> host(300);
  viennacl::copy(sums, host);
  for (std::size_t i = 0; i < 300; i++) {
    double sum = 0;
    double size = 0;
    for (std::size_t j = 0; j < 784; j++) {
      sum += static_cast<double>(expected[i * 784 + j]);
      size += std::fabs(static_cast<double>(expected[i * 784 + j]));
    }
    right = right && std::fabs(static_cast<double>(host[i]) - sum) <= 784 * size * 5.9604645e-8; // 2^-24, in any order
  }
  std::printf("viennacl::matrix: %s\n", right ? "the bits and the sums are right" : "WRONG");

  // A part of a larger matrix.
  viennacl::matrix<float> all(50, 70);
  viennacl::matrix_range<viennacl::matrix<float>> middle(all, viennacl::range(5, 25), viennacl::range(30, 61));
  const fanin_tensor part = tensor_of(middle, "OI");
  check(fanin_fill(f, queue, &part, &init, key, 0, nullptr, nullptr), "fanin_fill");
  const bool range_right = same(all, filled_in_zeros(f, init, key));
  std::printf("viennacl::matrix_range: %s\n", range_right ? "the bits are right, and zeros around them" : "WRONG");
  fanin_release(f);
  return right && range_right;
}

} // namespace

int main() {
  return run_example(example);
}
