// fanin.hpp and fanin/dlpack.h as a stranger's C++ uses them, with the bindings' exceptions
// (-DCL_HPP_ENABLE_EXCEPTIONS) and without: ownership, bits that are known beforehand, order, strings, failures.
#include <fanin.hpp>
#include <fanin/dlpack.h>

#include <cstdio>
#include <type_traits>
#include <utility>

namespace {

int failures = 0;

void expect(bool holds, const char *what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s; last error: %s\n", what, fanin_last_error());
  failures++;
}
#define EXPECT(condition) expect((condition), #condition)

static_assert(!std::is_copy_constructible<faninpp::Fanin>::value, "one owner");
static_assert(std::is_nothrow_move_constructible<faninpp::Fanin>::value, "which moves");
static_assert(!std::is_copy_assignable<faninpp::Plan>::value, "one owner");
static_assert(std::is_nothrow_move_assignable<faninpp::Plan>::value, "which moves");

// The failure's status, whichever way it comes.
template <typename Call> fanin_status status_of(Call call) {
#ifdef CL_HPP_ENABLE_EXCEPTIONS
  try {
    call();
  } catch (const faninpp::Error &error) {
    EXPECT(std::string(error.what()) == fanin_last_error());
    return error.status();
  }
  return FANIN_STATUS_OK;
#else
  return call();
#endif
}

cl_uint references(const cl::Context &context) {
  return context.getInfo<CL_CONTEXT_REFERENCE_COUNT>();
}

// The context's references come back when the last owner goes.
void own(const cl::Context &context, const cl::Device &device) {
  const cl_uint before = references(context);
  {
    faninpp::Fanin f(context, device);
    EXPECT(f.get() != nullptr);
    EXPECT(references(context) > before);
    EXPECT(f.context()() == context() && f.device()() == device());
    faninpp::Fanin moved(std::move(f));
    EXPECT(moved.get() != nullptr);
    f = std::move(moved);
    EXPECT(f.get() != nullptr && moved.get() == nullptr); // NOLINT: what a move leaves is promised here
    cl_command_queue own = nullptr;
    EXPECT(fanin_queue(f.get(), &own) == FANIN_STATUS_OK && f.queue()() == own);
    EXPECT(faninpp::Fanin(f.queue()).device()() == device());
  }
  EXPECT(references(context) == before);
}

void fill(const faninpp::Fanin &f, const cl::CommandQueue &queue) {
  const cl::Buffer buffer(f.context(), CL_MEM_READ_WRITE, 64 + 15 * sizeof(float));
  const fanin_tensor t = faninpp::tensor(buffer, FANIN_DTYPE_F32, "OI", {3, 5}, 64);
  cl::UserEvent gate(f.context());
  const std::vector<cl::Event> waits(1, gate);
  std::vector<cl::Event> filled(1);
  f.fill(queue, t, faninpp::init("uniform:lo=-1,hi=1"), fanin_key{0, 0}, &waits, &filled[0]);
  EXPECT(filled[0].getInfo<CL_EVENT_COMMAND_EXECUTION_STATUS>() != CL_COMPLETE);
  gate.setStatus(CL_COMPLETE);
  const std::vector<float> values = f.read<float>(queue, t, &filled);
  EXPECT(values.size() == 15);
  // Philox4x32-10's first word for key and counter 0 is 0x6627e8d5: (int32 + 1/2) * 2^-31.
  EXPECT(values.at(0) == static_cast<float>((0x6627e8d5 + 0.5) / 2147483648.0));

  const faninpp::Plan plan(f, {{t, fanin_uniform(-1, 1), 0, {}}});
  cl::Event planned;
  EXPECT(status_of([&] { return f.fill(queue, t, fanin_zeros(), fanin_key{0, 0}); }) == FANIN_STATUS_OK);
  plan.enqueue(queue, 0, nullptr, &planned);
  planned.wait();
  EXPECT(f.read<float>(queue, t) == values);

  int64_t shape[] = {3, 5};
  DLTensor dl = DLTensor();
  dl.data = buffer();
  dl.device.device_type = kDLOpenCL;
  dl.ndim = 2;
  dl.dtype.code = kDLFloat;
  dl.dtype.bits = 32;
  dl.dtype.lanes = 1;
  dl.shape = shape;
  dl.byte_offset = 64;
  fanin_tensor same;
  EXPECT(fanin_tensor_from_dlpack(&dl, "OI", &same) == FANIN_STATUS_OK);
  EXPECT(f.read<float>(queue, same) == values);
}

void fail(const faninpp::Fanin &f, const cl::CommandQueue &queue) {
  const cl::Buffer buffer(f.context(), CL_MEM_READ_WRITE, 16);
  const fanin_tensor large = faninpp::tensor(buffer, FANIN_DTYPE_F32, "OI", {3, 5});
  cl::Event event;
  EXPECT(status_of([&] {
           return f.fill(queue, large, fanin_zeros(), fanin_key{0, 0}, nullptr, &event);
         }) == FANIN_STATUS_BAD_SIZE);
  EXPECT(event() == nullptr);
  EXPECT(status_of([&] {
           fanin_status status = FANIN_STATUS_OK;
           faninpp::tensor(buffer, FANIN_DTYPE_F32, "OIO", {4, 4}, 0, &status);
           return status;
         }) == FANIN_STATUS_BAD_LAYOUT);
  EXPECT(status_of([] {
           fanin_status status = FANIN_STATUS_OK;
           faninpp::init("gaussian", &status);
           return status;
         }) == FANIN_STATUS_BAD_TEXT);
  EXPECT(status_of([] {
           fanin_status status = FANIN_STATUS_OK;
           const faninpp::Fanin none("no such device", &status);
           EXPECT(none.get() == nullptr);
           return status;
         }) == FANIN_STATUS_NO_DEVICE);
  EXPECT(status_of([&] {
           fanin_status status = FANIN_STATUS_OK;
           const faninpp::Plan none(f, {{large, fanin_zeros(), 0, {}}}, &status);
           EXPECT(none.get() == nullptr);
           return status;
         }) == FANIN_STATUS_BAD_SIZE);
  EXPECT(status_of([&] {
           fanin_status status = FANIN_STATUS_OK;
           EXPECT(f.read<double>(queue, faninpp::tensor(buffer, FANIN_DTYPE_F32, "", {4}), nullptr, &status).empty());
           return status;
         }) == FANIN_STATUS_BAD_SIZE);
  EXPECT(status_of([&] { return faninpp::Plan().enqueue(queue, 0); }) == FANIN_STATUS_BAD_ARGUMENT);
}

} // namespace

int main() {
  const faninpp::Fanin f("");
  if (!f.get()) return 1;
  const cl::CommandQueue queue(f.context(), f.device());
  own(f.context(), f.device());
  fill(f, queue);
  fail(f, queue);
  EXPECT(faninpp::text(faninpp::init("kaiming_normal:a=0.2")) ==
         faninpp::text(fanin_he_normal(0.2, FANIN_MODE_FAN_IN)));
  return failures != 0;
}
