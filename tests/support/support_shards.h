/* What the tests of fanin_fill_shards() share: two devices of PoCL's, and memory for shards. */
#ifndef FANIN_TESTS_SUPPORT_SHARDS_H
#define FANIN_TESTS_SUPPORT_SHARDS_H

#include "support/support.h"

/* A fanin for each device, in contexts of their own, and in one context. */
enum { SHARDS_ALONE, SHARDS_TOGETHER, SHARD_SETUPS, SHARD_DEVICES = 2 };
extern fanin *shard_devices[SHARD_SETUPS][SHARD_DEVICES];

/* A group's setup, before the process's first OpenCL call, and teardown. */
int shards_open(void **state);
int shards_close(void **state);

/* A buffer between guards for what each shard holds, behind SHARD_OFFSET bytes. */
enum { SHARD_OFFSET = 40 };
void shards_allocate(fanin_shard *shards, size_t n);

#endif
