/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The domain XML of a VdConfig, by libvirt-gconfig, and by libxml2 where that has no
 * word for an element. What we do not know lies in extra.xml beside machine.ini: a
 * <domain> whose children, and those of its <devices>, are put in as they are; with
 * type="qemu" it asks for emulation even where there is KVM.
 *
 * Threads: any, on a frozen config.
 */
#pragma once

#include "vd-config.h"

G_BEGIN_DECLS

#define VD_EXTRA_FILE "extra.xml"

/* @extra may be NULL. @kvm: FALSE for emulation. */
char *vd_libvirt_make_xml (VdConfig *config,
                           const char *folder,
                           const char *extra,
                           gboolean kvm,
                           GError **error);

G_END_DECLS
