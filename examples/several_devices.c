/* One tensor over several devices: every device that fanin can use gets an even share of the rows, in memory and a
 * context of its own, and the shares together have the bits that one device gives alone. Give PoCL two devices with
 * POCL_DEVICES="basic pthread".
 *
 *   cc several_devices.c $(pkg-config --cflags --libs fanin) -o several_devices
 */
#include <fanin.h>
#include <stdio.h>
#include <string.h>

enum { OUTPUTS = 301, INPUTS = 784, MOST = 8 };

static int check(fanin_status status, const char *what) {
  if (status != FANIN_STATUS_OK) fprintf(stderr, "%s: %s: %s\n", what, fanin_status_name(status), fanin_last_error());
  return status == FANIN_STATUS_OK;
}

/* A fanin for each usable device; at most MOST. */
static size_t open_all(fanin **opened) {
  fanin_device_info list[MOST];
  size_t count = 0;
  size_t n = 0;
  if (!check(fanin_devices(list, MOST, sizeof *list, &count), "fanin_devices")) return 0;
  for (size_t k = 0; k < count && k < MOST; k++) {
    char selector[24];
    snprintf(selector, sizeof selector, "%zu", k);
    if (list[k].usable && check(fanin_open(selector, &opened[n]), "fanin_open")) n++;
  }
  return n;
}

/* Memory for what the shard holds. */
static int allocate(fanin_shard *s) {
  uint64_t elements = 0;
  uint64_t bytes = 0;
  cl_context context = NULL;
  cl_int code = CL_SUCCESS;
  if (!check(fanin_tensor_size(&s->tensor, &elements, &bytes), "fanin_tensor_size")) return 0;
  if (!check(fanin_context(s->f, &context), "fanin_context")) return 0;
  s->tensor.buffer = clCreateBuffer(context, CL_MEM_READ_WRITE, (size_t)bytes, NULL, &code);
  return check((fanin_status)code, "clCreateBuffer");
}

int main(void) {
  static float alone[OUTPUTS][INPUTS];
  static float together[OUTPUTS][INPUTS];
  const uint64_t shape[] = {OUTPUTS, INPUTS};
  const fanin_init init = fanin_he_normal(0, FANIN_MODE_FAN_IN); /* fans are the whole tensor's */
  fanin_key key;
  fanin_tensor whole;
  fanin *opened[MOST] = {NULL};
  fanin_shard shards[MOST] = {{0}};
  cl_event filled[MOST] = {NULL};
  fanin_tensor one = {0};
  int failed = 1;

  if (!check(fanin_key_named(42, "fc1.weight", &key), "fanin_key_named")) return 1;
  if (!check(fanin_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, shape, &whole), "fanin_tensor_of")) return 1;
  const size_t n = open_all(opened);
  if (n == 0) return 1;
  for (size_t k = 0; k < n; k++) {
    shards[k].f = opened[k];
    shards[k].event = &filled[k];
    if (!check(fanin_tensor_split(&whole, 0, k, n, &shards[k].tensor), "fanin_tensor_split")) goto done;
    if (!allocate(&shards[k])) goto done;
  }
  if (!check(fanin_fill_shards(shards, n, &init, key), "fanin_fill_shards")) goto done;
  for (size_t k = 0; k < n; k++) {
    const uint64_t rows = shards[k].tensor.extent[0];
    printf("device %zu: rows %3d to %3d\n", k, (int)shards[k].tensor.start[0],
           (int)(shards[k].tensor.start[0] + rows) - 1);
    if (!check(fanin_read(shards[k].f, NULL, &shards[k].tensor, together[shards[k].tensor.start[0]],
                          (size_t)rows * sizeof together[0], 1, 1, &filled[k], NULL),
               "fanin_read"))
      goto done;
  }

  if (!check(fanin_tensor_alloc(opened[0], FANIN_DTYPE_F32, "OI", 2, shape, &one), "fanin_tensor_alloc")) goto done;
  if (!check(fanin_fill(opened[0], NULL, &one, &init, key, 0, NULL, NULL), "fanin_fill")) goto done;
  if (!check(fanin_read(opened[0], NULL, &one, alone, sizeof alone, 1, 0, NULL, NULL), "fanin_read")) goto done;
  failed = memcmp(alone, together, sizeof alone) != 0;
  printf("%zu device%s, %s bits as one\n", n, n == 1 ? "" : "s", failed ? "other" : "the same");
done:
  fanin_tensor_free(&one);
  for (size_t k = 0; k < n; k++) {
    if (filled[k]) clReleaseEvent(filled[k]);
    fanin_tensor_free(&shards[k].tensor);
    fanin_release(opened[k]);
  }
  return failed;
}
