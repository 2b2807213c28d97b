// Into a framework with a tensor class over a buffer, an offset and a shape, as dlprimitives has: one function makes a
// fanin_tensor of such a tensor, and another fills the weights of a network. The classes below have dlprimitives' names
// and accessors; with the library itself, include <dlprim/net.hpp> in their place.
//
//   c++ -std=c++11 dlprimitives_style.cpp $(pkg-config --cflags --libs fanin) -o dlprimitives_style
#define CL_HPP_TARGET_OPENCL_VERSION  120
#define CL_HPP_MINIMUM_OPENCL_VERSION 120
#include <fanin.hpp>

#include <array>
#include <cmath>
#include <cstdio>
#include <map>

namespace {

// ---- What the framework has -----------------------------------------------------------------------------------------

enum DataType { double_data = 4, float_data = 3, half_data = 2, bfloat16_data = 10, int32_data = 19, uint8_data = 25 };

class Shape {
public:
  explicit Shape(std::size_t b) : extent_{{b}}, size_(1) {}
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

// A network has its parameters by name. The framework itself makes them: here biases are 0, and so are weights, which
// dlprimitives draws from laws of its own.
class Net {
public:
  explicit Net(const cl::Context &context) {
    const Shape filters(64, 32, 3, 3);
    const Shape matrix(100, 576);
    const Shape bias(100);
    const cl::Buffer memory(context, CL_MEM_READ_WRITE,
                            (filters.total_size() + matrix.total_size() + bias.total_size()) * sizeof(float));
    params_.emplace("conv1.0", Tensor(memory, 0, filters));
    params_.emplace("fc1.0", Tensor(memory, filters.total_size(), matrix));
    params_.emplace("fc1.1", Tensor(memory, filters.total_size() + matrix.total_size(), bias));
  }
  std::map<std::string, Tensor> &params() { return params_; }
  void initialize_parameters(const cl::CommandQueue &queue) {
    for (auto &p : params_)
      queue.enqueueFillBuffer(p.second.device_buffer(), 0.0f, p.second.device_offset() * sizeof(float),
                              p.second.shape().total_size() * sizeof(float));
  }

private:
  std::map<std::string, Tensor> params_;
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

bool report(fanin_status status, const std::string &what) {
  if (status != FANIN_STATUS_OK)
    std::fprintf(stderr, "%s: %s: %s\n", what.c_str(), fanin_status_name(status), fanin_last_error());
  return status == FANIN_STATUS_OK;
}

const char *layout_of(const Tensor &t) {
  return t.shape().size() == 4 ? "OIHW" : t.shape().size() == 2 ? "OI" : "O";
}

// Weights get fanin's values; biases and the parameters of norms keep the framework's. The framework's queue is in
// order, as dlprimitives' are: no events are needed.
bool initialize(const faninpp::Fanin &f, const cl::CommandQueue &queue, Net &net) {
  const fanin_init he = fanin_he_normal(0, FANIN_MODE_FAN_IN);
  net.initialize_parameters(queue);
  for (auto &p : net.params()) {
    fanin_tensor t;
    if (p.second.shape().size() < 2) continue;
    if (!report(view_of(p.second, layout_of(p.second), &t), p.first)) return false;
    if (!report(f.fill(queue, t, he, faninpp::key(42, p.first)), p.first)) return false;
  }
  return true;
}

// ---- Whether it has worked ------------------------------------------------------------------------------------------

bool is_right(const faninpp::Fanin &f, const cl::CommandQueue &queue, const std::string &name, Tensor &tensor) {
  fanin_status status = FANIN_STATUS_OK;
  fanin_tensor t;
  if (!report(view_of(tensor, layout_of(tensor), &t), name)) return false;
  const std::vector<float> values = f.read<float>(queue, t, nullptr, &status);
  if (!report(status, name)) return false;
  double squares = 0;
  for (const float x : values)
    squares += static_cast<double>(x) * static_cast<double>(x);
  const fanin_init init = tensor.shape().size() < 2 ? fanin_zeros() : fanin_he_normal(0, FANIN_MODE_FAN_IN);
  fanin_moments expected;
  if (!report(fanin_expect(&t, &init, &expected, sizeof expected), name)) return false;
  const double std = std::sqrt(squares / static_cast<double>(values.size()));
  std::printf("%-8s std %.6f, expected %.6f\n", name.c_str(), std, expected.std);
  return std::fabs(std - expected.std) <= 0.05 * expected.std; // ten standard errors of 18,432 values
}

} // namespace

int main() {
  fanin_status status = FANIN_STATUS_OK;
  const faninpp::Fanin f("", &status);
  if (!report(status, "opening a device")) return 1;
  Net net(f.context());
  if (!initialize(f, f.queue(), net)) return 1;
  bool right = true;
  for (auto &p : net.params())
    right = is_right(f, f.queue(), p.first, p.second) && right;
  return right ? 0 : 1;
}
