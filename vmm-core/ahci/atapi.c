/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A CD drive: the packet interface (ACS-3, 7.18), sense data and unit attentions, the tray and what
 * lies in it.
 *
 * Threads: loop, with the controller locked.
 */
#include "ahci/atapi-private.h"

#define REASON_DONE    (ATAPI_REASON_COMMAND | ATAPI_REASON_TO_HOST)
#define ERROR_SHIFT    4 /* of the sense key in the error register */
#define MAX_BYTE_COUNT 0xfffe
#define BYTE_COUNT     8 /* where it lies in the LBA registers */

static const VmmField atapi_sense_fields[] = {
  VMM_FIELD (AtapiSense, key, VMM_FIELD_UINT8, "key"),
  VMM_FIELD (AtapiSense, code, VMM_FIELD_UINT8, "code"),
  VMM_FIELD (AtapiSense, qualifier, VMM_FIELD_UINT8, "qualifier"),
  VMM_FIELD_LAST,
};

const VmmField atapi_fields[] = {
  VMM_FIELD_PART (Atapi, sense, atapi_sense_fields, "sense"),
  VMM_FIELD (Atapi, attentions, VMM_FIELD_UINT8, "attentions"),
  VMM_FIELD (Atapi, media_event, VMM_FIELD_UINT8, "media-event"),
  VMM_FIELD (Atapi, tray_open, VMM_FIELD_BOOL, "tray-open"),
  VMM_FIELD (Atapi, locked, VMM_FIELD_BOOL, "locked"),
  VMM_FIELD_LAST,
};

gboolean
atapi_has_medium (AtaDrive *self)
{
  return self->block && !self->atapi.tray_open;
}

/* An image that ends within a block has that block all the same; what is missing is zeros. */
guint32
atapi_get_n_blocks (AtaDrive *self)
{
  guint64 n = (vmm_block_get_size (self->block) + ATAPI_BLOCK - 1) >> ATAPI_BLOCK_SHIFT;

  return MIN (n, G_MAXUINT32);
}

void
atapi_fail (AtaDrive *self, AtaCommand *command, guint8 key, guint16 code)
{
  self->atapi.sense = (AtapiSense) { .key = key, .code = code >> 8, .qualifier = code };
  command->out.count = REASON_DONE;
  ata_command_fail (command, ATA_STATUS_ERR, key << ERROR_SHIFT | ATA_ERROR_ABRT);
}

void
atapi_refuse_field (AtaDrive *self, AtaCommand *command)
{
  atapi_fail (self, command, ATAPI_ILLEGAL_REQUEST, ATAPI_INVALID_FIELD);
}

void
atapi_done (AtaCommand *command)
{
  command->out.count = REASON_DONE;
  ata_command_done (command);
}

void
atapi_reply (AtaCommand *command, gconstpointer data, gsize length, gsize allocated)
{
  gsize n = MIN (length, allocated);

  command->out.count = REASON_DONE;
  command->out.lba = MIN (n, MAX_BYTE_COUNT) << BYTE_COUNT;
  ata_command_reply (command, data, n);
}

void
atapi_open_tray (AtaDrive *self)
{
  if (atapi_has_medium (self))
    self->atapi.media_event = ATAPI_EVENT_MEDIA_REMOVAL;
  self->atapi.tray_open = TRUE;
  self->atapi.attentions &= ~ATAPI_ATTENTION_MEDIUM;
}

void
atapi_close_tray (AtaDrive *self)
{
  self->atapi.tray_open = FALSE;
  if (!self->block)
    return;
  self->atapi.media_event = ATAPI_EVENT_NEW_MEDIA;
  self->atapi.attentions |= ATAPI_ATTENTION_MEDIUM;
}

void
atapi_button_pressed (AtaDrive *self)
{
  self->atapi.media_event = ATAPI_EVENT_EJECT_REQUEST;
}

void
atapi_medium_changed (AtaDrive *self)
{
  if (self->block) {
    atapi_close_tray (self);
    return;
  }
  self->atapi.media_event = ATAPI_EVENT_MEDIA_REMOVAL;
  self->atapi.locked = FALSE;
  atapi_open_tray (self);
}

/* FALSE, and the command has failed: the host has to hear something else first. */
static gboolean
is_ready (AtaDrive *self, AtaCommand *command, guint flags)
{
  Atapi *atapi = &self->atapi;

  if (!(flags & ATAPI_ALWAYS) && atapi->attentions) {
    gboolean reset = atapi->attentions & ATAPI_ATTENTION_RESET;

    atapi->attentions &= reset ? ~ATAPI_ATTENTION_RESET : ~ATAPI_ATTENTION_MEDIUM;
    atapi_fail (self, command, ATAPI_UNIT_ATTENTION,
                reset ? ATAPI_WAS_RESET : ATAPI_MEDIUM_MAY_HAVE_CHANGED);
    return FALSE;
  }
  if ((flags & ATAPI_NEEDS_MEDIUM) && !atapi_has_medium (self)) {
    atapi_fail (self, command, ATAPI_NOT_READY,
                atapi->tray_open ? ATAPI_NO_MEDIUM_TRAY_OPEN : ATAPI_NO_MEDIUM_TRAY_CLOSED);
    return FALSE;
  }
  return TRUE;
}

static void
packet (AtaDrive *self, AtaCommand *command)
{
  const AtapiOperation *operation = &atapi_operations[command->packet[0]];

  self->asleep = FALSE;
  if (!operation->name)
    atapi_fail (self, command, ATAPI_ILLEGAL_REQUEST, ATAPI_INVALID_COMMAND);
  else if (is_ready (self, command, operation->flags))
    operation->execute (self, command);
}

/* What the host may not do with a disc it cannot read is for the host to find out. */
static void
disc_failed (AtaDrive *self, AtaCommand *command)
{
  if (command->operation->protocol == ATA_PACKET)
    atapi_fail (self, command, ATAPI_MEDIUM_ERROR, ATAPI_UNRECOVERED_READ_ERROR);
  else
    ata_command_abort (command);
}

/* The tray stands as it stood; what lies in it is still there. */
static void
cdrom_reset (AtaDrive *self)
{
  self->atapi.sense = (AtapiSense) { 0 };
  self->atapi.media_event = ATAPI_EVENT_NONE;
  self->atapi.attentions = ATAPI_ATTENTION_RESET;
  self->atapi.locked = FALSE;
}

static void
device_reset (AtaDrive *self, AtaCommand *command)
{
  ata_drive_reset (self, FALSE);
  self->atapi.attentions = 0;
  ata_execute_diagnostic (self, command);
}

static const AtaOperation operations[ATA_N_OPERATIONS] = {
  [0x08] = { "DEVICE RESET", device_reset, ATA_NON_DATA, FALSE },
  [0x20] = { "READ SECTORS", ata_refuse_with_signature, ATA_NON_DATA, FALSE },
  [0x90] = { "EXECUTE DEVICE DIAGNOSTIC", ata_execute_diagnostic, ATA_NON_DATA, FALSE },
  [ATA_PACKET_COMMAND] = { "PACKET", packet, ATA_PACKET, FALSE },
  [0xa1] = { "IDENTIFY PACKET DEVICE", ata_identify_packet_device, ATA_PIO_IN, FALSE },
  [0xe0] = { "STANDBY IMMEDIATE", ata_standby, ATA_NON_DATA, FALSE },
  [0xe1] = { "IDLE IMMEDIATE", ata_idle, ATA_NON_DATA, FALSE },
  [0xe2] = { "STANDBY", ata_standby, ATA_NON_DATA, FALSE },
  [0xe3] = { "IDLE", ata_idle, ATA_NON_DATA, FALSE },
  [0xe5] = { "CHECK POWER MODE", ata_check_power_mode, ATA_NON_DATA, FALSE },
  [0xe6] = { "SLEEP", ata_standby, ATA_NON_DATA, FALSE },
  [0xec] = { "IDENTIFY DEVICE", ata_refuse_with_signature, ATA_NON_DATA, FALSE },
  [0xef] = { "SET FEATURES", ata_set_features, ATA_NON_DATA, FALSE },
};

const AtaDriveClass atapi_cdrom_class = {
  .name = "CD drive",
  .signature = { .error = ATA_DIAGNOSTIC_GOOD, .count = 1, .lba = 0xeb1401 },
  .operations = operations,
  .reset = cdrom_reset,
  .medium_failed = disc_failed,
};
