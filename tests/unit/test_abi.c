/* The stable headers' binary interface: sizes and offsets of structs, and enumerators' values. Programs were compiled
 * with these, so a change here breaks them: a struct may grow at its end only if it is a result or a configuration, and
 * an enumeration may only get more members. */
#include <string.h>

#include "support/support.h"

#if defined(__x86_64__) && defined(__LP64__)
#define SIZE(type, bytes) assert_int_equal(sizeof(type), bytes)
#define FIELD(type, field, offset, bytes)                                                                              \
  field_is(#type "." #field, offsetof(type, field), sizeof(((type *)0)->field), offset, bytes)
#define VALUE(enumerator, value) assert_int_equal(enumerator, value)

static void field_is(const char *name, size_t offset, size_t bytes, size_t old_offset, size_t old_bytes) {
  if (offset == old_offset && bytes == old_bytes) return;
  fail_msg("%s is %zu bytes at %zu; it was %zu bytes at %zu", name, bytes, offset, old_bytes, old_offset);
}

static void structs_are_where_they_were(void **state) {
  (void)state;
  SIZE(fanin_device_info, 904);
  FIELD(fanin_device_info, platform, 0, 8);
  FIELD(fanin_device_info, device, 8, 8);
  FIELD(fanin_device_info, platform_name, 16, 128);
  FIELD(fanin_device_info, name, 144, 256);
  FIELD(fanin_device_info, driver, 400, 128);
  FIELD(fanin_device_info, version, 528, 128);
  FIELD(fanin_device_info, type, 656, 8);
  FIELD(fanin_device_info, compute_units, 664, 4);
  FIELD(fanin_device_info, memory_bytes, 672, 8);
  FIELD(fanin_device_info, max_alloc_bytes, 680, 8);
  FIELD(fanin_device_info, native_float_width, 688, 4);
  FIELD(fanin_device_info, has_f64, 692, 4);
  FIELD(fanin_device_info, has_f16, 696, 4);
  FIELD(fanin_device_info, usable, 700, 4);
  FIELD(fanin_device_info, reason, 704, 192);
  FIELD(fanin_device_info, shares_memory, 896, 4);
  SIZE(fanin_driver_info, 1216);
  FIELD(fanin_driver_info, icd, 0, 256);
  FIELD(fanin_driver_info, library, 256, 256);
  FIELD(fanin_driver_info, usable, 512, 4);
  FIELD(fanin_driver_info, reason, 516, 700);
  SIZE(fanin_tensor, 352);
  FIELD(fanin_tensor, buffer, 0, 8);
  FIELD(fanin_tensor, offset, 8, 8);
  FIELD(fanin_tensor, dtype, 16, 4);
  FIELD(fanin_tensor, rank, 20, 4);
  FIELD(fanin_tensor, shape, 24, 64);
  FIELD(fanin_tensor, strides, 88, 64);
  FIELD(fanin_tensor, layout, 152, 9);
  FIELD(fanin_tensor, groups, 164, 4);
  FIELD(fanin_tensor, splits, 168, 4);
  FIELD(fanin_tensor, part, 172, 4);
  FIELD(fanin_tensor, start, 176, 64);
  FIELD(fanin_tensor, extent, 240, 64);
  FIELD(fanin_tensor, first, 304, 8);
  FIELD(fanin_tensor, count, 312, 8);
  FIELD(fanin_tensor, reserved, 320, 32);
  SIZE(fanin_init, 192);
  FIELD(fanin_init, kind, 0, 4);
  FIELD(fanin_init, mode, 4, 4);
  FIELD(fanin_init, distribution, 8, 4);
  FIELD(fanin_init, bounds, 12, 4);
  FIELD(fanin_init, per, 16, 4);
  FIELD(fanin_init, uncorrected, 20, 4);
  FIELD(fanin_init, value, 24, 8);
  FIELD(fanin_init, lo, 32, 8);
  FIELD(fanin_init, hi, 40, 8);
  FIELD(fanin_init, mean, 48, 8);
  FIELD(fanin_init, std, 56, 8);
  FIELD(fanin_init, a, 64, 8);
  FIELD(fanin_init, b, 72, 8);
  FIELD(fanin_init, gain, 80, 8);
  FIELD(fanin_init, scale, 88, 8);
  FIELD(fanin_init, sparsity, 96, 8);
  FIELD(fanin_init, connections, 104, 8);
  FIELD(fanin_init, floor, 112, 8); /* from here on 0.2's reserved words */
  FIELD(fanin_init, inverse_softplus, 120, 4);
  FIELD(fanin_init, form, 124, 4);
  FIELD(fanin_init, base, 128, 8);
  FIELD(fanin_init, exponent, 136, 8);
  FIELD(fanin_init, zigzag, 144, 8);
  FIELD(fanin_init, period, 152, 8);
  FIELD(fanin_init, shift, 160, 8);
  FIELD(fanin_init, zigzag_exponent, 168, 8);
  FIELD(fanin_init, half_open, 176, 4);
  FIELD(fanin_init, reserved, 184, 8);
}

static void structs_of_fills_are_where_they_were(void **state) {
  (void)state;
  SIZE(fanin_description, 56);
  FIELD(fanin_description, name, 0, 8);
  FIELD(fanin_description, aliases, 8, 8);
  FIELD(fanin_description, formula, 16, 8);
  FIELD(fanin_description, parameters, 24, 8);
  FIELD(fanin_description, source, 32, 8);
  FIELD(fanin_description, needs_fans, 40, 4);
  FIELD(fanin_description, draws, 44, 4);
  FIELD(fanin_description, presets, 48, 8);
  SIZE(fanin_moments, 40);
  FIELD(fanin_moments, mean, 0, 8);
  FIELD(fanin_moments, std, 8, 8);
  FIELD(fanin_moments, kurtosis, 16, 8);
  FIELD(fanin_moments, lo, 24, 8);
  FIELD(fanin_moments, hi, 32, 8);
  SIZE(fanin_key, 16);
  FIELD(fanin_key, seed, 0, 8);
  FIELD(fanin_key, stream, 8, 8);
  SIZE(fanin_item, 576);
  FIELD(fanin_item, tensor, 0, 352);
  FIELD(fanin_item, init, 352, 192);
  FIELD(fanin_item, stream, 544, 8);
  FIELD(fanin_item, reserved, 552, 24);
  SIZE(fanin_plan_facts, 40);
  FIELD(fanin_plan_facts, items, 0, 8);
  FIELD(fanin_plan_facts, launches, 8, 8);
  FIELD(fanin_plan_facts, elements, 16, 8);
  FIELD(fanin_plan_facts, arena_bytes, 24, 8);
  FIELD(fanin_plan_facts, table_bytes, 32, 8);
  SIZE(fanin_shard, 424);
  FIELD(fanin_shard, f, 0, 8);
  FIELD(fanin_shard, queue, 8, 8);
  FIELD(fanin_shard, tensor, 16, 352);
  FIELD(fanin_shard, n_wait, 368, 4);
  FIELD(fanin_shard, wait_list, 376, 8);
  FIELD(fanin_shard, event, 384, 8);
  FIELD(fanin_shard, reserved, 392, 32);
}

static void enumerators_are_what_they_were(void **state) {
  (void)state;
  VALUE(FANIN_PART_WHOLE, 0);
  VALUE(FANIN_PART_SLAB, 1);
  VALUE(FANIN_PART_RANGE, 2);
  VALUE(FANIN_CRITERION_SECOND_MOMENT, 0);
  VALUE(FANIN_CRITERION_VARIANCE, 1);
  VALUE(FANIN_CRITERION_PYTORCH, 2);
  VALUE(FANIN_KIND_ZEROS, 0);
  VALUE(FANIN_KIND_ONES, 1);
  VALUE(FANIN_KIND_CONSTANT, 2);
  VALUE(FANIN_KIND_UNIFORM, 3);
  VALUE(FANIN_KIND_NORMAL, 4);
  VALUE(FANIN_KIND_TRUNC_NORMAL, 5);
  VALUE(FANIN_KIND_XAVIER_UNIFORM, 6);
  VALUE(FANIN_KIND_XAVIER_NORMAL, 7);
  VALUE(FANIN_KIND_HE_UNIFORM, 8);
  VALUE(FANIN_KIND_HE_NORMAL, 9);
  VALUE(FANIN_KIND_LECUN_UNIFORM, 10);
  VALUE(FANIN_KIND_LECUN_NORMAL, 11);
  VALUE(FANIN_KIND_VARIANCE_SCALING, 12);
  VALUE(FANIN_KIND_IDENTITY, 13);
  VALUE(FANIN_KIND_DIRAC, 14);
  VALUE(FANIN_KIND_ORTHOGONAL, 15);
  VALUE(FANIN_KIND_DELTA_ORTHOGONAL, 16);
  VALUE(FANIN_KIND_SPARSE, 17);
  VALUE(FANIN_KIND_BILINEAR, 18);
  VALUE(FANIN_KIND_HADAMARD, 19);
  VALUE(FANIN_KIND_LOG_UNIFORM, 20);
  VALUE(FANIN_KIND_S4D_REAL, 21);
  VALUE(FANIN_KIND_SINUSOIDAL, 22);
  VALUE(FANIN_KIND_INV_FREQ, 23);
  VALUE(FANIN_KIND_ALIBI, 24);
  VALUE(FANIN_KIND_RAMP, 25);
  VALUE(FANIN_MODE_FAN_IN, 0);
  VALUE(FANIN_MODE_FAN_OUT, 1);
  VALUE(FANIN_MODE_FAN_AVG, 2);
  VALUE(FANIN_MODE_FAN_GEO, 3);
  VALUE(FANIN_DISTRIBUTION_NORMAL, 0);
  VALUE(FANIN_DISTRIBUTION_UNIFORM, 1);
  VALUE(FANIN_DISTRIBUTION_TRUNC_NORMAL, 2);
  VALUE(FANIN_BOUNDS_SIGMA, 0);
  VALUE(FANIN_BOUNDS_ABSOLUTE, 1);
  VALUE(FANIN_PER_INPUT, 0);
  VALUE(FANIN_PER_OUTPUT, 1);
  VALUE(FANIN_FORM_INTERLEAVED, 0);
  VALUE(FANIN_FORM_HALVES, 1);
  VALUE(FANIN_FORM_TENSOR2TENSOR, 2);
  VALUE(FANIN_DTYPE_F32, 0);
  VALUE(FANIN_DTYPE_F16, 1);
  VALUE(FANIN_DTYPE_BF16, 2);
  VALUE(FANIN_DTYPE_F64, 3);
  VALUE(FANIN_STATUS_OK, 0);
  VALUE(FANIN_STATUS_BAD_ARGUMENT, 1);
  VALUE(FANIN_STATUS_BAD_SHAPE, 2);
  VALUE(FANIN_STATUS_BAD_LAYOUT, 3);
  VALUE(FANIN_STATUS_BAD_SIZE, 4);
  VALUE(FANIN_STATUS_BAD_TEXT, 5);
  VALUE(FANIN_STATUS_NO_DEVICE, 6);
  VALUE(FANIN_STATUS_UNSUPPORTED, 7);
  VALUE(FANIN_STATUS_OUT_OF_MEMORY, 8);
  VALUE(FANIN_STATUS_NOT_FINITE, 9);
  VALUE(FANIN_STATUS_BAD_BINARY, 10);
}
#endif

/* What is written to a caller's struct, and what is taken from one, of an older and of a newer header. */
static void results_are_cut_to_the_caller_s_size(void **state) {
  (void)state;
  const fanin_tensor t = {.rank = 1, .shape = {4}};
  const fanin_init init = fanin_uniform(0, 1);
  struct {
    fanin_moments moments;
    uint64_t more[2];
  } newer, whole;
  memset(&newer, 0x5a, sizeof newer);
  memset(&whole, 0x5a, sizeof whole);
  assert_ok(fanin_expect(&t, &init, &whole.moments, sizeof whole)); /* nothing beyond what the library knows */
  assert_true(whole.more[0] == UINT64_C(0x5a5a5a5a5a5a5a5a) && whole.moments.hi == 1);
  assert_ok(fanin_expect(&t, &init, &newer.moments, offsetof(fanin_moments, kurtosis)));
  assert_true(newer.moments.mean == 0.5 && newer.moments.std == whole.moments.std);
  assert_memory_equal(&newer.moments.kurtosis, &newer.more[0], sizeof(double)); /* an older caller has no such field */

  fanin_suggestion list[FANIN_AIM_COUNT + 1];
  const fanin_suggest_config config = {.size = sizeof config, .activation = "gelu", .depth = 10};
  size_t count = 0;
  memset(list, 0x5a, sizeof list);
  assert_ok(fanin_suggest(&config, list, 1, sizeof *list, &count));
  assert_true(count > 1 && list[0].depth == 10);
  for (size_t k = 0; k < sizeof *list; k++)
    assert_int_equal(((const unsigned char *)&list[1])[k], 0x5a);
}

static void configurations_of_every_size(void **state) {
  (void)state;
  static const uint64_t widths[] = {3, 4, 5};
  struct {
    fanin_theory_config config;
    uint64_t more;
  } newer = {.config = {.size = sizeof newer, .widths = widths, .n_widths = 3, .activation = "relu"}};
  fanin_theory_layer layers[2], same[2];
  newer.config.init = fanin_he_normal(0, FANIN_MODE_FAN_IN);
  newer.config.second_moment = newer.config.gradient = 1;
  assert_ok(fanin_theory(&newer.config, layers, sizeof *layers));
  newer.more = 1;
  assert_status(fanin_theory(&newer.config, layers, sizeof *layers), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "newer header"));
  /* Of an older header, which ended before `gradient`: that is 0. */
  newer.config.size = offsetof(fanin_theory_config, gradient);
  assert_ok(fanin_theory(&newer.config, same, sizeof *same));
  assert_true(layers[1].g == 1 && same[1].g == 0 && same[1].q == layers[1].q);
  newer.config.size = 0;
  assert_status(fanin_theory(&newer.config, layers, sizeof *layers), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "begin with FANIN_THEORY_CONFIG_INIT"));
}

static void versions_at_run_time(void **state) {
  (void)state;
  assert_int_equal(fanin_version_number(), FANIN_VERSION_NUMBER);
  assert_int_equal(fanin_stream_version(), FANIN_STREAM_VERSION);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#if defined(__x86_64__) && defined(__LP64__)
    cmocka_unit_test(structs_are_where_they_were),
    cmocka_unit_test(structs_of_fills_are_where_they_were),
    cmocka_unit_test(enumerators_are_what_they_were),
#endif
    cmocka_unit_test(results_are_cut_to_the_caller_s_size),
    cmocka_unit_test(configurations_of_every_size),
    cmocka_unit_test(versions_at_run_time)
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
