/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An AHCI controller with an ATA disk on port 0 and a CD drive on port 1, for the tests of both.
 */
#pragma once

#include "fake-ahci.h"

G_BEGIN_DECLS

#define SIZE     (1 << 20)
#define SECTORS  (SIZE / 512)
#define LBA      0x40
#define DATA     65536
#define NOWHERE  G_GUINT64_CONSTANT (0x40000000) /* no memory of the fake guest */
#define BIG_DATA (1 << 20)

enum {
  READ_SECTORS = 0x20,
  READ_DMA_EXT = 0x25,
  WRITE_SECTORS = 0x30,
  WRITE_DMA_EXT = 0x35,
  WRITE_DMA_FUA_EXT = 0x3d,
  READ_QUEUED = 0x60,
  WRITE_QUEUED = 0x61,
  READ_LOG = 0x2f,
  TRIM = 0x06,
  READ_DMA = 0xc8,
  WRITE_DMA = 0xca,
  READ_MULTIPLE = 0xc4,
  SET_MULTIPLE = 0xc6,
  FLUSH = 0xe7,
  FLUSH_EXT = 0xea,
  IDENTIFY = 0xec,
  SET_FEATURES = 0xef,
};

typedef struct {
  FakeGuest *guest;
  char *path;
  VmmBlock *block;
  VmmDevice *device;
  FakeAhci *ahci;
  guint64 data; /* in guest memory */
} AhciTest;

VmmDevice *ahci_test_controller_new (FakeGuest *guest, VmmBlock *block);
VmmBlock *ahci_test_open_disk (const char *path, VmmLoop *loop);
void ahci_test_set_up (AhciTest *f, gconstpointer data);
void ahci_test_tear_down (AhciTest *f, gconstpointer data);
guint8 *ahci_test_at (AhciTest *f, guint64 address, gsize size);
guint32 ahci_test_run (AhciTest *f, const FakeAta *ata, guint32 length);
guint32 ahci_test_port (AhciTest *f, guint offset);
void ahci_test_set_port (AhciTest *f, guint offset, guint32 value);
void ahci_test_check_sector (const guint8 *bytes, guint sector);
/* The disk still answers, and rightly. */
void ahci_test_check_alive (AhciTest *f);
guint16 ahci_test_word (AhciTest *f, guint i);

typedef struct {
  const char *name;
  void (*run) (AhciTest *f, gconstpointer data);
} AhciTestCase;

/* Each on a fixture of its own, after g_test_init; what main returns. */
int ahci_test_run_all (const AhciTestCase *tests, guint n_tests);

G_END_DECLS
