// Through OpenCL's C++ bindings: a layer's weight and bias in one cl::Buffer, filled on the program's own queue after
// an event of its own, and a plan that fills both again. Failures are exceptions here.
//
//   c++ -std=c++11 clhpp.cpp $(pkg-config --cflags --libs fanin) -o clhpp
#define CL_HPP_TARGET_OPENCL_VERSION  120
#define CL_HPP_MINIMUM_OPENCL_VERSION 120
#define CL_HPP_ENABLE_EXCEPTIONS
#include <fanin.hpp>

#include <cmath>
#include <cstdio>

namespace {

const std::size_t outputs = 300;
const std::size_t inputs = 784;
const std::size_t weight_bytes = outputs * inputs * sizeof(float);

void print_std(const char *name, const std::vector<float> &values) {
  double squares = 0;
  for (const float x : values)
    squares += static_cast<double>(x) * static_cast<double>(x);
  std::printf("%-18s %6zu values, root mean square %.6f\n", name, values.size(),
              std::sqrt(squares / static_cast<double>(values.size())));
}

void run() {
  const faninpp::Fanin f(""); // or faninpp::Fanin(queue), of what the program has
  const cl::Context context = f.context();
  const cl::CommandQueue queue(context, f.device());
  const cl::Buffer memory(context, CL_MEM_READ_WRITE, weight_bytes + outputs * sizeof(float));

  const fanin_tensor weight = faninpp::tensor(memory, FANIN_DTYPE_F32, "OI", {outputs, inputs});
  const fanin_tensor bias = faninpp::tensor(memory, FANIN_DTYPE_F32, "O", {outputs}, weight_bytes);
  const fanin_init he = faninpp::init("he_normal:mode=fan_in");
  const fanin_init small = fanin_uniform(-0.01, 0.01);

  // Something of the program's that the weights must wait for.
  std::vector<cl::Event> cleared(1);
  queue.enqueueFillBuffer(memory, 0.0f, 0, weight_bytes + outputs * sizeof(float), nullptr, &cleared[0]);
  std::vector<cl::Event> filled(1);
  f.fill(queue, weight, he, faninpp::key(42, "fc1.weight"), &cleared, &filled[0]);
  const std::vector<float> values = f.read<float>(queue, weight, &filled);
  print_std("fc1.weight", values);
  std::printf("%-18s %s, sqrt(2 / %zu) = %.6f\n", "", faninpp::text(he).c_str(), inputs,
              std::sqrt(2 / static_cast<double>(inputs)));

  const faninpp::Plan plan(f, {{weight, he, faninpp::key(0, "fc1.weight").stream, {}},
                               {bias, small, faninpp::key(0, "fc1.bias").stream, {}}});
  plan.enqueue(queue, 42, &filled);
  print_std("fc1.bias by a plan", f.read<float>(queue, bias));
  std::printf("fc1.weight is %s by the plan\n", f.read<float>(queue, weight) == values ? "the same" : "another");

  try {
    f.fill(queue, bias, he, faninpp::key(42, "fc1.bias"));
  } catch (const faninpp::Error &error) {
    std::printf("%s: %s\n", fanin_status_name(error.status()), error.what());
  }
}

} // namespace

int main() {
  try {
    run();
  } catch (const faninpp::Error &error) {
    std::fprintf(stderr, "%s: %s\n", fanin_status_name(error.status()), error.what());
    return 1;
  } catch (const cl::Error &error) {
    std::fprintf(stderr, "%s: %d\n", error.what(), error.err());
    return 1;
  }
  return 0;
}
