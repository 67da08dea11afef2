/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The life of a USB device, and its few calls to the controller it hangs on.
 *
 * Threads: as usb-device.h says.
 */
#include "usb/usb-device.h"

#include "virtio/virtqueue.h"

VmmUsbDevice *
vmm_usb_device_new (const VmmUsbDeviceClass *klass,
                    const char *id,
                    gconstpointer config,
                    GError **error)
{
  VmmUsbDevice *self = g_malloc0 (klass->instance_size);

  self->klass = klass;
  self->id = g_strdup (id);
  if (!klass->realize || klass->realize (self, config, error))
    return self;
  g_free (self->id);
  g_free (self);
  return NULL;
}

void
vmm_usb_device_free (VmmUsbDevice *self)
{
  if (self->klass->unrealize)
    self->klass->unrealize (self);
  g_free (self->id);
  g_free (self);
}

void
vmm_usb_device_attach (VmmUsbDevice *self,
                       const VmmUsbControllerOps *ops,
                       gpointer controller,
                       VmmLoop *loop)
{
  self->ops = ops;
  self->controller = controller;
  self->loop = loop;
  if (self->klass->attached)
    self->klass->attached (self);
}

void
vmm_usb_device_detach (VmmUsbDevice *self)
{
  if (self->klass->detached)
    self->klass->detached (self);
  self->ops = NULL;
  self->controller = NULL;
  self->loop = NULL;
}

void
vmm_usb_device_ready (VmmUsbDevice *self, guint8 endpoint)
{
  self->ops->ready (self->controller, self, endpoint);
}

void
vmm_usb_device_wake (VmmUsbDevice *self)
{
  self->ops->wake (self->controller, self);
}

void
vmm_usb_device_lock (VmmUsbDevice *self)
{
  self->ops->lock (self->controller);
}

void
vmm_usb_device_unlock (VmmUsbDevice *self)
{
  self->ops->unlock (self->controller);
}

void
vmm_usb_transfer_write (VmmUsbTransfer *self, gconstpointer bytes, gsize length)
{
  self->moved = vmm_iov_write (self->iov, self->n_iov, 0, bytes, MIN (length, self->length));
}

gsize
vmm_usb_transfer_read (VmmUsbTransfer *self, gpointer bytes, gsize length)
{
  self->moved = vmm_iov_read (self->iov, self->n_iov, 0, bytes, MIN (length, self->length));
  return self->moved;
}
