/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A 16550A UART: the guest's serial port, over borrowed file descriptors.
 *
 * Registers as in National Semiconductor's PC16550D data sheet.
 */
#pragma once

#include "device/vmm-device.h"

G_BEGIN_DECLS

#define VMM_SERIAL_COM1_PORT 0x3f8
#define VMM_SERIAL_COM1_GSI  4

typedef struct {
  guint16 port; /* first of eight */
  guint gsi;
  int in_fd;  /* borrowed; -1: nothing ever arrives */
  int out_fd; /* borrowed; -1: output goes nowhere */
} VmmSerialConfig;

extern const VmmDeviceClass vmm_serial_class;

G_END_DECLS
