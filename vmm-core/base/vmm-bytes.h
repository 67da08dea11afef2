/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Big-endian numbers in formats that other people defined.
 *
 * Threads: any.
 */
#pragma once

#include <string.h>

#include <glib.h>

G_BEGIN_DECLS

static inline guint16
vmm_get_be16 (const guint8 *bytes)
{
  guint16 number;

  memcpy (&number, bytes, sizeof number);
  return GUINT16_FROM_BE (number);
}

static inline guint32
vmm_get_be32 (const guint8 *bytes)
{
  guint32 number;

  memcpy (&number, bytes, sizeof number);
  return GUINT32_FROM_BE (number);
}

static inline guint64
vmm_get_be64 (const guint8 *bytes)
{
  guint64 number;

  memcpy (&number, bytes, sizeof number);
  return GUINT64_FROM_BE (number);
}

static inline void
vmm_put_be16 (guint8 *bytes, guint16 number)
{
  number = GUINT16_TO_BE (number);
  memcpy (bytes, &number, sizeof number);
}

static inline void
vmm_put_be32 (guint8 *bytes, guint32 number)
{
  number = GUINT32_TO_BE (number);
  memcpy (bytes, &number, sizeof number);
}

static inline void
vmm_put_be64 (guint8 *bytes, guint64 number)
{
  number = GUINT64_TO_BE (number);
  memcpy (bytes, &number, sizeof number);
}

G_END_DECLS
