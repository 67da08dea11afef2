/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The driver of an AHCI controller in the fake guest: command lists and tables in its memory, good
 * or broken.
 */
#pragma once

#include "ahci/ahci.h"
#include "fake-guest.h"

G_BEGIN_DECLS

/* Global registers. */
enum {
  HBA_CAP = 0x00,
  HBA_GHC = 0x04,
  HBA_IS = 0x08,
  HBA_PI = 0x0c,
  HBA_VS = 0x10,
  HBA_CAP2 = 0x24,
  HBA_BOHC = 0x28,
};

/* Of a port. */
enum {
  PX_CLB = 0x00,
  PX_CLBU = 0x04,
  PX_FB = 0x08,
  PX_FBU = 0x0c,
  PX_IS = 0x10,
  PX_IE = 0x14,
  PX_CMD = 0x18,
  PX_TFD = 0x20,
  PX_SIG = 0x24,
  PX_SSTS = 0x28,
  PX_SCTL = 0x2c,
  PX_SERR = 0x30,
  PX_SACT = 0x34,
  PX_CI = 0x38,
};

#define IS_DHRS 0x00000001u
#define IS_PSS  0x00000002u
#define IS_SDBS 0x00000008u
#define IS_DPS  0x00000020u
#define IS_PCS  0x00000040u
#define IS_OFS  0x01000000u
#define IS_IFS  0x08000000u
#define IS_HBFS 0x20000000u
#define IS_TFES 0x40000000u

#define CMD_ST  0x0001
#define CMD_FRE 0x0010
#define CMD_CR  0x8000

/* Status and error in PxTFD. */
#define TFD_GOOD 0x50
#define TFD_ERR  0x01
#define TFD_ABRT 0x0400
#define TFD_IDNF 0x1000
#define TFD_UNC  0x4000

#define FAKE_AHCI_MSI 0x77 /* the message's data */

typedef struct {
  guint8 command, device, control;
  guint16 features, count;
  guint64 lba;
  const guint8 *packet; /* 12 bytes, or NULL */
} FakeAta;

typedef struct {
  guint64 list, fis, tables; /* guest memory */
  gboolean started;
} FakeAhciPort;

typedef struct {
  FakeGuest *guest;
  guint slot;
  guint64 bar;
  FakeAhciPort ports[VMM_AHCI_N_PORTS];
} FakeAhci;

#define FAKE_AHCI_TABLE_SIZE 0x1000 /* one a slot: FIS, packet, and 248 entries */
#define FAKE_AHCI_MAX_PRDT   248

/* Finds the registers, switches MSI (or not) and interrupts on. */
FakeAhci *fake_ahci_new (FakeGuest *guest, VmmDevice *device, gboolean msi);
void fake_ahci_free (FakeAhci *self);

guint32 fake_ahci_read (FakeAhci *self, guint offset);
void fake_ahci_write (FakeAhci *self, guint offset, guint32 value);
guint32 fake_ahci_read_port (FakeAhci *self, guint port, guint offset);
void fake_ahci_write_port (FakeAhci *self, guint port, guint offset, guint32 value);

/* Memory for it at the first time; then errors cleared, FRE and ST. */
void fake_ahci_start (FakeAhci *self, guint port);
/* Returns when PxCMD.CR is clear. */
void fake_ahci_stop (FakeAhci *self, guint port);

guint8 *fake_ahci_table (FakeAhci *self, guint port, guint slot);
guint8 *fake_ahci_header (FakeAhci *self, guint port, guint slot);
guint32 fake_ahci_moved (FakeAhci *self, guint port, guint slot);
guint8 *fake_ahci_fis (FakeAhci *self, guint port, guint offset);

/* Puts a command into a slot. */
void fake_ahci_prepare (FakeAhci *self,
                        guint port,
                        guint slot,
                        const FakeAta *ata,
                        const FakeBuffer *buffers,
                        guint n_buffers);
void fake_ahci_put_prdt (FakeAhci *self,
                         guint port,
                         guint slot,
                         guint i,
                         guint64 address,
                         guint32 length);
/* Returns when every slot of @slots has its answer, or the port says that something is wrong. */
void fake_ahci_wait (FakeAhci *self, guint port, guint32 slots);
/* The whole way through slot 0 (or 5, if it is a queued command); returns PxTFD. A port that failed
 * is started again. */
guint32 fake_ahci_run (FakeAhci *self,
                       guint port,
                       const FakeAta *ata,
                       const FakeBuffer *buffers,
                       guint n_buffers);

G_END_DECLS
