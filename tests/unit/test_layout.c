/* Layouts, fans and roles, against values worked out by hand. */
#include "support/support.h"
#include "tensor/layout.h"

#include <string.h>

typedef struct fan_case {
  const char *what, *layout;
  int rank;
  uint64_t shape[FANIN_MAX_RANK];
  uint32_t groups, splits;
  uint64_t fan_in, fan_out;
} fan_case;

static const fan_case fan_cases[] = {
    {"PyTorch Linear(100, 300)", "OI", 2, {300, 100}, 0, 0, 100, 300},
    {"Keras Dense, 100 to 300", "IO", 2, {100, 300}, 0, 0, 100, 300},
    {"Conv2d(3, 64, 7)", "OIHW", 4, {64, 3, 7, 7}, 0, 0, 3 * 49, 64 * 49},
    {"Keras Conv2D, 3 to 64", "HWIO", 4, {7, 7, 3, 64}, 1, 1, 147, 3136},
    {"TFLite Conv2D", "OHWI", 4, {64, 7, 7, 3}, 0, 0, 147, 3136},
    {"unequal taps", "OIHW", 4, {64, 3, 5, 2}, 0, 0, 30, 640},
    {"ConvTranspose2d(64, 3, 7)", "IOHW", 4, {64, 3, 7, 7}, 0, 0, 64 * 49, 3 * 49},
    {"Keras Conv2DTranspose, 64 to 3", "HWOI", 4, {7, 7, 3, 64}, 0, 0, 64 * 49, 3 * 49},
    {"Conv1d(16, 32, 5)", "OIW", 3, {32, 16, 5}, 0, 0, 80, 160},
    {"Conv3d(4, 8, (3, 5, 7))", "OIDHW", 5, {8, 4, 3, 5, 7}, 0, 0, 420, 840},
    /* 32 to 64 channels in 4 groups: 8 in and 16 out each. */
    {"Conv2d(32, 64, 3, groups=4)", "OIHW", 4, {64, 8, 3, 3}, 4, 0, 8 * 9, 16 * 9},
    {"Keras Conv2D, groups=4", "HWIO", 4, {3, 3, 8, 64}, 4, 0, 72, 144},
    {"ConvTranspose2d(32, 64, 3, groups=4)", "IOHW", 4, {32, 16, 3, 3}, 4, 0, 8 * 9, 16 * 9},
    {"depthwise Conv2d(32, 32, 3, groups=32)", "OIHW", 4, {32, 1, 3, 3}, 32, 0, 9, 9},
    {"Keras DepthwiseConv2D(3, depth_multiplier=2), 32 channels", "HWGO", 4, {3, 3, 32, 2}, 0, 0, 9, 18},
    {"Keras DepthwiseConv1D(5), 24 channels", "WGO", 3, {5, 24, 1}, 0, 0, 5, 5},
    {"the same transposed, as a Conv2d of 32 groups stores it", "GOHW", 4, {32, 2, 3, 3}, 0, 0, 9, 18},
    {"a stack of depthwise kernels, fused in pairs", "BDHWGO", 6, {4, 3, 5, 7, 6, 8}, 1, 2, 105, 420},
    {"one channel", "HWGO", 4, {3, 3, 1, 5}, 0, 0, 9, 45},
    {"no channels", "HWGO", 4, {3, 3, 0, 5}, 0, 0, 0, 45},
    {"2^61 elements, 2^31 groups", "GO", 2, {UINT64_C(1) << 31, UINT64_C(1) << 30}, 0, 0, 1, UINT64_C(1) << 30},
    {"fused QKV, 768", "OI", 2, {2304, 768}, 0, 3, 768, 768},
    {"fused QKV, Keras order", "IO", 2, {768, 2304}, 0, 3, 768, 768},
    {"fused and grouped", "OIW", 3, {24, 5, 3}, 2, 3, 15, 12},
    {"fused and grouped, transposed", "IOW", 3, {10, 12, 3}, 2, 3, 15, 12},
    {"8 stacked experts", "BOI", 3, {8, 4096, 1024}, 0, 0, 1024, 4096},
    {"2 layers of 3 experts", "BBOI", 4, {2, 3, 64, 32}, 0, 0, 32, 64},
    {"a stack around a stack", "BOBI", 4, {2, 66, 3, 32}, 0, 3, 32, 22},
    {"experts innermost", "OIB", 3, {4096, 1024, 8}, 0, 0, 1024, 4096},
    {"a stack of convolutions", "BOIHW", 5, {2, 6, 4, 3, 3}, 2, 0, 36, 27},
    {"Flax DenseGeneral, 768 to 12 heads of 64", "IOO", 3, {768, 12, 64}, 0, 0, 768, 768},
    {"Flax DenseGeneral, 12 heads of 64 to 512", "IIO", 3, {12, 64, 512}, 0, 0, 768, 512},
    {"12 layers of it, fused queries, keys and values", "BBIOO", 5, {12, 3, 768, 8, 64}, 0, 0, 768, 512},
    {"Bilinear(128, 64, 40)", "OII", 3, {40, 128, 64}, 0, 0, 128 * 64, 40},
    {"a local layer's kernel", "OIHIW", 5, {6, 2, 5, 3, 7}, 0, 0, 6 * 35, 6 * 35},
    {"fused, two inputs", "OII", 3, {12, 5, 7}, 0, 3, 35, 4},
    {"no outputs", "OI", 2, {0, 7}, 0, 0, 7, 0},
    {"large, no taps", "OIHW", 4, {UINT64_C(1) << 29, UINT64_C(1) << 29, 0, 9}, 0, 0, 0, 0},
    {"2^61 elements", "OI", 2, {UINT64_C(1) << 31, UINT64_C(1) << 30}, 0, 0, UINT64_C(1) << 30, UINT64_C(1) << 31},
};

static fanin_tensor tensor_of_case(const fan_case *c) {
  fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, c->layout, c->rank, c->shape);
  t.groups = c->groups;
  t.splits = c->splits;
  return t;
}

static void test_fans(void **state) {
  (void)state;
  for (size_t k = 0; k < sizeof fan_cases / sizeof *fan_cases; k++) {
    const fan_case *const c = &fan_cases[k];
    const fanin_tensor t = tensor_of_case(c);
    uint64_t fan_in = 99, fan_out = 99;
    assert_ok(fanin_fans(&t, &fan_in, &fan_out));
    if (fan_in != c->fan_in || fan_out != c->fan_out) {
      fail_msg("%s: fan_in %llu, fan_out %llu; by hand %llu, %llu", c->what, (unsigned long long)fan_in,
               (unsigned long long)fan_out, (unsigned long long)c->fan_in, (unsigned long long)c->fan_out);
    }
  }
}

/* Fans belong to the whole: memory that holds a shard changes nothing. */
static void test_fans_are_of_the_whole(void **state) {
  (void)state;
  const fanin_tensor whole = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, (uint64_t[]){300, 100});
  const fanin_tensor parts[] = {
      test_tensor_slab(whole, (uint64_t[]){10, 0}, (uint64_t[]){20, 50}),
      test_tensor_range(whole, 77, 5),
      test_tensor_strided(whole, (uint64_t[]){128, 1}),
  };
  for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
    uint64_t fan_in = 0, fan_out = 0;
    assert_ok(fanin_fans(&parts[k], &fan_in, &fan_out));
    assert_int_equal(fan_in, 100);
    assert_int_equal(fan_out, 300);
  }
}

static void test_roles(void **state) {
  (void)state;
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "BWIOD", 5, (uint64_t[]){2, 3, 5, 7, 11});
  fanin__roles roles;
  assert_ok(fanin__roles_of(&t, &roles));
  assert_int_equal(roles.o, 3);
  assert_int_equal(roles.i, 2);
  assert_int_equal(roles.n_taps, 2);
  assert_int_equal(roles.taps[0], 4); /* D before W, wherever they stand */
  assert_int_equal(roles.taps[1], 1);
  assert_int_equal(roles.groups, 1);
  assert_int_equal(roles.splits, 1);
  assert_false(roles.full_is_i);
  const uint64_t stride[] = {3 * 5 * 7 * 11, 5 * 7 * 11, 7 * 11, 11, 1};
  assert_memory_equal(roles.stride, stride, sizeof stride);
}

/* A depthwise kernel has as many groups as channels, and one input feature in each. */
static void test_roles_of_channels(void **state) {
  (void)state;
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "BHWGO", 5, (uint64_t[]){2, 3, 5, 7, 4});
  fanin__roles roles;
  assert_ok(fanin__roles_of(&t, &roles));
  assert_int_equal(roles.o, 4);
  assert_int_equal(roles.i, 3);
  assert_int_equal(roles.n_i, 1);
  assert_int_equal(roles.groups, 7);
  assert_true(roles.full_is_i);
}

static void test_roles_without_fans(void **state) {
  (void)state;
  static const struct {
    const char *layout;
    int rank, o, i;
  } cases[] = {{"", 2, -1, -1}, {"O", 1, 0, -1}, {"BI", 2, -1, 1}, {"", 0, -1, -1}, {"HW", 2, -1, -1}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, cases[k].layout, cases[k].rank, (uint64_t[]){4, 6});
    fanin__roles roles;
    assert_ok(fanin__roles_of(&t, &roles));
    assert_int_equal(roles.o, cases[k].o);
    assert_int_equal(roles.i, cases[k].i);
    assert_int_equal(roles.fan_in, 0);
    assert_int_equal(roles.fan_out, 0);
  }
}

typedef struct bad_case {
  const char *layout;
  int rank;
  uint64_t shape[FANIN_MAX_RANK];
  uint32_t groups, splits;
  fanin_status status;
  const char *sentence; /* a part of it */
} bad_case;

#define BIG (UINT64_C(1) << 31)

static const bad_case bad_cases[] = {
    {"OOI", 3, {4, 6, 5}, 0, 2, FANIN_STATUS_BAD_LAYOUT, "splits = 2 needs a layout with O once; layout is \"OOI\""},
    {"OOI", 3, {4, 6, 5}, 2, 0, FANIN_STATUS_BAD_LAYOUT, "groups = 2 needs a layout with O and I once each"},
    {"OII", 3, {4, 6, 5}, 2, 0, FANIN_STATUS_BAD_LAYOUT, "groups = 2 needs a layout with O and I once each"},
    {"OIHH",
     4,
     {4, 6, 5, 5},
     0,
     0,
     FANIN_STATUS_BAD_LAYOUT,
     "has the letter 'H' twice; once is accepted (O, I and B may"},
    {"O", 1, {4}, 0, 0, FANIN_STATUS_BAD_LAYOUT, "layout \"O\" has no fans"},
    {"I", 1, {4}, 0, 0, FANIN_STATUS_BAD_LAYOUT, "layout \"I\" has no fans"},
    {"", 2, {4, 4}, 0, 0, FANIN_STATUS_BAD_LAYOUT, "layout \"\" has no fans"},
    {"OI", 3, {4, 4, 4}, 0, 0, FANIN_STATUS_BAD_LAYOUT, "layout \"OI\" has 2 letters, and the tensor has 3 dimensions"},
    {"OIH", 2, {4, 4}, 0, 0, FANIN_STATUS_BAD_LAYOUT, "layout \"OIH\" has 3 letters, and the tensor has 2 dimensions"},
    {"OX", 2, {4, 4}, 0, 0, FANIN_STATUS_BAD_LAYOUT, "the letter 'X'; accepted are O, I, B, G, D, H and W"},
    {"Oi",
     2,
     {4, 4},
     0,
     0,
     FANIN_STATUS_BAD_LAYOUT,
     "the letter 'i', did you mean I? Accepted are O, I, B, G, D, H and W"},
    {"O ", 2, {4, 4}, 0, 0, FANIN_STATUS_BAD_LAYOUT, "the letter ' '; accepted are O, I, B, G, D, H and W"},
    {"oi", 2, {4, 4}, 0, 0, FANIN_STATUS_BAD_LAYOUT, "the letter 'o'"},
    {"gO", 2, {4, 4}, 0, 0, FANIN_STATUS_BAD_LAYOUT, "the letter 'g', did you mean G?"},
    {"GGO", 3, {4, 4, 2}, 0, 0, FANIN_STATUS_BAD_LAYOUT, "the letter 'G' twice; once is accepted"},
    {"GOI", 3, {4, 4, 2}, 0, 0, FANIN_STATUS_BAD_LAYOUT, "layout \"GOI\" has G and I; G takes the place of I"},
    {"WG", 2, {4, 4}, 0, 0, FANIN_STATUS_BAD_LAYOUT, "layout \"WG\" has G without O; accepted are"},
    {"WGO",
     3,
     {3, 4, 2},
     4,
     0,
     FANIN_STATUS_BAD_LAYOUT,
     "groups = 4 and layout \"WGO\": the extent of G is the number"},
    {"WGO", 3, {3, 4, 2}, 0, 3, FANIN_STATUS_BAD_SHAPE, "splits = 3 does not divide shape[2] = 2 (O"},
    {"OIBDHWDIB", 8, {1, 1, 1, 1, 1, 1, 1, 1}, 0, 0, FANIN_STATUS_BAD_LAYOUT, "layout \"OIBDHWDI\""},
    {"OI", -1, {0}, 0, 0, FANIN_STATUS_BAD_SHAPE, "rank is -1; accepted are 0 to 8"},
    {"OI", 9, {0}, 0, 0, FANIN_STATUS_BAD_SHAPE, "rank is 9; accepted are 0 to 8"},
    {"OI", 2, {BIG, BIG}, 0, 0, FANIN_STATUS_BAD_SIZE, "shape[0] = 2147483648"},
    {"OI", 2, {UINT64_MAX, UINT64_MAX}, 0, 0, FANIN_STATUS_BAD_SIZE, "shape[1] = 18446744073709551615"},
    {"OIH", 3, {BIG, BIG, 0}, 0, 0, FANIN_STATUS_BAD_SIZE, "shape[0] = 2147483648"}, /* empty, but the fans overflow */
    {"OIHW", 4, {64, 8, 3, 3}, 5, 0, FANIN_STATUS_BAD_SHAPE, "groups = 5 does not divide shape[0] = 64 (O"},
    {"IOHW", 4, {64, 10, 3, 3}, 5, 0, FANIN_STATUS_BAD_SHAPE, "groups = 5 does not divide shape[0] = 64 (I"},
    {"OI", 2, {7, 4}, 0, 3, FANIN_STATUS_BAD_SHAPE, "splits = 3 does not divide shape[0] = 7 (O"},
    {"IO", 2, {9, 4}, 0, 3, FANIN_STATUS_BAD_SHAPE, "splits = 3 does not divide shape[1] = 4 (O"},
    {"OI", 2, {12, 4}, 4, 6, FANIN_STATUS_BAD_SHAPE, "groups * splits = 24 does not divide shape[0] = 12"},
    {"", 2, {4, 4}, 2, 0, FANIN_STATUS_BAD_LAYOUT, "groups = 2 needs a layout with O and I"},
    {"O", 1, {4}, 2, 0, FANIN_STATUS_BAD_LAYOUT, "groups = 2 needs a layout with O and I"},
    {"I", 1, {4}, 0, 2, FANIN_STATUS_BAD_LAYOUT, "splits = 2 needs a layout with O"},
};

static void test_bad_layouts_have_their_sentence(void **state) {
  (void)state;
  for (size_t k = 0; k < sizeof bad_cases / sizeof *bad_cases; k++) {
    const bad_case *const c = &bad_cases[k];
    fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, c->layout, c->rank, c->shape);
    t.groups = c->groups;
    t.splits = c->splits;
    uint64_t fan_in = 99, fan_out = 99;
    assert_status(fanin_fans(&t, &fan_in, &fan_out), c->status);
    if (!strstr(fanin_last_error(), c->sentence)) fail_msg("\"%s\" lacks \"%s\"", fanin_last_error(), c->sentence);
    assert_int_equal(fan_in, 99); /* written on success only */
    assert_int_equal(fan_out, 99);
  }
}

static void test_unterminated_layout(void **state) {
  (void)state;
  fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 2, (uint64_t[]){4, 4});
  memset(t.layout, 'O', sizeof t.layout);
  fanin__roles roles;
  assert_status(fanin__roles_of(&t, &roles), FANIN_STATUS_BAD_LAYOUT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fans),
      cmocka_unit_test(test_fans_are_of_the_whole),
      cmocka_unit_test(test_roles),
      cmocka_unit_test(test_roles_of_channels),
      cmocka_unit_test(test_roles_without_fans),
      cmocka_unit_test(test_bad_layouts_have_their_sentence),
      cmocka_unit_test(test_unterminated_layout),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
