/* Fills parts of a model's tensors on a device and hands their bytes over, piece by piece. */
#ifndef CLI_INIT_FILL_PARTS_H
#define CLI_INIT_FILL_PARTS_H

#include "base/session.h"
#include "init/pieces.h"

/* Takes the bytes of a piece, in which its parts follow one another. Returns an exit status. */
typedef struct part_sink {
  int (*write)(void *state, const piece *p, const char *bytes, failure *why);
  void *state;
  size_t most; /* bytes of the pieces that suit it best, a multiple of 64; 0: as large as they may be */
} part_sink;

/* Two pieces of memory take turns, on the device and on the host: while one is handed over, the device fills the other.
 * `bytes`: of all parts; pieces are no larger. Tensor `name` has the key fanin_key_named(seed, name). A part
 * whose elements are made together and that is larger than a piece is made at once, where the device can hold it, and
 * stays there until all of it is handed over.
 * *device_bytes: the most device memory that was held at once, without what the library needs while it fills; NULL:
 * not wanted. */
int fill_parts(const session *s, const model *m, uint64_t seed, const part_source *source, uint64_t bytes,
               const part_sink *sink, uint64_t *device_bytes, failure *why);

/* The largest size of a piece when `bytes` are to be made. It is never 0, and has room for an element of any dtype. */
size_t fill_piece_bytes(const session *s, uint64_t bytes);

#endif
