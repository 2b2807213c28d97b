/* Philox4x32-10 on the device and in the oracle: published known answers, and a million random pairs of key and counter
 * against Random123; then the same words through the public path. */
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <Random123/philox.h>

#include "core/context.h"
#include "core/program.h"
#include "oracle/image.h"

typedef struct known_answer {
  uint32_t counter[4], key[2], words[4];
} known_answer;

/* Random123's kat_vectors, philox4x32 with 10 rounds. */
static const known_answer known_answers[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

enum { N_KNOWN = sizeof known_answers / sizeof *known_answers };

/* Behind the embedded source of the fills: item i makes ABREAST chunks, whose draws go to memory as they are, in the
 * order of the stream. */
static const char kernel_text[] =
    "\n"
    "kernel void words_of(global const uint4 *keys, global const ulong *first_blocks, global float *out) {\n"
    "  const size_t i = get_global_id(0);\n"
    "  ulong block[ABREAST];\n"
    "  EACH(g) block[g] = first_blocks[i] + g * BLOCKS;\n"
    "  const draws d = chunk_draws(block, keys[i]);\n"
    "  values x;\n"
    "  for (int k = 0; k < VECTORS; ++k)\n"
    "    x.v[k] = AS(float, d.d[k]);\n"
    "  store_chunks(out + i * ABREAST * CHUNK, natural_order(x), false);\n"
    "}\n";

/* Of an item, of which the first is a multiple of it. Behind the last block of all, where the upper word changes, an
 * item's words are not the stream's; nothing looks at them. */
static size_t blocks_of(unsigned lanes) {
  enum { ABREAST = 6 };
  return lanes == 1 ? 1 : (size_t)ABREAST * lanes / 2;
}

static cl_program build(fanin *f, unsigned lanes) {
  const char *const texts[] = {fanin__source_fill.text, kernel_text};
  const size_t sizes[] = {fanin__source_fill.size, sizeof kernel_text - 1};
  char options[64];
  snprintf(options, sizeof options, "-cl-std=CL1.2 -D LANES=%u", lanes);
  cl_int code = CL_SUCCESS;
  const cl_program program = clCreateProgramWithSource(test_context(f), 2, (const char **)texts, sizes, &code);
  assert_int_equal(code, CL_SUCCESS);
  const cl_device_id device = test_device(f);
  assert_int_equal(clBuildProgram(program, 1, &device, options, NULL, NULL), CL_SUCCESS);
  return program;
}

static cl_mem buffer_of(fanin *f, size_t bytes, const void *content) {
  cl_int code = CL_SUCCESS;
  const cl_mem_flags flags = CL_MEM_READ_WRITE | (content ? CL_MEM_COPY_HOST_PTR : 0);
  const cl_mem buffer = clCreateBuffer(test_context(f), flags, bytes, (void *)content, &code);
  assert_int_equal(code, CL_SUCCESS);
  return buffer;
}

/* Runs `items` items: keys of four words each, the seed's and the stream's, to out. */
static void device_words(fanin *f, unsigned lanes, size_t items, const uint32_t *keys, const uint64_t *first_blocks,
                         uint32_t *out) {
  const size_t bytes = items * 4 * blocks_of(lanes) * sizeof *out;
  const cl_program program = build(f, lanes);
  cl_int code = CL_SUCCESS;
  const cl_kernel kernel = clCreateKernel(program, "words_of", &code);
  assert_int_equal(code, CL_SUCCESS);
  const cl_mem buffers[] = {buffer_of(f, items * 4 * sizeof *keys, keys),
                            buffer_of(f, items * sizeof *first_blocks, first_blocks), buffer_of(f, bytes, NULL)};
  for (cl_uint k = 0; k < 3; k++) {
    assert_int_equal(clSetKernelArg(kernel, k, sizeof(cl_mem), &buffers[k]), CL_SUCCESS);
  }
  const cl_command_queue queue = test_queue(f);
  assert_int_equal(clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &items, NULL, 0, NULL, NULL), CL_SUCCESS);
  assert_int_equal(clEnqueueReadBuffer(queue, buffers[2], CL_TRUE, 0, bytes, out, 0, NULL, NULL), CL_SUCCESS);
  for (int k = 0; k < 3; k++) {
    clReleaseMemObject(buffers[k]);
  }
  clReleaseKernel(kernel);
  clReleaseProgram(program);
}

/* Compares with Random123, and the oracle too. */
static void assert_words(const uint32_t key[2], const uint32_t counter[4], const uint32_t words[4], unsigned lanes) {
  const philox4x32_ctr_t c = {{counter[0], counter[1], counter[2], counter[3]}};
  const philox4x32_key_t k = {{key[0], key[1]}};
  const philox4x32_ctr_t expected = philox4x32_R(10, c, k);
  uint32_t own[4];
  oracle_philox(key, counter, own);
  if (memcmp(expected.v, words, sizeof own) == 0 && memcmp(expected.v, own, sizeof own) == 0) return;
  fail_msg("key %08x %08x, counter %08x %08x %08x %08x: first word %08x by Random123, %08x by the oracle, %08x by the "
           "device with %u lanes",
           key[0], key[1], counter[0], counter[1], counter[2], counter[3], expected.v[0], own[0], words[0], lanes);
}

/* Oclgrind 21.10 takes half of a shuffle of eight or more initialized lanes for uninitialized: there it is four at
 * most. */
static const unsigned widths[] = {1, 4, 8, 16};
enum { N_WIDTHS = sizeof widths / sizeof *widths, N_SMALL = 2 };

static void test_known_answers(void **state) {
  fanin *const f = *state;
  for (size_t n = 0; n < oracle_amount(N_WIDTHS, N_SMALL); n++) {
    const size_t blocks = blocks_of(widths[n]);
    uint32_t keys[4 * N_KNOWN], words[4 * N_KNOWN * 48];
    uint64_t first[N_KNOWN];
    for (size_t i = 0; i < N_KNOWN; i++) {
      const uint32_t *const counter = known_answers[i].counter;
      memcpy(keys + 4 * i, known_answers[i].key, sizeof known_answers[i].key);
      memcpy(keys + 4 * i + 2, counter + 2, 2 * sizeof *counter);
      first[i] = (((uint64_t)counter[1] << 32) | counter[0]) / blocks * blocks;
    }
    device_words(f, widths[n], N_KNOWN, keys, first, words);
    for (size_t i = 0; i < N_KNOWN; i++) {
      const uint32_t *const counter = known_answers[i].counter;
      const size_t block = i * blocks + ((((uint64_t)counter[1] << 32) | counter[0]) - first[i]);
      assert_memory_equal(words + 4 * block, known_answers[i].words, sizeof known_answers[i].words);
    }
  }
}

static void test_known_answers_of_oracle(void **state) {
  (void)state;
  for (int i = 0; i < N_KNOWN; i++) {
    uint32_t words[4];
    oracle_philox(known_answers[i].key, known_answers[i].counter, words);
    assert_memory_equal(words, known_answers[i].words, sizeof words);
  }
}

/* Each width its own million; the blocks of an item share their key. */
static void test_random_pairs(void **state) {
  fanin *const f = *state;
  const size_t pairs = oracle_amount(1000000, 512);
  uint32_t *const keys = malloc(pairs * 4 * sizeof *keys), *const out = malloc(pairs * 4 * sizeof *out);
  uint64_t *const first = malloc(pairs * sizeof *first);
  assert_true(keys && first && out);
  for (size_t n = 0; n < oracle_amount(N_WIDTHS, N_SMALL); n++) {
    const size_t blocks = blocks_of(widths[n]), items = pairs / blocks;
    uint64_t random = widths[n];
    for (size_t k = 0; k < 4 * items; k++) {
      keys[k] = (uint32_t)test_random(&random);
    }
    for (size_t k = 0; k < items; k++) {
      first[k] = test_random(&random) / blocks * blocks;
    }
    device_words(f, widths[n], items, keys, first, out);
    for (size_t p = 0; p < items * blocks; p++) {
      const uint32_t *const key = keys + p / blocks * 4;
      const uint64_t block = first[p / blocks] + p % blocks;
      const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), key[2], key[3]};
      assert_words(key, counter, out + 4 * p, widths[n]);
    }
  }
  free(keys);
  free(first);
  free(out);
}

/* In f64, uniform on +-2^63 is i64(d) + 1/2 rounded: nearly the draw itself. So the seed, the stream, the block and the
 * plane each reach their word of key and counter. */
static void test_words_through_the_public_path(void **state) {
  fanin *const f = *state;
  if (!f->has_f64) skip();
  const fanin_init init = fanin_uniform(-0x1p63, 0x1p63);
  const uint64_t shape[] = {UINT64_C(1) << 61};
  uint64_t random = 7;
  for (int k = 0; k < 8; k++) {
    const fanin_key key = {test_random(&random), test_random(&random)};
    const uint64_t first = test_random(&random) >> 4;
    enum { COUNT = 101 };
    double values[COUNT];
    fanin_tensor t;
    assert_ok(fanin_tensor_alloc(f, FANIN_DTYPE_F64, NULL, 1, (const uint64_t[]){COUNT}, &t));
    t.shape[0] = shape[0];
    t = test_tensor_range(t, first, COUNT);
    assert_ok(fanin_fill(f, NULL, &t, &init, key, 0, NULL, NULL));
    assert_ok(fanin_read(f, NULL, &t, values, sizeof values, 1, 0, NULL, NULL));
    fanin_tensor_free(&t);
    for (uint64_t e = 0; e < COUNT; e++) {
      uint32_t high[4], low[4];
      const uint64_t block = (first + e) / 4;
      oracle_block(key, block, high);
      oracle_block(key, block + (UINT64_C(1) << 63), low);
      const int64_t draw = (int64_t)((uint64_t)high[(first + e) % 4] << 32 | low[(first + e) % 4]);
      assert_true(values[e] == (double)draw || values[e] == (double)draw + 0.5);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_known_answers),
      cmocka_unit_test(test_known_answers_of_oracle),
      cmocka_unit_test(test_random_pairs),
      cmocka_unit_test(test_words_through_the_public_path),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
