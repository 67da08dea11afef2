/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The domain XML: what a configuration becomes, and that what we do not know stays.
 */
#include "app-test.h"
#include "libvirt/vd-libvirt-xml.h"

#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <string.h>

#define MAC "8e:e5:66:9e:85:51" /* of the first card of the machine below: from SHA-256 */

/* What the XPath expression says of @xml, as text. */
static char *
ask (const char *xml, const char *expression)
{
  xmlDoc *doc = xmlReadMemory (xml, strlen (xml), "x", NULL, 0);
  xmlXPathContext *context = xmlXPathNewContext (doc);
  g_autofree char *question = g_strdup_printf ("string(%s)", expression);
  xmlXPathObject *answer = xmlXPathEvalExpression (BAD_CAST question, context);
  char *text;

  g_assert_nonnull (answer);
  text = g_strdup ((const char *) answer->stringval);
  xmlXPathFreeObject (answer);
  xmlXPathFreeContext (context);
  xmlFreeDoc (doc);
  return text;
}

#define assert_xml(xml, expression, expected)                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *found_ = ask (xml, expression);                                               \
                                                                                                   \
    g_assert_cmpstr (found_, ==, expected);                                                        \
  }                                                                                                \
  G_STMT_END

static char *
make (VdConfig *config, const char *extra, gboolean kvm)
{
  g_autoptr (GError) error = NULL;
  char *xml = vd_libvirt_make_xml (config, "/folder", extra, kvm, &error);

  g_assert_no_error (error);
  return xml;
}

static void
test_kernel (void)
{
  g_autoptr (VdConfig) config = app_test_make_config ("A <name> & \"more\"", VD_ENGINE_LIBVIRT);
  g_autofree char *xml = NULL;

  g_object_set (config, "append", "a=\"<b>\" & c", "initrd", "/in<it>", "memory",
                (guint64) 512 << 20, "cpus", 3, NULL);
  xml = make (config, NULL, TRUE);
  assert_xml (xml, "/domain/@type", "kvm");
  assert_xml (xml, "/domain/name", vd_config_get_uuid (config));
  assert_xml (xml, "/domain/title", "A <name> & \"more\"");
  assert_xml (xml, "/domain/memory", "524288");
  assert_xml (xml, "/domain/vcpu", "3");
  assert_xml (xml, "/domain/os/kernel", "/kernel");
  assert_xml (xml, "/domain/os/initrd", "/in<it>");
  assert_xml (xml, "/domain/os/cmdline", "a=\"<b>\" & c");
  assert_xml (xml, "/domain/cpu/@mode", "host-passthrough");
  assert_xml (xml, "count(/domain/devices/interface)", "0");
  assert_xml (xml, "/domain/devices/graphics/listen/@type", "none");
  assert_xml (xml, "count(/domain/devices/graphics)", "1");
  assert_xml (xml, "/domain/devices/input[@type='tablet']/@bus", "virtio");
}

static void
test_emulated (void)
{
  g_autoptr (VdConfig) config = app_test_make_config ("x", VD_ENGINE_LIBVIRT);
  g_autofree char *xml = NULL;

  g_object_set (config, "graphics", FALSE, "network", TRUE, NULL);
  xml = make (config, NULL, FALSE);
  assert_xml (xml, "/domain/@type", "qemu");
  assert_xml (xml, "count(/domain/cpu)", "0");
  assert_xml (xml, "count(/domain/devices/graphics)", "0");
  assert_xml (xml, "/domain/devices/video/model/@type", "none");
  assert_xml (xml, "/domain/devices/interface/@type", "user");
}

static void
test_disks (void)
{
  g_autoptr (VdConfig) config = app_test_make_config ("x", VD_ENGINE_LIBVIRT);
  g_autoptr (VdDiskConfig) iso = vd_disk_config_new ("/a b.iso", VD_DISK_RAW);
  g_autoptr (VdDiskConfig) qcow2 = vd_disk_config_new ("/b.qcow2", VD_DISK_QCOW2);
  g_autoptr (VdDiskConfig) raw = vd_disk_config_new ("/c.raw", VD_DISK_RAW);
  g_autofree char *xml = NULL;

  g_object_set (config, "boot", VD_BOOT_UEFI, NULL);
  g_object_set (iso, "cdrom", TRUE, NULL);
  g_object_set (raw, "readonly", TRUE, NULL);
  vd_config_add_disk (config, iso);
  vd_config_add_disk (config, qcow2);
  vd_config_add_disk (config, raw);
  xml = make (config, NULL, FALSE);
  assert_xml (xml, "/domain/os/@firmware", "efi");
  assert_xml (xml, "/domain/os/nvram", "/folder/uefi-variables.fd");
  assert_xml (xml, "/domain/os/boot[1]/@dev", "hd");
  assert_xml (xml, "/domain/os/boot[2]/@dev", "cdrom");
  assert_xml (xml, "count(/domain/os/kernel)", "0");
  assert_xml (xml, "//disk[1]/@device", "cdrom");
  assert_xml (xml, "//disk[1]/source/@file", "/a b.iso");
  assert_xml (xml, "count(//disk[1]/readonly)", "1");
  assert_xml (xml, "//disk[2]/driver/@type", "qcow2");
  assert_xml (xml, "count(//disk[2]/readonly)", "0");
  assert_xml (xml, "//disk[3]/driver/@type", "raw");
  assert_xml (xml, "count(//disk[3]/readonly)", "1");
  assert_xml (xml, "//disk[3]/target/@dev", "vdb");
  /* No image can name a file of this computer as its base. */
  assert_xml (xml, "count(//disk/backingStore[not(node()) and not(@*)])", "3");
}

/* The same card at each start, and on the other engine. */
static void
test_network (void)
{
  g_autoptr (VdConfig) config = app_test_make_config ("x", VD_ENGINE_LIBVIRT);
  g_autofree char *xml = NULL;

  g_object_set (config, "network", TRUE, "uuid", "01234567-89ab-4cde-8f01-23456789abcd", NULL);
  xml = make (config, NULL, FALSE);
  assert_xml (xml, "/domain/devices/interface/mac/@address", MAC);
}

static void
test_drives (void)
{
  g_autoptr (VdConfig) config = app_test_make_config ("x", VD_ENGINE_LIBVIRT);
  g_autoptr (VdDiskConfig) disk = vd_disk_config_new ("/a.raw", VD_DISK_RAW);
  g_autoptr (VdDiskConfig) drive = vd_disk_config_new (NULL, VD_DISK_RAW);
  g_autoptr (VdDiskConfig) other = vd_disk_config_new ("/b.iso", VD_DISK_RAW);
  g_autofree char *xml = NULL, *change = NULL, *eject = NULL;

  g_object_set (disk, "bus", VD_DISK_SATA, NULL);
  g_object_set (drive, "cdrom", TRUE, NULL);
  g_object_set (other, "cdrom", TRUE, NULL);
  vd_config_add_disk (config, drive);
  vd_config_add_disk (config, disk);
  vd_config_add_disk (config, other);
  xml = make (config, NULL, FALSE);
  assert_xml (xml, "count(//disk[1]/source)", "0");
  assert_xml (xml, "//disk[1]/target/@dev", "sda");
  assert_xml (xml, "//disk[2]/target/@dev", "sdb");
  assert_xml (xml, "//disk[2]/target/@bus", "sata");
  assert_xml (xml, "//disk[3]/target/@dev", "sdc");
  change = vd_libvirt_make_disc_xml (config, 1, "/c <&>.iso");
  assert_xml (change, "/disk/target/@dev", "sdc");
  assert_xml (change, "/disk/source/@file", "/c <&>.iso");
  eject = vd_libvirt_make_disc_xml (config, 0, NULL);
  assert_xml (eject, "/disk/target/@dev", "sda");
  assert_xml (eject, "count(/disk/source)", "0");
}

static void
test_extra (void)
{
  g_autoptr (VdConfig) config = app_test_make_config ("x", VD_ENGINE_LIBVIRT);
  g_autofree char *plain = make (config, NULL, FALSE);
  g_autofree char *xml = NULL;
  const char *extra = "<domain type='qemu' xmlns:q='urn:q'><description>A &amp; B</description>"
                      "<devices><watchdog model='itco' action='reset'/><shmem name='x'><size "
                      "unit='M'>4</size></shmem>"
                      "</devices><q:odd thing='1'/></domain>";

  xml = make (config, extra, TRUE);
  assert_xml (xml, "/domain/@type", "qemu");
  assert_xml (xml, "count(/domain/cpu)", "0");
  assert_xml (xml, "/domain/description", "A & B");
  assert_xml (xml, "/domain/devices/watchdog/@model", "itco");
  assert_xml (xml, "/domain/devices/shmem/size/@unit", "M");
  assert_xml (xml, "/domain/*[namespace-uri()='urn:q']/@thing", "1");
  assert_xml (xml, "count(/domain/devices)", "1");
  assert_xml (xml, "/domain/os/kernel", "/kernel");
  g_assert_cmpuint (strlen (xml), >, strlen (plain));
}

static void
test_extra_refused (void)
{
  static const char *const files[] = {
    "",
    "junk",
    "<domain>",
    "<network/>",
    "<!DOCTYPE domain [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><domain>&a;</domain>",
    "<!DOCTYPE domain [<!ENTITY a 'b'>]><domain/>",
  };
  g_autoptr (VdConfig) config = app_test_make_config ("x", VD_ENGINE_LIBVIRT);

  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (vd_libvirt_make_xml (config, "/folder", files[i], TRUE, &error));
    g_assert_error (error, VD_ERROR, VD_ERROR_BROKEN);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/libvirt-xml/kernel", test_kernel);
  g_test_add_func ("/libvirt-xml/emulated", test_emulated);
  g_test_add_func ("/libvirt-xml/disks", test_disks);
  g_test_add_func ("/libvirt-xml/network", test_network);
  g_test_add_func ("/libvirt-xml/drives", test_drives);
  g_test_add_func ("/libvirt-xml/extra", test_extra);
  g_test_add_func ("/libvirt-xml/extra-refused", test_extra_refused);
  return g_test_run ();
}
