/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The registers behind ABAR: the generic host control registers (AHCI 1.3.1, 3.1) and, behind them,
 * those of the ports. A write to PxCI only wakes the loop, where commands are worked on: no vCPU
 * waits for a disk.
 *
 * Threads: vCPU, with the controller locked.
 */
#include "ahci/ahci-private.h"

#define PORTS_OFFSET 0x100
#define PORT_SIZE    0x80

/* CAP: six ports at most, 32 slots, and what we can do. */
#define CAP_SSC  0x00004000u /* slumber */
#define CAP_PSC  0x00002000u /* partial */
#define CAP_PMD  0x00008000u /* PIO with several blocks */
#define CAP_SAM  0x00040000u /* AHCI only */
#define CAP_GEN3 0x00300000u
#define CAP_SCLO 0x01000000u
#define CAP_SNCQ 0x40000000u
#define CAP_S64A 0x80000000u
#define CAP                                                                                        \
  ((VMM_AHCI_N_PORTS - 1) | (AHCI_N_SLOTS - 1) << 8 | CAP_PSC | CAP_SSC | CAP_PMD | CAP_SAM |      \
   CAP_GEN3 | CAP_SCLO | CAP_SNCQ | CAP_S64A)

#define AHCI_VERSION 0x00010301u
#define CAP2_BOH     0x00000001u

#define BOHC_BOS  0x01 /* the firmware owns the controller */
#define BOHC_OOS  0x02 /* the system does */
#define BOHC_SOOE 0x04
#define BOHC_OOC  0x08

static void
write_ghc (Ahci *self, guint32 value)
{
  self->ghc = AHCI_GHC_AE | (self->ghc & AHCI_GHC_HR) | (value & AHCI_GHC_IE);
  if (value & AHCI_GHC_HR)
    ahci_reset_controller (self);
  ahci_update_interrupt (self, TRUE);
}

static void
write_is (Ahci *self, guint32 value)
{
  self->is &= ~value;
  ahci_update_interrupt (self, TRUE);
}

/* Nobody behind us would give the controller up: the system has it as soon as it wants it. */
static void
write_bohc (Ahci *self, guint32 value)
{
  self->bohc = (self->bohc & BOHC_OOC) | (value & (BOHC_BOS | BOHC_OOS | BOHC_SOOE));
  if (value & BOHC_OOC)
    self->bohc &= ~BOHC_OOC;
  if (value & BOHC_OOS)
    self->bohc &= ~BOHC_BOS;
}

static guint32
ports_implemented (Ahci *self)
{
  guint32 ports = 0;

  for (guint i = 0; i < VMM_AHCI_N_PORTS; i++)
    if (self->ports[i].drive.klass)
      ports |= 1u << i;
  return ports ? ports : 1; /* none is not allowed */
}

/* 3.1. */
static guint32
read_register (Ahci *self, guint offset)
{
  if (offset >= PORTS_OFFSET + VMM_AHCI_N_PORTS * PORT_SIZE)
    return 0;
  if (offset >= PORTS_OFFSET)
    return ahci_port_read (&self->ports[(offset - PORTS_OFFSET) / PORT_SIZE], offset % PORT_SIZE);
  switch (offset) {
  case 0x00:
    return CAP;
  case 0x04:
    return self->ghc;
  case 0x08:
    return self->is;
  case 0x0c:
    return ports_implemented (self);
  case 0x10:
    return AHCI_VERSION;
  case 0x24:
    return CAP2_BOH;
  case 0x28:
    return self->bohc;
  default:
    return 0;
  }
}

static void
write_register (Ahci *self, guint offset, guint32 value, guint32 mask)
{
  if (self->resetting || offset >= PORTS_OFFSET + VMM_AHCI_N_PORTS * PORT_SIZE)
    return;
  if (offset >= PORTS_OFFSET) {
    ahci_port_write (&self->ports[(offset - PORTS_OFFSET) / PORT_SIZE], offset % PORT_SIZE, value,
                     mask);
    return;
  }
  value &= mask;
  switch (offset) {
  case 0x04:
    write_ghc (self, value | (self->ghc & ~mask & AHCI_GHC_IE));
    break;
  case 0x08:
    write_is (self, value);
    break;
  case 0x28:
    write_bohc (self, value | (self->bohc & ~mask & ~BOHC_OOC));
    break;
  default:
    break;
  }
}

/* Registers are 32 bits wide; other accesses are put together from them. The bytes of an access
 * that lie in one register: their place there, and how many they are. */
static guint
bytes_in_register (guint64 offset, guint size)
{
  return MIN (4 - offset % 4, size);
}

static guint32
mask_of (guint64 offset, guint n)
{
  return (guint32) (G_MAXUINT32 >> 8 * (4 - n)) << 8 * (offset % 4);
}

static guint64
ahci_read (VmmDevice *device, guint region, guint64 offset, guint size)
{
  guint64 value = 0;

  for (guint done = 0; done < size;) {
    guint64 at = offset + done;
    guint n = bytes_in_register (at, size - done);
    guint32 part = read_register ((Ahci *) device, at & ~G_GUINT64_CONSTANT (3)) & mask_of (at, n);

    value |= (guint64) (part >> 8 * (at % 4)) << 8 * done;
    done += n;
  }
  return value;
}

static void
ahci_write (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value)
{
  for (guint done = 0; done < size;) {
    guint64 at = offset + done;
    guint n = bytes_in_register (at, size - done);

    write_register ((Ahci *) device, at & ~G_GUINT64_CONSTANT (3),
                    (guint32) (value >> 8 * done) << 8 * (at % 4), mask_of (at, n));
    done += n;
  }
}

const VmmBusOps ahci_ops = { ahci_read, ahci_write };
