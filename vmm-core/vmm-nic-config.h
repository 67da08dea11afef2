/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmNicConfig: one network card of a VmmConfig, and the forwards that lead to it.
 *
 * Threads: any; one owner at a time.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VMM_MAX_NICS   16
#define VMM_MAC_LENGTH 6

/* A port of this computer that leads into the guest. */
typedef struct {
  gboolean udp;
  char *address; /* IPv4, of this computer; NULL: 127.0.0.1 */
  guint16 port;
  guint16 guest_port;
} VmmForward;

typedef enum {
  VMM_NIC_USER,   /* the user's own network */
  VMM_NIC_TAP,    /* a tap device of this computer */
  VMM_NIC_SWITCH, /* a private network of machines in this process */
} VmmNicMode;

typedef struct {
  VmmNicMode mode;
  gboolean hotplug; /* behind the next free port, so that it can be detached */
  gboolean has_mac; /* else it follows from the machine's UUID and the card's place */
  guint8 mac[VMM_MAC_LENGTH];
  char *network;       /* USER: "10.0.2.0/24"; NULL for that one */
  GPtrArray *forwards; /* USER: VmmForward */
  char *name;          /* TAP: of the device; SWITCH: of the network */
  gboolean vhost;      /* TAP: the kernel moves frames itself, where it may; TRUE at first */
  int tap_fd;          /* TAP: a descriptor in place of the name, borrowed; or -1 */
  char *capture;       /* file that frames are written to; or NULL */
} VmmNicConfig;

/* @address NULL: loopback. */
VmmForward *vmm_forward_new (gboolean udp, const char *address, guint16 port, guint16 guest_port);
VmmForward *vmm_forward_copy (const VmmForward *self);
void vmm_forward_free (VmmForward *self);
/* Whether both are the same port of this computer. */
gboolean vmm_forward_same_port (const VmmForward *a, const VmmForward *b);

VmmNicConfig *vmm_nic_config_new (VmmNicMode mode);
VmmNicConfig *vmm_nic_config_copy (const VmmNicConfig *self);
void vmm_nic_config_free (VmmNicConfig *self);
/* The address of card number @place of the machine with this UUID: always the same, and of no other
 * card. */
void vmm_nic_config_derive_mac (const guint8 uuid[16], guint place, guint8 mac[VMM_MAC_LENGTH]);
/* What is wrong, or NULL. */
const char *vmm_nic_config_find_fault (const VmmNicConfig *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmForward, vmm_forward_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmNicConfig, vmm_nic_config_free)

G_END_DECLS
