/* Two devices for shards; see support_shards.h. */
#include "support/support_shards.h"

#include "support/support_answers.h"

fanin *shard_devices[SHARD_SETUPS][SHARD_DEVICES];

int shards_open(void **state) {
  (void)state;
  fanin_device_info devices[SHARD_DEVICES];
  cl_int code = CL_SUCCESS;
  if (test_two_devices(devices) != 0) return -1;
  const cl_device_id both[] = {devices[0].device, devices[1].device};
  const cl_context shared = clCreateContext(NULL, SHARD_DEVICES, both, NULL, NULL, &code);
  assert_int_equal(code, CL_SUCCESS);
  for (int d = 0; d < SHARD_DEVICES; d++) {
    const cl_context own = clCreateContext(NULL, 1, &both[d], NULL, NULL, &code);
    assert_int_equal(code, CL_SUCCESS);
    assert_ok(fanin_create(own, both[d], &shard_devices[SHARDS_ALONE][d]));
    assert_ok(fanin_create(shared, both[d], &shard_devices[SHARDS_TOGETHER][d]));
    assert_int_equal(clReleaseContext(own), CL_SUCCESS);
  }
  return clReleaseContext(shared);
}

int shards_close(void **state) {
  (void)state;
  for (int s = 0; s < SHARD_SETUPS; s++) {
    for (int d = 0; d < SHARD_DEVICES; d++) {
      test_close(shard_devices[s][d]);
    }
  }
  return 0;
}

void shards_allocate(fanin_shard *shards, size_t n) {
  for (size_t k = 0; k < n; k++) {
    uint64_t elements = 0, bytes = 0;
    assert_ok(fanin_tensor_size(&shards[k].tensor, &elements, &bytes));
    shards[k].tensor.offset = SHARD_OFFSET;
    shards[k].tensor.buffer = test_guarded(shards[k].f, SHARD_OFFSET, (size_t)bytes);
  }
}
