/* The device that a command works on. */
#ifndef CLI_BASE_SESSION_H
#define CLI_BASE_SESSION_H

#include "base/failure.h"

typedef struct session {
  fanin *f;
  cl_context context; /* f's, as the next two */
  cl_device_id device;
  cl_command_queue queue; /* in-order */
  char device_name[256];
  uint64_t max_alloc_bytes; /* the largest buffer that the device gives */
} session;

/* Opens a device by fanin_open()'s selector; NULL: the default. session_close() it. */
int session_open(const char *selector, session *s, failure *why);

/* Waits for what is enqueued and releases everything. Harmless on a zeroed session. */
void session_close(session *s);

/* Bytes of memory for pieces of tensors: what the device gives at once, not above 64 MiB, a multiple of 64. */
size_t session_piece_bytes(const session *s);

/* A buffer of that many bytes, as memory for pieces. */
int session_buffer(const session *s, size_t bytes, cl_mem *out, failure *why);

/* What --device accepts, for help texts. */
#define SESSION_DEVICE_HELP                                                                                            \
  "gpu, cpu, an index from 'fanin devices', or a part of a name (default: $FANIN_DEVICE, else the best)"

#endif
