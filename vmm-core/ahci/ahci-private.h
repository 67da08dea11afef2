/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The AHCI controller inside: shared between its registers (ahci.c), a port's registers and state
 * (ahci-port.c), the way of a command (ahci-command.c) and the FISes (ahci-fis.c). Names and bits
 * are those of AHCI 1.3.1.
 *
 * Threads: with the controller locked; commands on the loop.
 */
#pragma once

#include "ahci/ahci.h"
#include "ahci/ata-command.h"
#include "base/vmm-kick.h"
#include "pci/pci-device.h"

G_BEGIN_DECLS

#define AHCI_N_SLOTS 32

/* GHC, BOHC */
#define AHCI_GHC_HR 0x00000001u
#define AHCI_GHC_IE 0x00000002u
#define AHCI_GHC_AE 0x80000000u /* always: CAP.SAM */
#define AHCI_BOHC   0x0000000fu

/* PxCMD */
#define AHCI_CMD_ST    0x00000001u
#define AHCI_CMD_SUD   0x00000002u
#define AHCI_CMD_POD   0x00000004u
#define AHCI_CMD_CLO   0x00000008u
#define AHCI_CMD_FRE   0x00000010u
#define AHCI_CMD_CCS   0x00001f00u
#define AHCI_CMD_FR    0x00004000u
#define AHCI_CMD_CR    0x00008000u
#define AHCI_CMD_ATAPI 0x01000000u
#define AHCI_CMD_DLAE  0x02000000u
#define AHCI_CMD_ALPE  0x04000000u
#define AHCI_CMD_ASP   0x08000000u
#define AHCI_CMD_ICC   0xf0000000u
#define AHCI_CCS_SHIFT 8

/* PxIS and PxIE */
#define AHCI_IS_DHRS 0x00000001u /* D2H Register FIS */
#define AHCI_IS_PSS  0x00000002u /* PIO Setup FIS */
#define AHCI_IS_SDBS 0x00000008u /* Set Device Bits FIS */
#define AHCI_IS_DPS  0x00000020u /* a descriptor asked for it */
#define AHCI_IS_PCS  0x00000040u /* follows PxSERR.DIAG.X */
#define AHCI_IS_OFS  0x01000000u /* overflow */
#define AHCI_IS_IFS  0x08000000u /* interface error, fatal */
#define AHCI_IS_HBFS 0x20000000u /* host bus error, fatal */
#define AHCI_IS_TFES 0x40000000u /* task file error */

typedef struct _Ahci Ahci;

struct _AhciPort {
  Ahci *hba;
  guint number;

  /* Registers. */
  guint32 clb, clbu, fb, fbu, is, ie, cmd, tfd, sig, ssts, sctl, serr, sact, ci;

  guint32 running;   /* slots whose command is under way; what ends outside of them is forgotten */
  guint32 queued;    /* those of them with a queued command */
  guint32 kept;      /* slots whose command is begun anew when the machine is resumed */
  guint n_inflight;  /* requests that the block layer has */
  guint32 last_slot; /* whose turn it was */
  gboolean halted;   /* after an error, until PxCMD.ST is cleared */
  gboolean held;     /* nothing is begun until the machine is resumed */
  gboolean soft_reset;    /* SRST is set */
  gboolean resetting;     /* the drive; it waits for what is in flight */
  gboolean signature_due; /* the FIS after a reset waits for PxCMD.FRE */
  gboolean changing;      /* the medium: nothing is begun meanwhile */
  AtaDrive drive;
};

struct _Ahci {
  VmmPciDevice parent;
  guint32 ghc, is, bohc;
  gboolean resetting; /* GHC.HR */
  gboolean drained;
  VmmKick kick;     /* there is something to do */
  GCond idle;       /* a port's n_inflight became 0 */
  GPtrArray *spare; /* commands not in use */
  guint64 n_requests;
  AhciPort ports[VMM_AHCI_N_PORTS];
};

extern const VmmField ahci_port_fields[];

/* ahci.c */
/* Something in the interrupt registers changed; @event: there is something new to tell. */
void ahci_update_interrupt (Ahci *self, gboolean event);
/* A port has nothing in flight any more. */
void ahci_port_is_idle (Ahci *self);
/* GHC.HR stays set until nothing is in flight. */
void ahci_reset_controller (Ahci *self);

/* ahci-register.c */
extern const VmmBusOps ahci_ops;

/* ahci-port.c */
void ahci_port_init (AhciPort *self, Ahci *hba, guint number);
guint32 ahci_port_read (AhciPort *self, guint offset);
/* @mask: the bits that the access carries. */
void ahci_port_write (AhciPort *self, guint offset, guint32 value, guint32 mask);
/* Forgets everything, as HBA reset does; the drive is there again at once. */
void ahci_port_reset (AhciPort *self, gboolean cold);
void ahci_port_loaded (AhciPort *self);
void ahci_port_raise (AhciPort *self, guint32 is);
/* An error that the host must clear away: nothing runs on. */
void ahci_port_halt (AhciPort *self, guint32 is);
/* The host reset the drive by itself, over the wire or by SRST. */
void ahci_port_reset_drive (AhciPort *self);
void ahci_port_one_less_in_flight (AhciPort *self);

/* ahci-command.c */
/* Begins all commands that may begin. */
void ahci_port_run (AhciPort *self);
gboolean ahci_command_is_running (AtaCommand *command);
/* Whether what is under way shall come to rest before its end. */
gboolean ahci_port_must_rest (AhciPort *self);
/* Gives the command up, to be begun anew when the machine is resumed. */
void ahci_command_keep (AtaCommand *command);
void ahci_command_forget (AtaCommand *command);

/* ahci-fis.c: into the host's memory where it receives FISes, and into the registers. */
void ahci_fis_send_d2h (AhciPort *self, const AtaResult *result, gboolean interrupt);
/* @result is the state during the transfer, @status the one after it. */
void ahci_fis_send_pio_setup (AhciPort *self,
                              const AtaResult *result,
                              guint8 status,
                              guint32 count,
                              gboolean to_host,
                              gboolean interrupt);
void ahci_fis_send_device_bits (AhciPort *self, guint8 status, guint8 error, guint32 done);
/* A Register FIS of the host, 20 bytes. FALSE: it is none. @is_command: else it only writes the
 * control register. */
gboolean ahci_fis_parse (const guint8 *fis, AtaRegisters *registers, gboolean *is_command);

G_END_DECLS
