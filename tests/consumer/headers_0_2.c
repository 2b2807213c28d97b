/* A program of the time of fanin 0.2: it is compiled with the headers of then (tests/data/headers-0.2) and runs on the
 * library of the day. Every struct that crosses the API is between guard words, which nobody may write to. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FANIN_EXPERIMENTAL
#include <fanin.h>

enum { GUARD = 0x5a };

/* What a program of 0.2 has in memory behind a struct. */
typedef struct guard {
  unsigned char bytes[512];
} guard;

static int failures = 0;

static void expect(int holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "does not hold: %s; last error: %s\n", what, fanin_last_error());
  failures++;
}
#define EXPECT(condition) expect((condition) != 0, #condition)
#define OK(call)          expect((call) == FANIN_STATUS_OK, #call)

static int is_whole(const guard *g) {
  for (size_t k = 0; k < sizeof g->bytes; k++) {
    if (g->bytes[k] != GUARD) return 0;
  }
  return 1;
}

/* A variable of the type with a guard behind it; WHOLE() says whether that is as it was. */
#define GUARDED(type, name)                                                                                            \
  struct {                                                                                                             \
    type value;                                                                                                        \
    guard behind;                                                                                                      \
  } name;                                                                                                              \
  memset(&name, GUARD, sizeof name)
#define WHOLE(name) EXPECT(is_whole(&(name).behind))

static void devices(void) {
  GUARDED(fanin_device_info, info);
  size_t count = 0;
  OK(fanin_devices(&info.value, 1, sizeof info.value, &count));
  EXPECT(count >= 1 && info.value.name[0] != '\0' && info.value.compute_units > 0);
  WHOLE(info);
  EXPECT(fanin_version_number() >= FANIN_VERSION_NUMBER && fanin_stream_version() == FANIN_STREAM_VERSION);
}

static void tensors_and_fills(fanin *f) {
  const uint64_t shape[] = {3, 5};
  GUARDED(fanin_tensor, t);
  GUARDED(fanin_tensor, row);
  GUARDED(fanin_init, init);
  GUARDED(fanin_moments, moments);
  GUARDED(fanin_description, description);
  float values[15] = {0};
  char text[64];
  size_t length = 0;
  uint64_t start[] = {1, 0}, extent[] = {1, 5}, elements = 0, bytes = 0;
  OK(fanin_tensor_alloc(f, FANIN_DTYPE_F32, "OI", 2, shape, &t.value));
  OK(fanin_tensor_slab(&t.value, start, extent, &row.value));
  OK(fanin_tensor_size(&row.value, &elements, &bytes));
  EXPECT(elements == 5 && bytes == 20);
  OK(fanin_init_parse("uniform:lo=-1,hi=1", &init.value));
  OK(fanin_init_format(&init.value, text, sizeof text, &length));
  EXPECT(strcmp(text, "uniform:lo=-1") == 0 && length == strlen(text));
  OK(fanin_expect(&t.value, &init.value, &moments.value, sizeof moments.value));
  EXPECT(moments.value.lo == -1 && moments.value.kurtosis == 1.8);
  OK(fanin_describe(init.value.kind, &description.value, sizeof description.value));
  EXPECT(strcmp(description.value.name, "uniform") == 0);
  OK(fanin_fill(f, NULL, &t.value, &init.value, (fanin_key){0, 0}, 0, NULL, NULL));
  OK(fanin_read(f, NULL, &t.value, values, sizeof values, 1, 0, NULL, NULL));
  EXPECT(values[0] == (float)((0x6627e8d5 + 0.5) / 2147483648.0)); /* Philox4x32-10's first word for key 0 */
  fanin_tensor_free(&t.value);
  WHOLE(t);
  WHOLE(row);
  WHOLE(init);
  WHOLE(moments);
  WHOLE(description);
}

static void plans(fanin *f) {
  const fanin_item items[] = {{.tensor = {.rank = 2, .shape = {4, 6}, .layout = "OI"},
                               .init = {.kind = FANIN_KIND_XAVIER_UNIFORM},
                               .stream = 1},
                              {.tensor = {.rank = 1, .shape = {7}}, .init = {.kind = FANIN_KIND_NORMAL}, .stream = 2}};
  GUARDED(fanin_plan_facts, facts);
  GUARDED(fanin_tensor, t);
  fanin_plan *plan = NULL;
  float values[24] = {0};
  OK(fanin_plan_create(f, items, 2, &plan));
  OK(fanin_plan_enqueue(plan, NULL, 42, 0, NULL, NULL));
  OK(fanin_plan_describe(plan, &facts.value, sizeof facts.value));
  EXPECT(facts.value.items == 2 && facts.value.elements == 31);
  OK(fanin_plan_tensor(plan, 0, &t.value));
  OK(fanin_read(f, NULL, &t.value, values, sizeof values, 1, 0, NULL, NULL));
  EXPECT(values[0] != 0 && fabs((double)values[0]) <= sqrt(6.0 / 10)); /* a gain of 0 is 1 */
  fanin_plan_release(plan);
  WHOLE(facts);
  WHOLE(t);
}

static void shards(fanin *f) {
  GUARDED(fanin_shard, shard);
  GUARDED(fanin_key, key);
  const fanin_tensor whole = {.rank = 1, .shape = {9}};
  const fanin_init init = fanin_normal(0, 1);
  const uint64_t n = 5;
  memset(&shard.value, 0, sizeof shard.value);
  shard.value.f = f;
  OK(fanin_key_named(42, "w", &key.value));
  OK(fanin_tensor_split(&whole, 0, 0, 2, &shard.value.tensor));
  fanin_tensor memory = {0};
  OK(fanin_tensor_alloc(f, FANIN_DTYPE_F32, "", 1, &n, &memory));
  shard.value.tensor.buffer = memory.buffer;
  OK(fanin_fill_shards(&shard.value, 1, &init, key.value));
  float values[5] = {0};
  OK(fanin_read(f, NULL, &shard.value.tensor, values, sizeof values, 1, 0, NULL, NULL));
  EXPECT(values[0] != 0 && values[4] != 0);
  fanin_tensor_free(&memory);
  WHOLE(shard);
  WHOLE(key);
}

static void measurements(fanin *f) {
  const uint64_t n = 1000;
  const fanin_init init = fanin_normal(0, 2);
  GUARDED(fanin_stats, stats);
  GUARDED(fanin_law, law);
  fanin_tensor t;
  double p = 0;
  OK(fanin_tensor_alloc(f, FANIN_DTYPE_F32, "", 1, &n, &t));
  OK(fanin_fill(f, NULL, &t, &init, (fanin_key){1, 1}, 0, NULL, NULL));
  OK(fanin_measure(f, NULL, &t, 0, NULL, &stats.value, sizeof stats.value));
  EXPECT(stats.value.count == n && fabs(stats.value.std - 2) < 0.3);
  OK(fanin_law_of(&t, &init, &law.value));
  OK(fanin_law_probability(&law.value, 0, 1, &p));
  EXPECT(p == 0.5);
  fanin_tensor_free(&t);
  WHOLE(stats);
  WHOLE(law);
}

static void theories(void) {
  struct {
    fanin_suggestion list[FANIN_AIM_COUNT];
    guard behind;
  } found;
  const uint64_t widths[] = {64, 64, 64};
  fanin_suggest_config ask = FANIN_SUGGEST_CONFIG_INIT;
  fanin_theory_config config = FANIN_THEORY_CONFIG_INIT;
  struct {
    fanin_theory_layer list[2];
    guard behind;
  } layers;
  GUARDED(fanin_fixed_point, at);
  char text[1024];
  size_t count = 0;
  double sigma_w2 = 0;
  memset(&found, GUARD, sizeof found);
  memset(&layers, GUARD, sizeof layers);
  ask.activation = "gelu";
  ask.depth = 20;
  OK(fanin_suggest(&ask, found.list, FANIN_AIM_COUNT, sizeof found.list[0], &count));
  EXPECT(count >= 2 && found.list[0].aim == FANIN_AIM_FORWARD && found.list[0].depth == 20);
  OK(fanin_suggestion_format(&found.list[0], sizeof found.list[0], text, sizeof text, NULL));
  WHOLE(found);
  config.widths = widths;
  config.n_widths = 3;
  config.activation = "relu";
  config.init = fanin_he_normal(0, FANIN_MODE_FAN_IN);
  config.second_moment = config.gradient = 1;
  OK(fanin_theory(&config, layers.list, sizeof layers.list[0]));
  EXPECT(fabs(layers.list[1].q - 2) < 1e-9);
  WHOLE(layers);
  OK(fanin_edge_of_chaos("tanh", 0, 0.05, &sigma_w2, &at.value, sizeof at.value));
  EXPECT(sigma_w2 > 1 && at.value.q > 0);
  WHOLE(at);
}

static void probes(fanin *f) {
  const uint64_t widths[] = {16, 32, 16};
  fanin_probe_config config = FANIN_PROBE_CONFIG_INIT;
  fanin_probe_report *report = NULL;
  GUARDED(fanin_probe_summary, summary);
  GUARDED(fanin_probe_layer, layer);
  config.widths = widths;
  config.n_widths = 3;
  config.activation = "relu";
  config.init = fanin_he_normal(0, FANIN_MODE_FAN_IN);
  config.batch = 32;
  OK(fanin_probe(f, NULL, &config, &report));
  OK(fanin_probe_report_summary(report, &summary.value, sizeof summary.value));
  EXPECT(summary.value.n_layers == 2 && summary.value.overflow_layer == 0);
  OK(fanin_probe_report_layer(report, 1, &layer.value, sizeof layer.value));
  EXPECT(layer.value.fan_in == 32 && layer.value.fan_out == 16 && layer.value.q_measured > 0);
  for (size_t k = 0; k < summary.value.n_findings; k++) {
    GUARDED(fanin_finding, finding);
    OK(fanin_probe_report_finding(report, k, &finding.value, sizeof finding.value));
    WHOLE(finding);
  }
  fanin_probe_report_release(report);
  WHOLE(summary);
  WHOLE(layer);
}

int main(void) {
  fanin *f = NULL;
  OK(fanin_open(NULL, &f));
  if (!f) return 1;
  devices();
  tensors_and_fills(f);
  plans(f);
  shards(f);
  measurements(f);
  theories();
  probes(f);
  fanin_release(f);
  return failures != 0;
}
