// Boost.Compute's vectors, filled on its queue; its events order the work.
//
//   c++ -std=c++11 boost_compute.cpp $(pkg-config --cflags --libs fanin) -o boost_compute
#include <boost/compute/command_queue.hpp>
#include <boost/compute/container/vector.hpp>
#include <boost/compute/system.hpp>
#include <boost/compute/utility/wait_list.hpp>

#include "stacks.hpp"

namespace compute = boost::compute;

namespace {

bool example() {
  const compute::device device = compute::system::default_device();
  const compute::context context(device);
  compute::command_queue queue(context, device, compute::command_queue::enable_out_of_order_execution);
  compute::vector<float> w(300 * 784, context);
  const fanin_init init = fanin_he_normal(0, FANIN_MODE_FAN_IN);
  fanin_key key;
  check(fanin_key_named(42, "fc1.weight", &key), "fanin_key_named");
  fanin *f = nullptr;
  check(fanin_create_for_queue(queue, &f), "fanin_create_for_queue");

  // Something of the program's own that the weights wait for.
  const float before = 7;
  const compute::wait_list waits(
      queue.enqueue_fill_buffer(w.get_buffer(), &before, sizeof before, 0, w.size() * sizeof before));

  const std::uint64_t shape[] = {300, 784};
  fanin_tensor t;
  check(fanin_tensor_of(w.get_buffer().get(), 0, FANIN_DTYPE_F32, "OI", 2, shape, &t), "fanin_tensor_of");
  compute::event filled;
  check(fanin_fill(f, queue, &t, &init, key, waits.size(), waits.get_event_ptr(), &filled.get()), "fanin_fill");

  std::vector<float> values(w.size());
  queue.enqueue_read_buffer(w.get_buffer(), 0, values.size() * sizeof(float), values.data(), filled);
  const bool right = values == filled_elsewhere(f, 300, 784, init, key);
  std::printf("boost::compute::vector: %s\n", right ? "the bits are right" : "WRONG");
  fanin_release(f);
  return right;
}

} // namespace

int main() {
  return run_example(example);
}
