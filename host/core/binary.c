/* Compiled programs as bytes: fanin_export() and fanin_import().
 *
 * A file is "faninbin", the fingerprint of what it was made by and for, the number of programs, for each its source's
 * name, its options and its binary, each after its length, and the hash of all that. Numbers are 64-bit little-endian.
 */
#include "core/binary.h"

#include <stdlib.h>
#include <string.h>

#include "core/argument.h"
#include "core/context.h"
#include "core/device.h"
#include "fanin/fill.h"

enum { MAGIC_SIZE = 8 };
static const char MAGIC[MAGIC_SIZE + 1] = "faninbin";

/* FNV-1a in its 64-bit form, continued from `hash`. */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t size) {
  const unsigned char *const bytes = data;
  for (size_t k = 0; k < size; k++) {
    hash = (hash ^ bytes[k]) * 0x100000001b3;
  }
  return hash;
}
#define HASH_START UINT64_C(0xcbf29ce484222325)

/* Of everything that a binary depends on. */
static fanin_status fingerprint(const fanin *f, uint64_t *out) {
  fanin_device_info info;
  FANIN__TRY(fanin__device_describe(f->device, &info));
  const char *const texts[] = {fanin_version(), info.platform_name, info.name, info.driver, info.version};
  uint64_t hash = hash_bytes(HASH_START, &(uint64_t){f->lanes}, sizeof(uint64_t));
  for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
    hash = hash_bytes(hash, texts[k], strlen(texts[k]) + 1);
  }
  for (const fanin__source *const *source = fanin__sources; *source; source++) {
    hash = hash_bytes(hash, (*source)->text, (*source)->size);
  }
  *out = hash;
  return FANIN_STATUS_OK;
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

/* Counts always, writes while there is room. */
typedef struct writer {
  unsigned char *data;
  size_t capacity, size;
} writer;

static void put(writer *w, const void *bytes, size_t size) {
  if (w->size + size <= w->capacity) memcpy(w->data + w->size, bytes, size);
  w->size += size;
}

static void put_number(writer *w, uint64_t number) {
  unsigned char bytes[8];
  for (int k = 0; k < 8; k++) {
    bytes[k] = (unsigned char)(number >> (8 * k));
  }
  put(w, bytes, sizeof bytes);
}

static void put_block(writer *w, const void *bytes, size_t size) {
  put_number(w, size);
  put(w, bytes, size);
}

#define ASK(program, what, size, out)                                                                                  \
  fanin__check_cl(clGetProgramInfo((program), (what), (size), (out), NULL), "clGetProgramInfo(" #what ")")

/* A program's binary for f's device, one of perhaps several in its context. free() it. */
static fanin_status binary_of(const fanin *f, cl_program program, unsigned char **out, size_t *out_size) {
  cl_uint n = 0, own = 0;
  FANIN__TRY(ASK(program, CL_PROGRAM_NUM_DEVICES, sizeof n, &n));
  cl_device_id *const devices = calloc(n + 1, sizeof(cl_device_id));
  size_t *const sizes = calloc(n + 1, sizeof *sizes);
  unsigned char **const binaries = calloc(n + 1, sizeof *binaries); /* NULL for the other devices: not wanted */
  fanin_status status = FANIN_STATUS_OK;
  if (!devices || !sizes || !binaries) {
    status = fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "lists of %u devices", (unsigned)n);
    goto done;
  }
  status = ASK(program, CL_PROGRAM_DEVICES, n * sizeof(cl_device_id), devices);
  if (status == FANIN_STATUS_OK) status = ASK(program, CL_PROGRAM_BINARY_SIZES, n * sizeof *sizes, sizes);
  if (status != FANIN_STATUS_OK) goto done;
  while (own < n && devices[own] != f->device)
    own++;
  if (sizes[own] > 0) binaries[own] = malloc(sizes[own]); /* sizes[n] is 0 */
  if (sizes[own] == 0) {
    status = fanin__fail(FANIN_STATUS_UNSUPPORTED, "the driver gives no program binaries");
  } else if (!binaries[own]) {
    status = fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu bytes for a program's binary", sizes[own]);
  } else {
    status = ASK(program, CL_PROGRAM_BINARIES, n * sizeof *binaries, binaries);
  }
  if (status != FANIN_STATUS_OK) {
    free(binaries[own]);
    goto done;
  }
  *out = binaries[own];
  *out_size = sizes[own];

done:
  free(binaries);
  free(sizes);
  free(devices);
  return status;
}

static fanin_status put_program(const fanin *f, writer *w, const fanin__program *node) {
  unsigned char *binary = NULL;
  size_t size = 0;
  FANIN__TRY(binary_of(f, node->program, &binary, &size));
  put_block(w, node->source->name, strlen(node->source->name));
  put_block(w, node->options, strlen(node->options));
  put_block(w, binary, size);
  free(binary);
  return FANIN_STATUS_OK;
}

/* `only`: of all programs, this one; NULL: all that are built. */
static bool is_meant(const fanin__program *node, const fanin__program *only) {
  return only ? node == only : node->program != NULL;
}

static fanin_status put_all(const fanin *f, const fanin__program *programs, const fanin__program *only, writer *w) {
  uint64_t made_for = 0, count = 0;
  FANIN__TRY(fingerprint(f, &made_for));
  for (const fanin__program *node = programs; node; node = node->next) {
    count += is_meant(node, only);
  }
  put(w, MAGIC, MAGIC_SIZE);
  put_number(w, made_for);
  put_number(w, count);
  for (const fanin__program *node = programs; node; node = node->next) {
    if (is_meant(node, only)) FANIN__TRY(put_program(f, w, node));
  }
  const bool fits = w->size <= w->capacity;
  put_number(w, fits ? hash_bytes(HASH_START, w->data, w->size) : 0);
  return FANIN_STATUS_OK;
}

fanin_status fanin_export(fanin *f, void *data, size_t capacity, size_t *size) {
  FANIN__NEED(f, size);
  writer w = {.data = data, .capacity = data ? capacity : 0};
  fanin__mutex_lock(&f->lock);
  const fanin_status status = put_all(f, f->programs, NULL, &w);
  fanin__mutex_unlock(&f->lock);
  if (status != FANIN_STATUS_OK) return status;
  *size = w.size;
  if (!data || w.size <= capacity) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_BAD_SIZE, "capacity = %zu; the programs take %zu bytes", capacity, w.size);
}

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

/* What is left to read. Reading past the end leaves `good` false. */
typedef struct reader {
  const unsigned char *data;
  size_t size;
  bool good;
} reader;

static const unsigned char *take(reader *r, uint64_t size) {
  if (!r->good || size > r->size) {
    r->good = false;
    return NULL;
  }
  const unsigned char *const bytes = r->data;
  r->data += size;
  r->size -= (size_t)size;
  return bytes;
}

static uint64_t take_number(reader *r) {
  const unsigned char *const bytes = take(r, 8);
  uint64_t number = 0;
  for (int k = 0; bytes && k < 8; k++) {
    number |= (uint64_t)bytes[k] << (8 * k);
  }
  return number;
}

/* A block's bytes with a 0 behind them; free() it. NULL where the data ends or memory does. */
static char *take_block(reader *r, size_t *size) {
  const uint64_t length = take_number(r);
  const unsigned char *const bytes = take(r, length);
  char *const copy = bytes ? malloc((size_t)length + 1) : NULL;
  r->good = r->good && copy;
  if (!copy) return NULL;
  memcpy(copy, bytes, (size_t)length);
  copy[length] = '\0';
  *size = (size_t)length;
  return copy;
}

static const fanin__source *source_named(const char *name) {
  const fanin__source *const *source = fanin__sources;
  while (*source && strcmp((*source)->name, name) != 0)
    source++;
  return *source;
}

/* The next program as a node, or NULL. */
static fanin__program *take_program(reader *r) {
  size_t name_size = 0, options_size = 0, binary_size = 0;
  char *const name = take_block(r, &name_size), *const options = take_block(r, &options_size);
  char *const binary = take_block(r, &binary_size);
  const fanin__source *const source = r->good ? source_named(name) : NULL;
  fanin__program *const node = source ? fanin__program_new(source, options) : NULL;
  if (node) {
    node->binary = (unsigned char *)binary;
    node->binary_size = binary_size;
  } else {
    free(binary);
  }
  free(options);
  free(name);
  return node;
}

static fanin_status bad(const char *why) {
  return fanin__fail(FANIN_STATUS_BAD_BINARY, "data: %s; accepted is what fanin_export() wrote for this device", why);
}

/* Every program of the file in a list, or none. */
static fanin_status take_all(const fanin *f, const void *data, size_t size, fanin__program **list) {
  uint64_t made_for = 0;
  if (size < MAGIC_SIZE + 24 || memcmp(data, MAGIC, MAGIC_SIZE) != 0) return bad("not program binaries");
  reader r = {.data = data, .size = size - 8, .good = true}, tail = {(const unsigned char *)data + size - 8, 8, true};
  if (hash_bytes(HASH_START, data, size - 8) != take_number(&tail)) return bad("damaged: its hash does not fit");
  FANIN__TRY(fingerprint(f, &made_for));
  (void)take(&r, MAGIC_SIZE);
  if (take_number(&r) != made_for) return bad("made for another device, driver, vector width or fanin version");
  for (uint64_t count = take_number(&r); count > 0; count--) {
    fanin__program *const node = take_program(&r);
    if (!node) return bad("it ends early, or names a kernel that fanin does not have");
    node->next = *list;
    *list = node;
  }
  return r.good && r.size == 0 ? FANIN_STATUS_OK : bad("its lengths do not add up");
}

fanin_status fanin_import(fanin *f, const void *data, size_t size) {
  FANIN__NEED(f, data);
  fanin__program *list = NULL;
  const fanin_status status = take_all(f, data, size, &list);
  fanin__mutex_lock(&f->lock);
  while (list) {
    fanin__program *const node = list;
    list = node->next;
    if (status != FANIN_STATUS_OK || fanin__program_find(f, node->source, node->options)) {
      fanin__program_free(node);
      continue;
    }
    node->next = f->programs;
    f->programs = node;
  }
  fanin__mutex_unlock(&f->lock);
  return status;
}

/* ---- One program ------------------------------------------------------------------------------------------------- */

fanin_status fanin__program_hash(const fanin *f, const fanin__program *node, uint64_t *out) {
  FANIN__TRY(fingerprint(f, out));
  *out = hash_bytes(*out, node->source->name, strlen(node->source->name) + 1);
  *out = hash_bytes(*out, node->options, strlen(node->options) + 1);
  return FANIN_STATUS_OK;
}

fanin_status fanin__program_pack(const fanin *f, const fanin__program *node, unsigned char **data, size_t *size) {
  writer w = {.data = NULL};
  FANIN__TRY(put_all(f, node, node, &w));
  w = (writer){.data = malloc(w.size), .capacity = w.size};
  if (!w.data) return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu bytes for a program", w.capacity);
  const fanin_status status = put_all(f, node, node, &w);
  if (status != FANIN_STATUS_OK || w.size > w.capacity) {
    free(w.data);
    return status == FANIN_STATUS_OK ? fanin__fail(FANIN_STATUS_BAD_SIZE, "a program that grows") : status;
  }
  *data = w.data;
  *size = w.size;
  return FANIN_STATUS_OK;
}

bool fanin__program_unpack(const fanin *f, fanin__program *node, const void *data, size_t size) {
  fanin__program *list = NULL;
  bool is_taken = false;
  const fanin_status status = take_all(f, data, size, &list);
  while (list) {
    fanin__program *const next = list->next;
    if (status == FANIN_STATUS_OK && !is_taken && list->source == node->source &&
        strcmp(list->options, node->options) == 0) {
      free(node->binary);
      node->binary = list->binary;
      node->binary_size = list->binary_size;
      list->binary = NULL;
      is_taken = true;
    }
    fanin__program_free(list);
    list = next;
  }
  return is_taken;
}
