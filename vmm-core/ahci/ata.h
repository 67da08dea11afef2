/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The words of ATA (ACS-3): registers, status and error bits, and what a command leaves behind.
 *
 * Threads: constants.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define ATA_SECTOR       512
#define ATA_SECTOR_SHIFT 9

enum {
  ATA_STATUS_ERR = 0x01,
  ATA_STATUS_DRQ = 0x08,
  ATA_STATUS_DSC = 0x10, /* seek complete: always, with DRDY */
  ATA_STATUS_DF = 0x20,
  ATA_STATUS_DRDY = 0x40,
  ATA_STATUS_BSY = 0x80,
};
#define ATA_STATUS_GOOD (ATA_STATUS_DRDY | ATA_STATUS_DSC)

enum {
  ATA_ERROR_ABRT = 0x04,
  ATA_ERROR_IDNF = 0x10,
  ATA_ERROR_UNC = 0x40,
};

#define ATA_DEVICE_LBA      0x40 /* of the device register */
#define ATA_DEVICE_FUA      0x80 /* of a queued write */
#define ATA_CONTROL_SRST    0x04
#define ATA_DIAGNOSTIC_GOOD 0x01 /* in the error register, after a reset */

#define ATAPI_FEATURE_DMA 0x01 /* of PACKET */

/* The interrupt reason, in the count register of an ATAPI device. */
#define ATAPI_REASON_COMMAND 0x01 /* C/D */
#define ATAPI_REASON_TO_HOST 0x02 /* I/O */

/* What the host wrote. */
typedef struct {
  guint8 command, device, control;
  guint16 features, count;
  guint64 lba; /* 48 bits; the upper 24 are the "previous" contents */
} AtaRegisters;

/* What the device answers. */
typedef struct {
  guint8 status, error, device;
  guint16 count;
  guint64 lba;
} AtaResult;

typedef enum {
  ATA_NON_DATA,
  ATA_PIO_IN,
  ATA_PIO_OUT,
  ATA_DMA,
  ATA_QUEUED, /* NCQ */
  ATA_PACKET,
} AtaProtocol;

/* Commands that are spoken of outside the tables of commands. */
enum {
  ATA_READ_FPDMA_QUEUED = 0x60,
  ATA_WRITE_FPDMA_QUEUED = 0x61,
  ATA_PACKET_COMMAND = 0xa0,
};

G_END_DECLS
