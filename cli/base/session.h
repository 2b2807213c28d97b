/* The device that a command works on. */
#ifndef CLI_BASE_SESSION_H
#define CLI_BASE_SESSION_H

#include <stdbool.h>

#include "base/failure.h"

typedef struct session {
  fanin *f;
  cl_context context; /* f's, as the next two */
  cl_device_id device;
  cl_command_queue queue; /* in-order */
  char device_name[256];
  uint64_t max_alloc_bytes; /* the largest buffer that the device gives */
  bool shares_memory;       /* its memory is the host's */
} session;

/* Opens a device by the selector of fanin_open(); NULL: the default device. Ends with session_close(). */
int session_open(const char *selector, session *s, failure *why);

/* Waits for what is enqueued and releases everything. Does nothing on a zeroed session. */
void session_close(session *s);

/* The size of a piece of memory for tensors: the device's largest buffer, but at most 64 MiB; a multiple of 64 bytes.
 */
size_t session_piece_bytes(const session *s);

/* Makes a buffer of that many bytes. */
int session_buffer(const session *s, size_t bytes, cl_mem *out, failure *why);

/* What fanin_devices() says of the session's device, and the index that it has there. */
int session_describe(const session *s, fanin_device_info *out, size_t *index, failure *why);

/* What --device accepts, for help texts. */
#define SESSION_DEVICE_HELP                                                                                            \
  "gpu, cpu, an index from 'fanin devices', or a part of a name (default: $FANIN_DEVICE, else the best)"

#endif
