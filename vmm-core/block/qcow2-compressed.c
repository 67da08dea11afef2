/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Compressed clusters. They are read, never written: what is written over becomes an ordinary
 * cluster. The one unpacked last is kept, since guests read less than a cluster at a time.
 *
 * Threads: as qcow2-private.h says.
 */
#include <errno.h>
#include <zlib.h>
#include <zstd.h>

#include "block/qcow2-private.h"

#define PACKED_SECTOR 512
#define WINDOW_BITS   (-12) /* raw deflate */

void
qcow2_locate_compressed (const Qcow2 *self, guint64 entry, guint64 *offset, gsize *length)
{
  guint shift = 62 - (self->cluster_bits - 8); /* above it: how many sectors more */
  guint64 bits = entry & ((G_GUINT64_CONSTANT (1) << 62) - 1);

  *offset = bits & ((G_GUINT64_CONSTANT (1) << shift) - 1);
  *length = ((bits >> shift) + 1) * PACKED_SECTOR - *offset % PACKED_SECTOR;
}

static int
inflate_cluster (guint8 *to, gsize room, guint8 *from, gsize length)
{
  z_stream stream = { .next_in = from, .avail_in = length, .next_out = to, .avail_out = room };
  int result;

  if (inflateInit2 (&stream, WINDOW_BITS) != Z_OK)
    return -ENOMEM;
  result = inflate (&stream, Z_FINISH);
  inflateEnd (&stream);
  /* Where the output is full before the end of the stream was seen, it is all there as well. */
  return (result == Z_STREAM_END || result == Z_BUF_ERROR) && stream.avail_out == 0 ? 0 : -EUCLEAN;
}

/* What lies behind the frame, in the rest of its last sector, is not its. */
static int
unzstd_cluster (guint8 *to, gsize room, const guint8 *from, gsize length)
{
  ZSTD_inBuffer in = { from, length, 0 };
  ZSTD_outBuffer out = { to, room, 0 };
  ZSTD_DCtx *context = ZSTD_createDCtx ();
  gsize result = 1;

  if (!context)
    return -ENOMEM;
  while (result > 0 && !ZSTD_isError (result) && out.pos < room) {
    gsize before = in.pos + out.pos;

    result = ZSTD_decompressStream (context, &out, &in);
    if (in.pos + out.pos == before)
      break;
  }
  ZSTD_freeDCtx (context);
  return !ZSTD_isError (result) && out.pos == room ? 0 : -EUCLEAN;
}

static int
unpack (Qcow2 *self, guint64 offset, gsize length)
{
  guint8 *packed = vmm_table_alloc (length);
  int result = packed ? 0 : -ENOMEM;

  if (result == 0)
    result = vmm_host_file_read (self->parent.file, packed, length, offset);
  if (result == 0 && self->header->zstd)
    result = unzstd_cluster (self->unpacked, self->cluster_size, packed, length);
  else if (result == 0)
    result = inflate_cluster (self->unpacked, self->cluster_size, packed, length);
  vmm_table_free (packed);
  return result;
}

int
qcow2_unpack (Qcow2 *self, guint64 entry, const guint8 **bytes)
{
  guint64 offset;
  gsize length;
  int result;

  *bytes = self->unpacked;
  if (self->unpacked && self->unpacked_entry == entry)
    return 0;
  if (!self->unpacked && !(self->unpacked = vmm_table_alloc (self->cluster_size)))
    return -ENOMEM;
  *bytes = self->unpacked;
  self->unpacked_entry = 0;
  qcow2_locate_compressed (self, entry, &offset, &length);
  result = unpack (self, offset, length);
  if (result == 0)
    self->unpacked_entry = entry;
  return result;
}
