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

/* @extra may be NULL. @kvm: FALSE for emulation. */
char *vd_libvirt_make_xml (VdConfig *config,
                           const char *folder,
                           const char *extra,
                           gboolean kvm,
                           GError **error);

/* What the CD drive @drive (the first is 0) of @config's domain has to become; @path NULL: nothing.
 */
char *vd_libvirt_make_disc_xml (VdConfig *config, guint drive, const char *path);

G_END_DECLS
