// Into a framework with a tensor class over a buffer, an offset and a shape, as dlprimitives has: one function makes a
// fanin_tensor of such a tensor, and its set_to_normal() and the like become one line each. The class below has
// dlprimitives' accessors; with the library itself, include <dlprim/tensor.hpp> in its place.
//
//   c++ -std=c++11 dlprimitives_style.cpp $(pkg-config --cflags --libs fanin) -o dlprimitives_style
#include <fanin.hpp>

#include <array>
#include <cmath>
#include <cstdio>

namespace {

// ---- What the framework has -----------------------------------------------------------------------------------------

enum DataType { float_data, half_data, double_data, uint8_data };

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

// An integer tensor becomes one of no dtype, which fanin refuses by name when it is used. fanin counts offsets in
// bytes.
fanin_tensor view_of(Tensor &t, const std::string &layout) {
  static const fanin_dtype dtypes[] = {FANIN_DTYPE_F32, FANIN_DTYPE_F16, FANIN_DTYPE_F64, FANIN_DTYPE_COUNT};
  const fanin_dtype dtype = dtypes[t.dtype()];
  const std::vector<std::uint64_t> shape(t.shape().begin(), t.shape().end());
  return faninpp::tensor(t.device_buffer(), dtype, layout, shape, t.device_offset() * fanin_dtype_size(dtype));
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
  const fanin_tensor t = view_of(p.tensor, p.layout);
  if (!report(status, p.name)) return false;
  if (!report(f.fill(queue, t, init, fanin_key_named(42, p.name)), p.name)) return false;
  const std::vector<float> values = f.read<float>(queue, t, nullptr, &status);
  if (!report(status, p.name)) return false;
  double squares = 0;
  for (const float x : values)
    squares += static_cast<double>(x) * static_cast<double>(x);
  fanin_moments expected;
  if (!report(fanin_expect(&t, &init, &expected), p.name)) return false;
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
