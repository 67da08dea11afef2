/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Between a drive's command and its medium: transfers straight between the host's memory and the
 * block layer, in parts where the table of the host's memory is long, and what becomes of errors.
 *
 * Where the file system of an image is full, or its disk gone, the host is not told, as with
 * virtio-blk: the command stays in its slot, and the machine is asked to pause.
 *
 * Threads: loop, with the controller locked; completions come on the loop and lock.
 */
#include <errno.h>
#include <string.h>

#include "ahci/ahci-private.h"

/* Of one request: what is under way when the machine shall stand still must end soon. */
#define MAX_PART (G_GUINT64_CONSTANT (8) << 20)

static void transfer_part (AtaCommand *command);

static VmmPlatform *
platform_of (AtaCommand *command)
{
  return command->port->hba->parent.parent.board->platform;
}

static void
wait_for_person (AtaCommand *command, const char *why)
{
  AhciPort *port = command->port;

  if (!port->held)
    platform_of (command)->klass->pause (platform_of (command), port->drive.id, why);
  port->held = TRUE;
  ahci_command_keep (command);
}

static void
fail_request (AtaCommand *command, int error)
{
  VmmPlatform *platform = platform_of (command);
  AtaDrive *drive = &command->port->drive;

  if (error == -EFAULT) { /* our memory is mapped: what it lacks is a page of the host */
    platform->klass->request (platform, VMM_REQUEST_NO_MEMORY, 0);
  } else {
    g_autofree char *why = vmm_block_explain_error (drive->block, error);

    platform->klass->device_broken (platform, drive->id, why);
  }
  drive->klass->medium_failed (drive, command);
}

/* Loop: the block layer is done with a request. */
static void
request_done (VmmBlockRequest *request, int error)
{
  AtaCommand *command = (AtaCommand *) request;
  AhciPort *port = command->port;
  VmmDevice *device = &port->hba->parent.parent;
  g_autofree char *why = NULL;

  vmm_device_lock (device);
  if (port->drive.block && port->drive.klass == &ata_disk_class) /* a disc may have bad blocks */
    why = vmm_block_explain_pause (port->drive.block, request, error);
  if (!ahci_command_is_running (command))
    ahci_command_forget (command);
  else if (why)
    wait_for_person (command, why);
  else if (error == -EOPNOTSUPP && request->op == VMM_BLOCK_DISCARD)
    command->next (command); /* it was only a hint */
  else if (error < 0)
    fail_request (command, error);
  else
    command->next (command);
  ahci_port_one_less_in_flight (port);
  ahci_port_run (port);
  vmm_device_unlock (device);
}

static void
submit (AtaCommand *command, VmmBlockOp op, guint64 offset, guint64 length)
{
  if (ahci_port_must_rest (command->port)) {
    ahci_command_keep (command);
    return;
  }
  command->request = (VmmBlockRequest) {
    .op = op,
    .offset = offset,
    .length = length,
    .iov = command->n_iov > 0 ? command->iov : NULL,
    .n_iov = command->n_iov,
    .done = request_done,
  };
  command->port->n_inflight++;
  vmm_block_submit (command->port->drive.block, &command->request);
}

void
ata_command_submit (AtaCommand *command,
                    VmmBlockOp op,
                    guint64 offset,
                    guint64 length,
                    void (*next) (AtaCommand *command))
{
  command->n_iov = 0;
  command->next = next;
  submit (command, op, offset, length);
}

void
ata_command_flush (AtaCommand *command)
{
  ata_command_submit (command, VMM_BLOCK_FLUSH, 0, 0, ata_command_done);
}

static void
transfer_done (AtaCommand *command)
{
  if (command->durable)
    ata_command_flush (command);
  else
    ata_command_done (command);
}

/* What lies behind the end of the medium reads as zeros and is no part of the request. */
static gsize
clear_behind_end (AtaCommand *command, gsize length)
{
  guint64 size = vmm_block_get_size (command->port->drive.block);
  gsize inside = command->offset < size ? MIN (length, size - command->offset) : 0;

  while (length > inside) {
    struct iovec *last = &command->iov[command->n_iov - 1];
    gsize part = MIN (length - inside, last->iov_len);

    last->iov_len -= part;
    memset ((guint8 *) last->iov_base + last->iov_len, 0, part);
    length -= part;
    if (last->iov_len == 0)
      command->n_iov--;
  }
  return inside;
}

/* The drive has data that the host has no room for: it is thrown away. */
static void
run_out_of_room (AtaCommand *command, VmmBlockOp op)
{
  if (op != VMM_BLOCK_READ && !command->bad_memory) {
    ata_command_abort (command);
    return;
  }
  command->overflow = TRUE;
  ata_command_done (command);
}

static void
transfer_part (AtaCommand *command)
{
  VmmBlockOp op = command->request.op;
  gsize taken = ahci_prdt_take (command, MIN (command->left, MAX_PART));
  gsize whole = taken - taken % ATA_SECTOR;
  guint64 offset = command->offset;
  gsize inside;

  if (command->left == 0) {
    transfer_done (command);
    return;
  }
  if (whole == 0 || whole != taken) {
    run_out_of_room (command, op);
    return;
  }
  inside = clear_behind_end (command, taken);
  command->offset += taken;
  command->left -= taken;
  command->moved += taken;
  command->next = transfer_part;
  if (inside > 0)
    submit (command, op, offset, inside);
  else
    transfer_part (command); /* the rest is zeros, and no more than a sector of a CD */
}

static void
transfer (AtaCommand *command, VmmBlockOp op, guint64 offset, guint64 length)
{
  command->request.op = op;
  command->offset = offset;
  command->left = length;
  transfer_part (command);
}

void
ata_command_read (AtaCommand *command, guint64 offset, guint64 length)
{
  transfer (command, VMM_BLOCK_READ, offset, length);
}

void
ata_command_write (AtaCommand *command, guint64 offset, guint64 length, gboolean durable)
{
  command->durable = durable;
  transfer (command, VMM_BLOCK_WRITE, offset, length);
}
