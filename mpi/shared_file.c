/* A file that all ranks write together through MPI-IO, and that appears whole or not at all. */
#include "shared_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- Failures ---------------------------------------------------------------------------------------------------- */

/* Describes an error of MPI. Known errors have the words that the command has for them; for others, the last line of
 * MPI's own text is used. */
static int fail_mpi(failure *why, int code, const char *path, const char *what) {
  static const struct {
    int error_class;
    const char *text;
  } known[] = {{MPI_ERR_NO_SPACE, "No space left on device"}, {MPI_ERR_QUOTA, "Disk quota exceeded"},
               {MPI_ERR_ACCESS, "Permission denied"},         {MPI_ERR_NO_SUCH_FILE, "No such file or directory"},
               {MPI_ERR_READ_ONLY, "Read-only file system"},  {MPI_ERR_BAD_FILE, "MPI-IO does not accept its name"}};
  char text[MPI_MAX_ERROR_STRING] = "";
  int error_class = 0, length = 0;
  MPI_Error_class(code, &error_class);
  for (size_t k = 0; k < sizeof known / sizeof *known; ++k) {
    if (known[k].error_class == error_class) {
      return fail(why, STATUS_INPUT, "%s: cannot %s: %s", path, what, known[k].text);
    }
  }
  MPI_Error_string(code, text, &length);
  while (length > 0 && text[length - 1] == '\n')
    text[--length] = '\0';
  const char *line = strrchr(text, '\n'), *words = strstr(line ? line : text, "I/O error "); /* ROMIO's, then errno's */
  return fail(why, STATUS_INPUT, "%s: cannot %s: %s", path, what,
              words  ? words + sizeof "I/O error"
              : line ? line + 1
                     : text);
}

/* ---- Opening ----------------------------------------------------------------------------------------------------- */

/* Reserves space for the whole file where the file system can do that, so that a full disk is noticed at the beginning.
 */
static int begin_output(shared_file *f, const char *path, const char *header, size_t size, uint64_t bytes,
                        failure *why) {
  int status = output_open(path, &f->out, why);
  if (status != STATUS_OK) return status;
  if (!f->out.temporary)
    return fail(why, STATUS_INPUT, "%s: is not a regular file; ranks can write only such a file together", path);
  status = output_write(&f->out, header, size, why);
  if (status != STATUS_OK || fallocate(f->out.fd, 0, 0, (off_t)bytes) == 0) return status;
  if (errno == EOPNOTSUPP || errno == ENOSYS) return STATUS_OK;
  return fail(why, STATUS_INPUT, "%s: cannot reserve %" PRIu64 " bytes: %s", f->out.path, bytes, strerror(errno));
}

static int open_everywhere(shared_file *f, const char *path, failure *why) {
  uint64_t length = f->w->rank == 0 ? strlen(f->out.temporary) + 1 : 0;
  world_broadcast(f->w, &length, sizeof length);
  char *temporary = allocate((size_t)length, 1);
  if (f->w->rank == 0) memcpy(temporary, f->out.temporary, (size_t)length);
  world_broadcast(f->w, temporary, (size_t)length);
  /* Each rank writes what it has. No collective buffering: where an aggregator's write fails, ROMIO (MPICH 4.0) leaves
   * the exchange and the others wait for ever. No sieving: nobody may read what another rank is writing, to write it
   * back. */
  MPI_Info info;
  MPI_Info_create(&info);
  MPI_Info_set(info, "romio_cb_write", "disable");
  MPI_Info_set(info, "romio_ds_write", "disable");
  const int code = MPI_File_open(f->w->comm, temporary, MPI_MODE_WRONLY, info, &f->file);
  MPI_Info_free(&info);
  free(temporary);
  const int status =
      world_agree(f->w, code == MPI_SUCCESS ? STATUS_OK : fail_mpi(why, code, path, "open it for writing"), why);
  f->open = status == STATUS_OK; /* closing is collective */
  return status;
}

int shared_file_open(shared_file *f, const world *w, const model *m, const char *path, const char *header, size_t size,
                     failure *why) {
  *f = (shared_file){.w = w, .model = m, .path = path, .out = OUTPUT_NONE};
  uint64_t offset = size;
  world_broadcast(w, &offset, sizeof offset); /* only rank 0 has the header */
  f->offsets = allocate(m->count, sizeof *f->offsets);
  for (size_t i = 0; i < m->count; ++i) {
    f->offsets[i] = offset;
    offset += model_bytes(&m->tensors[i]);
  }
  int status = w->rank == 0 ? begin_output(f, path, header, size, offset, why) : STATUS_OK;
  status = world_agree(w, status, why);
  if (status == STATUS_OK) status = open_everywhere(f, path, why);
  f->agreed = status != STATUS_OK;
  return status;
}

/* ---- Where parts lie --------------------------------------------------------------------------------------------- */

/* A part's places in the file: `type` from `first` on, to `end`. */
typedef struct place {
  MPI_Datatype type;
  uint64_t first, end; /* bytes */
} place;

/* `run` bytes, repeated along every dimension in front of those that lie side by side. A piece's counts fit into int.
 */
static place place_of(const fanin_tensor *t, uint64_t offset) {
  const size_t size = fanin_dtype_size(t->dtype);
  place p = {.first = offset};
  uint64_t run = part_run(t), stride = size, covered = 1;
  MPI_Type_contiguous((int)(run * size), MPI_BYTE, &p.type);
  p.end = run * size;
  if (t->part == FANIN_PART_RANGE) p.first += t->first * size;
  for (int d = t->rank - 1; d >= 0 && t->part == FANIN_PART_SLAB; --d) {
    p.first += t->start[d] * stride;
    if (covered >= run && t->extent[d] > 1) {
      MPI_Datatype inner = p.type;
      MPI_Type_create_hvector((int)t->extent[d], 1, (MPI_Aint)stride, inner, &p.type);
      MPI_Type_free(&inner);
      p.end += (t->extent[d] - 1) * stride;
    }
    covered *= t->extent[d];
    stride *= t->shape[d];
  }
  p.end += p.first;
  return p;
}

/* Parts that lie behind one another in the file, as one write: a file type has to be in the file's order. */
typedef struct joint_write {
  MPI_Datatype *types;
  MPI_Aint *displacements; /* from `first` */
  int *ones;
  int count;
  uint64_t first, bytes;
} joint_write;

/* Takes parts of the piece from `at` on. Returns the index of the part behind them. */
static size_t take_parts(const shared_file *f, const piece *p, size_t at, joint_write *b) {
  uint64_t end = 0;
  b->count = 0;
  b->bytes = 0;
  for (; at < p->count; ++at) {
    const fanin_tensor *where = &p->parts[at].where;
    place here = place_of(where, f->offsets[p->parts[at].tensor]);
    if (here.first < end) {
      MPI_Type_free(&here.type);
      break;
    }
    if (b->count == 0) b->first = here.first;
    b->types[b->count] = here.type;
    b->displacements[b->count] = (MPI_Aint)(here.first - b->first);
    b->ones[b->count++] = 1;
    b->bytes += part_bytes(where);
    end = here.end;
  }
  return at;
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

/* Writes in one round, or joins the round without writing if b is NULL. Collective. */
static int write_jointly(shared_file *f, const joint_write *b, const char *bytes, failure *why) {
  MPI_Datatype type = MPI_BYTE;
  const MPI_Offset first = b ? (MPI_Offset)b->first : 0;
  if (b) {
    MPI_Type_create_struct(b->count, b->ones, b->displacements, b->types, &type);
    MPI_Type_commit(&type);
  }
  int code = MPI_File_set_view(f->file, first, MPI_BYTE, type, "native", MPI_INFO_NULL);
  MPI_Status written;
  int count = 0;
  if (code == MPI_SUCCESS) {
    code = MPI_File_write_at_all(f->file, 0, bytes, b ? (int)b->bytes : 0, MPI_BYTE, &written);
    if (code == MPI_SUCCESS && b) MPI_Get_count(&written, MPI_BYTE, &count);
  }
  if (b) MPI_Type_free(&type);
  ++f->writes;
  if (code != MPI_SUCCESS) return fail_mpi(why, code, f->path, "write");
  if (b && (uint64_t)count != b->bytes) {
    return fail(why, STATUS_INPUT, "%d of %llu bytes were written", count, (unsigned long long)b->bytes);
  }
  if (b) f->own_bytes += b->bytes;
  return STATUS_OK;
}

int shared_file_write(void *state, const piece *p, const char *bytes, failure *why) {
  shared_file *f = state;
  int status = STATUS_OK;
  joint_write b = {.types = allocate(p->count, sizeof *b.types),
                   .displacements = allocate(p->count, sizeof *b.displacements),
                   .ones = allocate(p->count, sizeof *b.ones)};
  for (size_t at = 0; at < p->count && status == STATUS_OK;) {
    bool more = true;
    at = take_parts(f, p, at, &b);
    status = world_agree_round(f->w, STATUS_OK, &more, why);
    f->agreed = status != STATUS_OK;
    if (status == STATUS_OK) status = write_jointly(f, &b, bytes, why);
    bytes += b.bytes;
    for (int k = 0; k < b.count; ++k)
      MPI_Type_free(&b.types[k]);
  }
  free(b.types);
  free(b.displacements);
  free(b.ones);
  return status;
}

/* ---- The end ----------------------------------------------------------------------------------------------------- */

int shared_file_finish(shared_file *f, int status, failure *why) {
  while (!f->agreed) {
    bool more = false;
    status = world_agree_round(f->w, status, &more, why);
    f->agreed = status != STATUS_OK;
    if (!more || f->agreed) break;
    status = write_jointly(f, NULL, NULL, why);
  }
  if (f->agreed) return status;
  const int synced = MPI_File_sync(f->file);
  f->open = false;
  const int closed = MPI_File_close(&f->file), code = synced != MPI_SUCCESS ? synced : closed;
  status = world_agree(f->w, code == MPI_SUCCESS ? STATUS_OK : fail_mpi(why, code, f->path, "write"), why);
  if (status == STATUS_OK && f->w->rank == 0) status = output_commit(&f->out, why);
  return world_agree(f->w, status, why);
}

void shared_file_close(shared_file *f) {
  if (!f->w) return;
  if (f->open) MPI_File_close(&f->file);
  output_abandon(&f->out);
  free(f->offsets);
  *f = (shared_file){0};
}
