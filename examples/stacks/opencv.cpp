// OpenCV's cv::UMat, filled on OpenCV's queue. A UMat has a step from row to row, and a region of one begins inside its
// buffer. OpenCV takes a GPU alone unless it is told otherwise: OPENCV_OPENCL_DEVICE=:CPU: takes PoCL.
//
//   c++ -std=c++11 opencv.cpp $(pkg-config --cflags --libs fanin opencv4) -o opencv
#include <opencv2/core.hpp>
#include <opencv2/core/ocl.hpp>

#include "stacks.hpp"

#include <cstdlib>

namespace {

// Two dimensions, one channel of float. ACCESS_WRITE tells OpenCV that a copy on the host is out of date.
fanin_tensor tensor_of(const cv::UMat &m, const char *layout) {
  const std::uint64_t shape[] = {static_cast<std::uint64_t>(m.rows), static_cast<std::uint64_t>(m.cols)};
  const std::uint64_t strides[] = {m.step[0] / sizeof(float), 1};
  fanin_tensor t;
  check(
      fanin_tensor_of(static_cast<cl_mem>(m.handle(cv::ACCESS_WRITE)), m.offset, FANIN_DTYPE_F32, layout, 2, shape, &t),
      "fanin_tensor_of");
  check(fanin_tensor_strided(&t, strides, &t), "fanin_tensor_strided");
  return t;
}

bool same(const cv::UMat &m, const std::vector<float> &expected) {
  const cv::Mat host = m.getMat(cv::ACCESS_READ);
  bool equal = true;
  for (int i = 0; i < host.rows; i++)
    for (int j = 0; j < host.cols; j++)
      equal = equal && host.at<float>(i, j) == expected[static_cast<std::size_t>(i * host.cols + j)];
  return equal;
}

bool example() {
  if (!cv::ocl::useOpenCL()) throw std::runtime_error("OpenCV finds no OpenCL device; see OPENCV_OPENCL_DEVICE");
  const fanin_init init = fanin_he_normal(0, FANIN_MODE_FAN_IN);
  fanin_key key;
  check(fanin_key_named(42, "fc1.weight", &key), "fanin_key_named");

  cv::UMat w(300, 784, CV_32F);
  const cl_command_queue queue = static_cast<cl_command_queue>(cv::ocl::Queue::getDefault().ptr());
  fanin *f = nullptr;
  check(fanin_create_for_queue(queue, &f), "fanin_create_for_queue");
  const fanin_tensor t = tensor_of(w, "OI");
  check(fanin_fill(f, queue, &t, &init, key, 0, nullptr, nullptr), "fanin_fill");
  // The queue is in order: what OpenCV enqueues next sees the weights.
  cv::UMat doubled;
  cv::add(w, w, doubled);

  std::vector<float> expected = filled_elsewhere(f, 300, 784, init, key);
  bool right = same(w, expected);
  for (float &x : expected)
    x *= 2;
  right = same(doubled, expected) && right;
  std::printf("cv::UMat: %s\n", right ? "the bits are right, and those of w + w" : "WRONG");

  // A region of a larger one.
  cv::UMat all = cv::UMat::zeros(50, 70, CV_32F);
  const fanin_tensor part = tensor_of(all(cv::Rect(30, 5, 31, 20)), "OI");
  check(fanin_fill(f, queue, &part, &init, key, 0, nullptr, nullptr), "fanin_fill");
  const bool region_right = same(all, filled_in_zeros(f, init, key));
  std::printf("a region of a cv::UMat: %s\n", region_right ? "the bits are right, and zeros around them" : "WRONG");
  fanin_release(f);
  return right && region_right;
}

} // namespace

int main() {
  setenv("OPENCV_OPENCL_DEVICE", ":CPU:", 0); // for machines without a GPU; a value that is set stays
  return run_example(example);
}
