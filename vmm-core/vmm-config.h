/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmConfig: what a machine is made of, as plain structs.
 *
 * Threads: any; one owner at a time. vmm_machine_new copies what it keeps.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VMM_MAX_VCPUS 32
#define VMM_MAX_DISKS 24
#define VMM_MIN_MEMORY (G_GUINT64_CONSTANT (16) << 20)

typedef struct {
  char *path;        /* a raw image */
  gboolean readonly;
} VmmDiskConfig;

typedef enum {
  VMM_SERIAL_NONE, /* no UART at all */
  VMM_SERIAL_FD,   /* both ways over serial_fd */
  VMM_SERIAL_FILE, /* output appended to serial_path */
} VmmSerialMode;

typedef struct {
  char *name;           /* for messages and thread names */
  guint8 uuid[16];
  guint64 memory;       /* bytes */
  guint n_vcpus;        /* 1 to VMM_MAX_VCPUS */
  char *kernel;         /* bzImage, ELF with a PVH note, or multiboot */
  char *initrd;         /* or NULL */
  char *append;         /* or NULL */
  GPtrArray *disks;     /* VmmDiskConfig */
  gboolean graphics;    /* virtio-gpu, keyboard and tablet */
  guint width, height;  /* first mode; 0 for 1280 x 800 */
  VmmSerialMode serial;
  int serial_fd;        /* borrowed: a terminal, pipe or socket; -1 */
  int serial_out_fd;    /* borrowed; -1: same as serial_fd */
  char *serial_path;
  gboolean debug_exit;  /* port 0xf4 */
  gboolean stop_on_reset; /* a reset ends the run instead of starting it anew */
} VmmConfig;

VmmConfig *vmm_config_new (void);
VmmConfig *vmm_config_copy (const VmmConfig *self);
void vmm_config_free (VmmConfig *self);
void vmm_config_add_disk (VmmConfig *self, const char *path, gboolean readonly);
/* Ranges and contradictions, in one sentence. Touches no file. */
gboolean vmm_config_check (const VmmConfig *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmConfig, vmm_config_free)

G_END_DECLS
