/* fanin for programs that use OpenCL's C++ bindings (CL/opencl.hpp): owners of a fanin and of a plan, the bindings'
 * types as arguments, and failures as exceptions where the bindings have them. Header-only, C++11; everything else is
 * fanin.h, which works in C++ as it is.
 *
 *   faninpp::Fanin f(context, device);
 *   f.fill(queue, faninpp::tensor(buffer, FANIN_DTYPE_F32, "OI", {300, 784}), fanin_he_normal(0, FANIN_MODE_FAN_IN),
 *          faninpp::key(42, "fc1.weight"), &waits, &event);
 *
 * With CL_HPP_ENABLE_EXCEPTIONS a failure throws faninpp::Error. Without it, functions return the status, and those
 * that return something else write it to *status, where that is not a null pointer.
 *
 * CL_HPP_TARGET_OPENCL_VERSION, CL_HPP_MINIMUM_OPENCL_VERSION and CL_TARGET_OPENCL_VERSION are yours to define; this
 * header compiles with whatever <CL/opencl.hpp> compiles with, before or after it. */
#ifndef FANIN_HPP
#define FANIN_HPP

#include <CL/opencl.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#ifdef CL_HPP_ENABLE_EXCEPTIONS
#include <stdexcept>
#endif

#include "fanin.h"

/* Not fanin, which is what C calls the type. */
namespace faninpp {

#ifdef CL_HPP_ENABLE_EXCEPTIONS
/* what() is fanin_last_error()'s sentence. */
class Error : public std::runtime_error {
public:
  /* Of the calling thread's last failure. */
  explicit Error(fanin_status status) : std::runtime_error(fanin_last_error()), status_(status) {}
  /* What the call would have returned. */
  fanin_status status() const noexcept { return status_; }

private:
  fanin_status status_;
};
#endif

namespace detail {

inline fanin_status check(fanin_status result, fanin_status *status = nullptr) {
  if (status) *status = result;
#ifdef CL_HPP_ENABLE_EXCEPTIONS
  if (result != FANIN_STATUS_OK) throw Error(result);
#endif
  return result;
}

/* A wait list and a place for the event, as C takes them. */
class Order {
public:
  explicit Order(const std::vector<cl::Event> *waits) {
    if (!waits) return;
    list_.reserve(waits->size());
    for (const cl::Event &event : *waits)
      list_.push_back(event());
  }
  cl_uint count() const { return static_cast<cl_uint>(list_.size()); }
  const cl_event *list() const { return list_.empty() ? nullptr : list_.data(); }
  cl_event *place(const cl::Event *event) { return event ? &made_ : nullptr; }
  void hand(cl::Event *event) const {
    if (event && made_) *event = cl::Event(made_); // which releases it
  }

private:
  std::vector<cl_event> list_;
  cl_event made_ = nullptr;
};

struct Release {
  void operator()(::fanin *f) const noexcept { fanin_release(f); }
  void operator()(fanin_plan *plan) const noexcept { fanin_plan_release(plan); }
};

} // namespace detail

/* fanin_key_named(). */
inline fanin_key key(std::uint64_t seed, const std::string &name) {
  fanin_key made = fanin_key();
  detail::check(fanin_key_named(seed, name.c_str(), &made));
  return made;
}

/* fanin_tensor_of(), the offset in bytes; zeros where that fails and nothing is thrown. Does not retain the buffer. */
inline fanin_tensor tensor(const cl::Buffer &buffer, fanin_dtype dtype, const std::string &layout,
                           const std::vector<std::uint64_t> &shape, std::size_t offset = 0,
                           fanin_status *status = nullptr) {
  fanin_tensor made = fanin_tensor();
  detail::check(
      fanin_tensor_of(buffer(), offset, dtype, layout.c_str(), static_cast<int>(shape.size()), shape.data(), &made),
      status);
  return made;
}

/* fanin_init_parse(); zeros where that fails and nothing is thrown. */
inline fanin_init init(const std::string &text, fanin_status *status = nullptr) {
  fanin_init parsed = fanin_zeros();
  detail::check(fanin_init_parse(text.c_str(), &parsed), status);
  return parsed;
}

/* fanin_init_format(); "" where that fails and nothing is thrown. */
inline std::string text(const fanin_init &init, fanin_status *status = nullptr) {
  std::size_t length = 0;
  if (detail::check(fanin_init_format(&init, nullptr, 0, &length), status) != FANIN_STATUS_OK) return std::string();
  std::vector<char> characters(length + 1);
  detail::check(fanin_init_format(&init, characters.data(), characters.size(), nullptr), status);
  return std::string(characters.data());
}

/* Owns a fanin; moves and does not copy. What fails to be made is empty: get() is a null pointer. */
class Fanin {
public:
  /* Empty. */
  Fanin() = default;

  /* fanin_open(); "" is the default device. */
  explicit Fanin(const std::string &selector, fanin_status *status = nullptr) {
    own([&](::fanin **out) { return fanin_open(selector.c_str(), out); }, status);
  }

  /* fanin_create(). */
  Fanin(const cl::Context &context, const cl::Device &device, fanin_status *status = nullptr) {
    own([&](::fanin **out) { return fanin_create(context(), device(), out); }, status);
  }

  /* fanin_create_for_queue(). */
  explicit Fanin(const cl::CommandQueue &queue, fanin_status *status = nullptr) {
    own([&](::fanin **out) { return fanin_create_for_queue(queue(), out); }, status);
  }

  /* For the functions of fanin.h. */
  ::fanin *get() const noexcept { return owned_.get(); }

  /* What f works on, with a reference of its own; null where that fails and nothing is thrown. */
  cl::Context context(fanin_status *status = nullptr) const { return ask<cl::Context>(fanin_context, status); }
  /* The same. */
  cl::Device device(fanin_status *status = nullptr) const { return ask<cl::Device>(fanin_device, status); }
  /* The same of fanin's own queue. */
  cl::CommandQueue queue(fanin_status *status = nullptr) const { return ask<cl::CommandQueue>(fanin_queue, status); }

  /* fanin_fill(); a null queue is queue(). */
  fanin_status fill(const cl::CommandQueue &queue, const fanin_tensor &t, const fanin_init &init, fanin_key key,
                    const std::vector<cl::Event> *waits = nullptr, cl::Event *event = nullptr) const {
    detail::Order order(waits);
    const fanin_status result =
        fanin_fill(get(), queue(), &t, &init, key, order.count(), order.list(), order.place(event));
    order.hand(event);
    return detail::check(result);
  }

  /* fanin_read(), blocking: what memory holds of t. T must be as large as an element; empty where that fails and
   * nothing is thrown. */
  template <typename T>
  std::vector<T> read(const cl::CommandQueue &queue, const fanin_tensor &t,
                      const std::vector<cl::Event> *waits = nullptr, fanin_status *status = nullptr) const {
    std::uint64_t elements = 0, bytes = 0;
    std::vector<T> values;
    detail::Order order(waits);
    fanin_status result = fanin_tensor_size(&t, &elements, &bytes);
    if (result == FANIN_STATUS_OK) {
      values.resize(static_cast<std::size_t>(elements));
      result = fanin_read(get(), queue(), &t, values.data(), values.size() * sizeof(T), 1, order.count(), order.list(),
                          nullptr);
    }
    if (result != FANIN_STATUS_OK) values.clear();
    detail::check(result, status);
    return values;
  }

private:
  template <typename Make> void own(Make make, fanin_status *status) {
    ::fanin *made = nullptr;
    const fanin_status result = make(&made);
    owned_.reset(made);
    detail::check(result, status);
  }

  template <typename T, typename Function> T ask(Function function, fanin_status *status) const {
    typename T::cl_type own = nullptr;
    detail::check(function(get(), &own), status);
    return T(own, own != nullptr);
  }

  std::unique_ptr<::fanin, detail::Release> owned_;
};

/* Owns a plan; moves and does not copy. It may outlive the Fanin. */
class Plan {
public:
  /* Empty. */
  Plan() = default;

  /* fanin_plan_create(). */
  Plan(const Fanin &f, const std::vector<fanin_item> &items, fanin_status *status = nullptr) {
    fanin_plan *made = nullptr;
    const fanin_status result = fanin_plan_create(f.get(), items.data(), items.size(), &made);
    owned_.reset(made);
    detail::check(result, status);
  }

  /* For the functions of fanin.h. */
  fanin_plan *get() const noexcept { return owned_.get(); }

  /* fanin_plan_enqueue(); a null queue is the Fanin's. */
  fanin_status enqueue(const cl::CommandQueue &queue, std::uint64_t seed, const std::vector<cl::Event> *waits = nullptr,
                       cl::Event *event = nullptr) const {
    detail::Order order(waits);
    const fanin_status result =
        fanin_plan_enqueue(get(), queue(), seed, order.count(), order.list(), order.place(event));
    order.hand(event);
    return detail::check(result);
  }

private:
  std::unique_ptr<fanin_plan, detail::Release> owned_;
};

} // namespace faninpp

#endif
