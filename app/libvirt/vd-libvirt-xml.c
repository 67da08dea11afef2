/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The domain XML of a VdConfig.
 *
 * Threads: any, on a frozen config.
 */
#include "libvirt/vd-libvirt-xml.h"
#include "library/vd-config-private.h"
#include "library/vd-own-machine.h"
#include "vd-error.h"

#include <glib/gi18n-lib.h>
#include <libvirt-gconfig/libvirt-gconfig.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

#include "vmm.h"

/* The library defines none of these. */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GVirConfigDomainOs, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GVirConfigDomainClock, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GVirConfigDomainCpu, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GVirConfigDomainDisk, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GVirConfigDomainDiskDriver, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GVirConfigDomainChardevSourceSpiceVmc, g_object_unref)

typedef struct {
  VdConfig *config;
  const char *folder;
  gboolean kvm;
  GVirConfigDomain *domain;
  guint n_virtio, n_sata; /* disks so far */
} Builder;

static void
add_device (Builder *self, gpointer device)
{
  gvir_config_domain_add_device (self->domain, device);
  g_object_unref (device);
}

static void
set_os (Builder *self)
{
  g_autoptr (GVirConfigDomainOs) os = gvir_config_domain_os_new ();
  VdBoot boot = vd_config_get_boot (self->config);
  GList devices[2] = {
    { GINT_TO_POINTER (GVIR_CONFIG_DOMAIN_OS_BOOT_DEVICE_HD), &devices[1], NULL },
    { GINT_TO_POINTER (GVIR_CONFIG_DOMAIN_OS_BOOT_DEVICE_CDROM), NULL, &devices[0] }
  };

  gvir_config_domain_os_set_os_type (os, GVIR_CONFIG_DOMAIN_OS_TYPE_HVM);
  gvir_config_domain_os_set_arch (os, "x86_64");
  gvir_config_domain_os_set_machine (os, "q35");
  if (boot == VD_BOOT_UEFI)
    gvir_config_domain_os_set_firmware (os, GVIR_CONFIG_DOMAIN_OS_FIRMWARE_EFI);
  if (boot == VD_BOOT_KERNEL) {
    gvir_config_domain_os_set_kernel (os, vd_config_get_kernel (self->config));
    if (vd_config_get_initrd (self->config) != NULL)
      gvir_config_domain_os_set_ramdisk (os, vd_config_get_initrd (self->config));
    if (vd_config_get_append (self->config) != NULL)
      gvir_config_domain_os_set_cmdline (os, vd_config_get_append (self->config));
  } else {
    /* A disk that is empty yet lets the CD-ROM have its turn. */
    gvir_config_domain_os_set_boot_devices (os, devices);
  }
  gvir_config_domain_set_os (self->domain, os);
}

static void
set_processor (Builder *self)
{
  g_autoptr (GVirConfigDomainClock) clock = gvir_config_domain_clock_new ();
  g_autoptr (GVirConfigDomainCpu) cpu = gvir_config_domain_cpu_new ();
  char *features[] = { (char *) "acpi", (char *) "apic", NULL };

  gvir_config_domain_set_virt_type (self->domain, self->kvm ? GVIR_CONFIG_DOMAIN_VIRT_KVM
                                                            : GVIR_CONFIG_DOMAIN_VIRT_QEMU);
  gvir_config_domain_set_memory (self->domain, vd_config_get_memory (self->config) / 1024);
  gvir_config_domain_set_vcpus (self->domain, vd_config_get_cpus (self->config));
  gvir_config_domain_set_features (self->domain, features);
  gvir_config_domain_clock_set_offset (clock, GVIR_CONFIG_DOMAIN_CLOCK_UTC);
  gvir_config_domain_set_clock (self->domain, clock);
  if (self->kvm) {
    gvir_config_domain_cpu_set_mode (cpu, GVIR_CONFIG_DOMAIN_CPU_MODE_HOST_PASSTHROUGH);
    gvir_config_domain_set_cpu (self->domain, cpu);
  }
}

static void
set_lifecycle (Builder *self)
{
  gvir_config_domain_set_lifecycle (self->domain, GVIR_CONFIG_DOMAIN_LIFECYCLE_ON_POWEROFF,
                                    GVIR_CONFIG_DOMAIN_LIFECYCLE_DESTROY);
  gvir_config_domain_set_lifecycle (self->domain, GVIR_CONFIG_DOMAIN_LIFECYCLE_ON_REBOOT,
                                    GVIR_CONFIG_DOMAIN_LIFECYCLE_RESTART);
  gvir_config_domain_set_lifecycle (self->domain, GVIR_CONFIG_DOMAIN_LIFECYCLE_ON_CRASH,
                                    GVIR_CONFIG_DOMAIN_LIFECYCLE_DESTROY);
}

/* What is in a drive, or nothing. */
static void
set_source (GVirConfigDomainDisk *disk, const char *path)
{
  gvir_config_domain_disk_set_type (disk, path != NULL && g_str_has_prefix (path, "/dev/")
                                            ? GVIR_CONFIG_DOMAIN_DISK_BLOCK
                                            : GVIR_CONFIG_DOMAIN_DISK_FILE);
  if (path != NULL)
    gvir_config_domain_disk_set_source (disk, path);
}

static void
add_disk (Builder *self, VdDiskConfig *config)
{
  gboolean cdrom = vd_disk_config_get_cdrom (config);
  gboolean sata = vd_disk_config_get_bus (config) == VD_DISK_SATA;
  gboolean qcow2 = vd_disk_config_get_format (config) == VD_DISK_QCOW2;
  GVirConfigDomainDisk *disk = gvir_config_domain_disk_new ();
  g_autoptr (GVirConfigDomainDiskDriver) driver = gvir_config_domain_disk_driver_new ();
  guint number = sata ? self->n_sata++ : self->n_virtio++;
  g_autofree char *target = g_strdup_printf ("%s%c", sata ? "sd" : "vd", 'a' + number);

  set_source (disk, vd_disk_config_get_path (config));
  gvir_config_domain_disk_set_guest_device_type (disk,
                                                 cdrom ? GVIR_CONFIG_DOMAIN_DISK_GUEST_DEVICE_CDROM
                                                       : GVIR_CONFIG_DOMAIN_DISK_GUEST_DEVICE_DISK);
  gvir_config_domain_disk_driver_set_name (driver, "qemu");
  gvir_config_domain_disk_driver_set_format (driver, qcow2 ? GVIR_CONFIG_DOMAIN_DISK_FORMAT_QCOW2
                                                           : GVIR_CONFIG_DOMAIN_DISK_FORMAT_RAW);
  gvir_config_domain_disk_driver_set_discard (driver, GVIR_CONFIG_DOMAIN_DISK_DRIVER_DISCARD_UNMAP);
  gvir_config_domain_disk_set_driver (disk, driver);
  gvir_config_domain_disk_set_target_bus (disk, sata ? GVIR_CONFIG_DOMAIN_DISK_BUS_SATA
                                                     : GVIR_CONFIG_DOMAIN_DISK_BUS_VIRTIO);
  gvir_config_domain_disk_set_target_dev (disk, target);
  if (cdrom || vd_disk_config_get_readonly (config))
    gvir_config_domain_disk_set_readonly (disk, TRUE);
  add_device (self, disk);
}

static void
add_disks (Builder *self)
{
  GListModel *disks = vd_config_get_disks (self->config);

  for (guint i = 0; i < g_list_model_get_n_items (disks); i++) {
    g_autoptr (VdDiskConfig) disk = g_list_model_get_item (disks, i);

    add_disk (self, disk);
  }
}

/* The same address on either engine, at each start. */
static void
add_network (Builder *self)
{
  GVirConfigDomainInterfaceUser *interface = gvir_config_domain_interface_user_new ();
  guint8 uuid[16] = { 0 }, mac[VMM_MAC_LENGTH];
  g_autofree char *text = NULL;

  vd_config_get_uuid_bytes (self->config, uuid);
  vmm_nic_config_derive_mac (uuid, 0, mac);
  text = g_strdup_printf ("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                          mac[5]);
  gvir_config_domain_interface_set_mac (GVIR_CONFIG_DOMAIN_INTERFACE (interface), text);
  gvir_config_domain_interface_set_model (GVIR_CONFIG_DOMAIN_INTERFACE (interface), "virtio");
  add_device (self, interface);
}

/* Lets the guest's agent share the clipboard and follow the window's size. */
static void
add_agent_channel (Builder *self)
{
  GVirConfigDomainChannel *channel = gvir_config_domain_channel_new ();
  g_autoptr (GVirConfigDomainChardevSourceSpiceVmc) source =
    gvir_config_domain_chardev_source_spicevmc_new ();

  gvir_config_domain_channel_set_target_type (channel, GVIR_CONFIG_DOMAIN_CHANNEL_TARGET_VIRTIO);
  gvir_config_domain_channel_set_target_name (channel, "com.redhat.spice.0");
  gvir_config_domain_chardev_set_source (GVIR_CONFIG_DOMAIN_CHARDEV (channel),
                                         GVIR_CONFIG_DOMAIN_CHARDEV_SOURCE (source));
  add_device (self, channel);
}

static void
add_screen (Builder *self)
{
  GVirConfigDomainVideo *video = gvir_config_domain_video_new ();
  GVirConfigDomainGraphicsSpice *graphics = gvir_config_domain_graphics_spice_new ();

  gvir_config_domain_video_set_model (video, GVIR_CONFIG_DOMAIN_VIDEO_MODEL_VIRTIO);
  add_device (self, video);
  gvir_config_domain_graphics_spice_set_image_compression (
    graphics, GVIR_CONFIG_DOMAIN_GRAPHICS_SPICE_IMAGE_COMPRESSION_OFF);
  add_device (self, graphics);
  add_agent_channel (self);
}

/* The name is the identifier: names of people may have what libvirt does not allow. */
static char *
build (Builder *self)
{
  self->domain = gvir_config_domain_new ();
  gvir_config_domain_set_name (self->domain, vd_config_get_uuid (self->config));
  gvir_config_domain_set_uuid (self->domain, vd_config_get_uuid (self->config));
  gvir_config_domain_set_title (self->domain, vd_config_get_name (self->config));
  set_os (self);
  set_processor (self);
  set_lifecycle (self);
  add_disks (self);
  if (vd_config_get_network (self->config))
    add_network (self);
  if (vd_config_get_graphics (self->config))
    add_screen (self);
  return gvir_config_object_to_xml (GVIR_CONFIG_OBJECT (self->domain));
}

static xmlNode *
find_child (xmlNode *parent, const char *name)
{
  for (xmlNode *node = parent->children; node != NULL; node = node->next)
    if (node->type == XML_ELEMENT_NODE && strcmp ((const char *) node->name, name) == 0)
      return node;
  return NULL;
}

static xmlNode *
add_child (xmlNode *parent, const char *name, const char *text)
{
  return xmlNewTextChild (parent, NULL, BAD_CAST name, BAD_CAST text);
}

static void
set_attribute (xmlNode *node, const char *name, const char *value)
{
  xmlNewProp (node, BAD_CAST name, BAD_CAST value);
}

static void
add_input (xmlNode *devices, const char *type, const char *bus)
{
  xmlNode *node = add_child (devices, "input", NULL);

  set_attribute (node, "type", type);
  set_attribute (node, "bus", bus);
}

/* A kernel that is booted directly may have no USB; what boots by itself may have no virtio, but
 * has the PC's own keyboard. */
static void
add_inputs (VdBoot boot, xmlNode *devices)
{
  add_input (devices, "tablet", boot == VD_BOOT_KERNEL ? "virtio" : "usb");
  if (boot == VD_BOOT_KERNEL)
    add_input (devices, "keyboard", "virtio");
}

/* What gconfig has no words for. */
static void
add_rest (Builder *self, xmlNode *domain)
{
  xmlNode *devices = find_child (domain, "devices");
  xmlNode *os = find_child (domain, "os");
  xmlNode *node;

  for (node = devices->children; node != NULL; node = node->next) {
    /* An image must not name another file of this computer as its base. */
    if (strcmp ((const char *) node->name, "disk") == 0)
      add_child (node, "backingStore", NULL);
    /* No port, no socket with a name: connections come from virDomainOpenGraphicsFD. */
    if (strcmp ((const char *) node->name, "graphics") == 0)
      set_attribute (add_child (node, "listen", NULL), "type", "none");
  }
  if (vd_config_get_graphics (self->config))
    add_inputs (vd_config_get_boot (self->config), devices);
  else
    set_attribute (add_child (add_child (devices, "video", NULL), "model", NULL), "type", "none");

  node = add_child (devices, "rng", NULL);
  set_attribute (node, "model", "virtio");
  set_attribute (add_child (node, "backend", "/dev/urandom"), "model", "random");
  set_attribute (add_child (devices, "panic", NULL), "model", "isa");
  if (vd_config_get_boot (self->config) == VD_BOOT_UEFI) {
    g_autofree char *variables = g_build_filename (self->folder, VD_NVRAM_FILE, NULL);

    add_child (os, "nvram", variables);
  }
}

static xmlDoc *
parse (const char *xml, gsize length)
{
  return xmlReadMemory (xml, length, "domain.xml", NULL,
                        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                          XML_PARSE_NOBLANKS);
}

static void
copy_children (xmlNode *from, xmlNode *to)
{
  for (xmlNode *node = from->children; node != NULL; node = node->next)
    if (node->type == XML_ELEMENT_NODE && strcmp ((const char *) node->name, "devices") != 0)
      xmlAddChild (to, xmlDocCopyNode (node, to->doc, 1));
}

/* NULL with error when it is no domain. Entities have no place in it. */
static xmlDoc *
parse_extra (const char *extra, GError **error)
{
  xmlDoc *doc = parse (extra, strlen (extra));
  xmlNode *root = doc != NULL ? xmlDocGetRootElement (doc) : NULL;

  if (root != NULL && strcmp ((const char *) root->name, "domain") == 0 &&
      xmlGetIntSubset (doc) == NULL)
    return doc;
  xmlFreeDoc (doc);
  g_set_error_literal (error, VD_ERROR, VD_ERROR_BROKEN,
                       _("The file extra.xml in the machine’s folder is not a libvirt domain."));
  return NULL;
}

static void
add_extra (xmlNode *domain, xmlNode *extra)
{
  xmlNode *devices = find_child (extra, "devices");

  copy_children (extra, domain);
  if (devices != NULL)
    copy_children (devices, find_child (domain, "devices"));
}

static gboolean
wants_emulation (xmlDoc *extra)
{
  xmlChar *type = xmlGetProp (xmlDocGetRootElement (extra), BAD_CAST "type");
  gboolean wants = type != NULL && strcmp ((const char *) type, "qemu") == 0;

  xmlFree (type);
  return wants;
}

static char *
dump (xmlDoc *doc)
{
  xmlChar *data;
  char *xml;
  int length;

  xmlDocDumpMemory (doc, &data, &length);
  xml = g_strndup ((const char *) data, length);
  xmlFree (data);
  return xml;
}

static char *
make_xml (Builder *self, xmlDoc *extra, GError **error)
{
  g_autofree char *base = build (self);
  xmlDoc *doc = parse (base, strlen (base));
  char *xml;

  g_object_unref (self->domain);
  if (doc == NULL) { /* XML has no U+FFFE, for one */
    g_set_error_literal (error, VD_ERROR, VD_ERROR_INVALID,
                         _("The machine’s name or the name of a file of it has a character that "
                           "QEMU cannot be told; choose another name."));
    return NULL;
  }
  add_rest (self, xmlDocGetRootElement (doc));
  if (extra != NULL)
    add_extra (xmlDocGetRootElement (doc), xmlDocGetRootElement (extra));
  xml = dump (doc);
  xmlFreeDoc (doc);
  return xml;
}

char *
vd_libvirt_make_xml (VdConfig *config,
                     const char *folder,
                     const char *extra,
                     gboolean kvm,
                     GError **error)
{
  Builder builder = { .config = config, .folder = folder, .kvm = kvm };
  xmlDoc *doc = NULL;
  char *xml;

  if (extra != NULL && (doc = parse_extra (extra, error)) == NULL)
    return NULL;
  if (doc != NULL && wants_emulation (doc))
    builder.kvm = FALSE;
  xml = make_xml (&builder, doc, error);
  xmlFreeDoc (doc);
  return xml;
}

/* The drive's place among all that is on SATA, as add_disk gave them out. */
static guint
find_sata (VdConfig *config, guint drive)
{
  GListModel *disks = vd_config_get_disks (config);
  guint n_sata = 0;

  for (guint i = 0; i < g_list_model_get_n_items (disks); i++) {
    g_autoptr (VdDiskConfig) disk = g_list_model_get_item (disks, i);

    if (vd_disk_config_get_cdrom (disk) && drive-- == 0)
      break;
    n_sata += vd_disk_config_get_bus (disk) == VD_DISK_SATA;
  }
  return n_sata;
}

char *
vd_libvirt_make_disc_xml (VdConfig *config, guint drive, const char *path)
{
  g_autoptr (GVirConfigDomainDisk) disk = gvir_config_domain_disk_new ();
  g_autofree char *target = g_strdup_printf ("sd%c", 'a' + find_sata (config, drive));

  set_source (disk, path);
  gvir_config_domain_disk_set_guest_device_type (disk, GVIR_CONFIG_DOMAIN_DISK_GUEST_DEVICE_CDROM);
  gvir_config_domain_disk_set_target_bus (disk, GVIR_CONFIG_DOMAIN_DISK_BUS_SATA);
  gvir_config_domain_disk_set_target_dev (disk, target);
  gvir_config_domain_disk_set_readonly (disk, TRUE);
  return gvir_config_object_to_xml (GVIR_CONFIG_OBJECT (disk));
}
