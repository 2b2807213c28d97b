// Into a framework with a tensor class over a buffer, an offset and a shape, as dlprimitives has: one function makes a
// fanin_tensor of such a tensor, and its set_to_normal() and the like become one line each. The class below has
// dlprimitives' accessors; with the library itself, include <dlprim/tensor.hpp> in its place.
//
//   c++ -std=c++11 dlprimitives_style.cpp $(pkg-config --cflags --libs fanin) -o dlprimitives_style
#define CL_HPP_TARGET_OPENCL_VERSION  120
#define CL_HPP_MINIMUM_OPENCL_VERSION 120
#include <fanin.hpp>

#include <array>
#include <cmath>
#include <cstdio>

namespace {

// ---- What the framework has -----------------------------------------------------------------------------------------

enum DataType { double_data = 4, float_data = 3, half_data = 2, bfloat16_data = 10, int32_data = 19, uint8_data = 25 };

class Shape {
public:
  Shape(std::size_t b, std::size_t c) : extent_{{b, c}}, size_(2) {}
  Shape(std::size_t b, std::size_t c, std::size_t h, std::size_t w) : extent_{{b, c, h, w}}, size_(4) {}
  int size() const { return size_; }
  const std::size_t *begin() const { return extent_.data(); }
  const std::size_t *end() const { return extent_.data() + size_; }
  std::size_t total_size() const {
    std::size_t product = 1;
    for (const std::size_t n : *this)
      product *= n;
    return product;
  }

private:
  std::array<std::size_t, 8> extent_;
  int size_;
};

// Shares its buffer with other tensors; the offset counts elements, as the framework's kernels take it.
class Tensor {
public:
  Tensor(const cl::Buffer &buffer, cl_ulong offset, const Shape &shape, DataType dtype = float_data)
      : shape_(shape), dtype_(dtype), offset_(offset), buffer_(buffer) {}
  const Shape &shape() const { return shape_; }
  DataType dtype() const { return dtype_; }
  cl::Buffer &device_buffer() { return buffer_; }
  cl_ulong device_offset() const { return offset_; }

private:
  Shape shape_;
  DataType dtype_;
  cl_ulong offset_;
  cl::Buffer buffer_;
};

// ---- What joins it to fanin -----------------------------------------------------------------------------------------

// The element type by its name, because the framework's numbers are its own business. fanin has no integers.
fanin_status dtype_of(DataType dtype, fanin_dtype *out) {
  switch (dtype) {
  case double_data:
    return fanin_dtype_parse("f64", out);
  case float_data:
    return fanin_dtype_parse("f32", out);
  case half_data:
    return fanin_dtype_parse("f16", out);
  case bfloat16_data:
    return fanin_dtype_parse("bf16", out);
  default:
    return FANIN_STATUS_UNSUPPORTED;
  }
}

// fanin counts offsets in bytes.
fanin_status view_of(Tensor &t, const std::string &layout, fanin_tensor *out) {
  fanin_dtype dtype = FANIN_DTYPE_F32;
  fanin_status status = dtype_of(t.dtype(), &dtype);
  if (status != FANIN_STATUS_OK) return status;
  const std::vector<std::uint64_t> shape(t.shape().begin(), t.shape().end());
  *out = faninpp::tensor(t.device_buffer(), dtype, layout, shape, t.device_offset() * fanin_dtype_size(dtype), &status);
  return status;
}

// ---- A network ------------------------------------------------------------------------------------------------------

bool report(fanin_status status, const char *what) {
  if (status != FANIN_STATUS_OK)
    std::fprintf(stderr, "%s: %s: %s\n", what, fanin_status_name(status), fanin_last_error());
  return status == FANIN_STATUS_OK;
}

struct Parameter {
  const char *name;
  Tensor tensor;
  const char *layout, *init;
};

// The framework's queue is in order, as dlprimitives' are: no events are needed.
bool initialize(const faninpp::Fanin &f, const cl::CommandQueue &queue, Parameter &p) {
  fanin_status status = FANIN_STATUS_OK;
  const fanin_init init = faninpp::init(p.init, &status);
  fanin_tensor t;
  if (!report(status, p.name)) return false;
  if (!report(view_of(p.tensor, p.layout, &t), p.name)) return false;
  if (!report(f.fill(queue, t, init, faninpp::key(42, p.name)), p.name)) return false;
  const std::vector<float> values = f.read<float>(queue, t, nullptr, &status);
  if (!report(status, p.name)) return false;
  double squares = 0;
  for (const float x : values)
    squares += static_cast<double>(x) * static_cast<double>(x);
  fanin_moments expected;
  if (!report(fanin_expect(&t, &init, &expected, sizeof expected), p.name)) return false;
  std::printf("%-12s %-14s std %.6f, expected %.6f\n", p.name, p.init,
              std::sqrt(squares / static_cast<double>(values.size())), expected.std);
  return true;
}

} // namespace

int main() {
  fanin_status status = FANIN_STATUS_OK;
  const faninpp::Fanin f("", &status);
  if (!report(status, "opening a device")) return 1;
  const Shape filters(64, 32, 3, 3);
  const Shape matrix(100, 576);
  cl_int code = CL_SUCCESS;
  const cl::Buffer workspace(f.context(), CL_MEM_READ_WRITE, (filters.total_size() + matrix.total_size()) * 4, nullptr,
                             &code);
  if (code != CL_SUCCESS) return 1;
  Parameter parameters[] = {{"conv1.weight", Tensor(workspace, 0, filters), "OIHW", "he_normal"},
                            {"fc1.weight", Tensor(workspace, filters.total_size(), matrix), "OI", "xavier_uniform"}};
  for (Parameter &p : parameters)
    if (!initialize(f, f.queue(), p)) return 1;
  return 0;
}
