/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All devices.
 *
 * Threads: any.
 */
#include "ahci/ahci.h"
#include "chips/debug-exit.h"
#include "chips/debug-port.h"
#include "chips/flash.h"
#include "chips/fw-cfg.h"
#include "chips/generation.h"
#include "chips/hpet.h"
#include "chips/i8042.h"
#include "chips/lpc.h"
#include "chips/pm.h"
#include "chips/ps2-controller.h"
#include "chips/pvpanic.h"
#include "chips/rtc.h"
#include "chips/serial.h"
#include "device/device-list.h"
#include "pci/pci-host.h"
#include "pci/root-port.h"
#include "vga/vga.h"
#include "usb/xhci.h"
#include "virtio/virtio-balloon.h"
#include "virtio/virtio-blk.h"
#include "virtio/virtio-console.h"
#include "virtio/virtio-gpu.h"
#include "virtio/virtio-input.h"
#include "virtio/virtio-net.h"
#include "virtio/virtio-rng.h"
#include "virtio/virtio-serial.h"

const VmmDeviceClass *const vmm_device_list[] = {
  &vmm_pci_host_class,
  &vmm_root_port_class.parent,
  &vmm_lpc_class.parent,
  &vmm_flash_class,
  &vmm_fw_cfg_class,
  &vmm_debug_port_class,
  &vmm_serial_class,
  &vmm_i8042_class,
  &vmm_ps2_class,
  &vmm_pm_class,
  &vmm_generation_class,
  &vmm_pvpanic_class,
  &vmm_hpet_class,
  &vmm_rtc_class,
  &vmm_debug_exit_class,
  &vmm_ahci_class.parent,
  &vmm_xhci_class.parent,
  VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_blk_class),
  VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_rng_class),
  VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_balloon_class),
  VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_console_class),
  VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_serial_class),
  &vmm_vga_class,
  VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_gpu_class),
  VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_vga_class),
  VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_input_class),
  VMM_VIRTIO_DEVICE_CLASS (vmm_virtio_net_class),
  NULL,
};
