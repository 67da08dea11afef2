/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmBus: who answers, what an access that fits nobody becomes, and ranges that go away under
 * readers.
 */
#include "base/vmm-bus.h"
#include "vmm-error.h"

typedef struct {
  VmmDevice parent;
  guint n_reads;
  guint region;
  guint64 offset, value;
  guint size;
  VmmBus *bus;
  guint64 home;
} Probe;

static const VmmField no_fields[] = { VMM_FIELD_LAST };

static const VmmDeviceClass probe_class = {
  .name = "probe",
  .instance_size = sizeof (Probe),
  .version = 1,
  .fields = no_fields,
};

static guint64
probe_read (VmmDevice *device, guint region, guint64 offset, guint size)
{
  Probe *self = (Probe *) device;

  g_assert_true (vmm_device_is_locked (device));
  self->n_reads++;
  self->region = region;
  self->offset = offset;
  self->size = size;
  return G_GUINT64_CONSTANT (0x1122334455667788);
}

static void
probe_write (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value)
{
  Probe *self = (Probe *) device;

  self->region = region;
  self->offset = offset;
  self->size = size;
  self->value = value;
}

static const VmmBusOps probe_ops = { probe_read, probe_write };

static Probe *
probe_new (void)
{
  return (Probe *) vmm_device_new (&probe_class, NULL, "probe", NULL, NULL);
}

static void
test_access (void)
{
  g_autoptr (VmmBus) bus = vmm_bus_new ();
  Probe *probe = probe_new ();

  g_assert_true (vmm_bus_add (bus, 0x100, 8, &probe_ops, &probe->parent, 7, NULL));
  g_assert_cmphex (vmm_bus_read (bus, 0x104, 4), ==, 0x55667788);
  g_assert_cmpuint (probe->region, ==, 7);
  g_assert_cmpuint (probe->offset, ==, 4);
  g_assert_cmpuint (probe->size, ==, 4);
  g_assert_cmphex (vmm_bus_read (bus, 0x100, 8), ==, G_GUINT64_CONSTANT (0x1122334455667788));
  /* A handler sees no more than the access has. */
  vmm_bus_write (bus, 0x101, 1, 0xabcd);
  g_assert_cmphex (probe->value, ==, 0xcd);
  g_assert_cmpuint (probe->offset, ==, 1);
  vmm_device_free (&probe->parent);
}

static void
test_absent (void)
{
  g_autoptr (VmmBus) bus = vmm_bus_new ();

  g_assert_cmphex (vmm_bus_read (bus, 5, 1), ==, 0xff);
  g_assert_cmphex (vmm_bus_read (bus, 5, 2), ==, 0xffff);
  g_assert_cmphex (vmm_bus_read (bus, 5, 4), ==, 0xffffffff);
  g_assert_cmphex (vmm_bus_read (bus, G_MAXUINT64, 8), ==, G_MAXUINT64);
  vmm_bus_write (bus, G_MAXUINT64, 8, 1);
  vmm_bus_remove (bus, 5);
}

/* Half of the access is somebody's, the other half nobody's. */
static void
test_edge (void)
{
  g_autoptr (VmmBus) bus = vmm_bus_new ();
  Probe *probe = probe_new ();

  g_assert_true (vmm_bus_add (bus, 0x10, 2, &probe_ops, &probe->parent, 0, NULL));
  g_assert_cmphex (vmm_bus_read (bus, 0x10, 4), ==, 0xffff7788);
  g_assert_cmphex (vmm_bus_read (bus, 0x0f, 2), ==, 0x88ff);
  vmm_bus_write (bus, 0x0e, 4, 0xaabbccdd);
  g_assert_cmphex (probe->value, ==, 0xaabb);
  vmm_device_free (&probe->parent);
}

static void
test_overlap (void)
{
  static const struct {
    guint64 address, length;
  } bad[] = {
    { 0x100, 0x10 },  { 0x0f1, 0x10 }, { 0x10f, 1 },       { 0x0, 0x1000 },
    { 0x108, 0x100 }, { 0x300, 0 },    { G_MAXUINT64, 2 },
  };
  g_autoptr (VmmBus) bus = vmm_bus_new ();
  Probe *probe = probe_new ();

  g_assert_true (vmm_bus_add (bus, 0x100, 0x10, &probe_ops, &probe->parent, 0, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (
      vmm_bus_add (bus, bad[i].address, bad[i].length, &probe_ops, &probe->parent, 0, &error));
    g_assert_error (error, VMM_ERROR, VMM_ERROR_CONFIG);
  }
  g_assert_true (vmm_bus_add (bus, 0x0f0, 0x10, &probe_ops, &probe->parent, 1, NULL));
  g_assert_true (vmm_bus_add (bus, 0x110, 0x10, &probe_ops, &probe->parent, 2, NULL));
  g_assert_true (vmm_bus_add (bus, G_MAXUINT64, 1, &probe_ops, &probe->parent, 3, NULL));
  vmm_bus_read (bus, 0x11f, 1);
  g_assert_cmpuint (probe->region, ==, 2);
  vmm_bus_read (bus, G_MAXUINT64, 1);
  g_assert_cmpuint (probe->region, ==, 3);
  vmm_bus_remove (bus, 0x100);
  g_assert_cmphex (vmm_bus_read (bus, 0x100, 1), ==, 0xff);
  g_assert_true (vmm_bus_add (bus, 0x100, 0x10, &probe_ops, &probe->parent, 0, NULL));
  vmm_device_free (&probe->parent);
}

/* A device that moves itself from inside its handler, as a BAR does. */
static void
move_write (VmmDevice *device, guint region, guint64 offset, guint size, guint64 value)
{
  Probe *self = (Probe *) device;
  const VmmBusOps *ops = (const VmmBusOps *) self->value;

  vmm_bus_remove (self->bus, self->home);
  self->home = self->home == 0x1000 ? 0x2000 : 0x1000;
  g_assert_true (vmm_bus_add (self->bus, self->home, 0x10, ops, device, 0, NULL));
}

static const VmmBusOps move_ops = { probe_read, move_write };

static gpointer
keep_reading (gpointer data)
{
  Probe *self = data;
  guint64 value;

  for (guint i = 0; i < 20000; i++) {
    value = vmm_bus_read (self->bus, i % 2 ? 0x1000 : 0x2000, 4);
    g_assert_true (value == 0x55667788 || value == 0xffffffff);
  }
  return NULL;
}

static void
test_move (void)
{
  g_autoptr (VmmBus) bus = vmm_bus_new ();
  Probe *probe = probe_new ();
  GThread *reader;

  probe->bus = bus;
  probe->home = 0x1000;
  probe->value = (guint64) &move_ops;
  g_assert_true (vmm_bus_add (bus, 0x1000, 0x10, &move_ops, &probe->parent, 0, NULL));
  reader = g_thread_new ("reader", keep_reading, probe);
  for (guint i = 0; i < 5000; i++)
    vmm_bus_write (bus, i % 2 ? 0x2000 : 0x1000, 4, 1);
  g_thread_join (reader);
  g_assert_cmphex (probe->home, ==, 0x1000);
  g_assert_cmphex (vmm_bus_read (bus, 0x1000, 4), ==, 0x55667788);
  g_assert_cmphex (vmm_bus_read (bus, 0x2000, 4), ==, 0xffffffff);
  vmm_device_free (&probe->parent);
}

/* After remove nothing reaches the device, however many readers are at the door. */
static void
test_remove (void)
{
  g_autoptr (VmmBus) bus = vmm_bus_new ();
  Probe *probe = probe_new ();
  GThread *reader;
  guint n;

  probe->bus = bus;
  g_assert_true (vmm_bus_add (bus, 0x1000, 0x10, &probe_ops, &probe->parent, 0, NULL));
  reader = g_thread_new ("reader", keep_reading, probe);
  vmm_bus_remove (bus, 0x1000);
  vmm_device_lock (&probe->parent);
  n = probe->n_reads;
  vmm_device_unlock (&probe->parent);
  g_thread_join (reader);
  g_assert_cmpuint (probe->n_reads, ==, n);
  vmm_device_free (&probe->parent);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bus/access", test_access);
  g_test_add_func ("/bus/absent", test_absent);
  g_test_add_func ("/bus/edge", test_edge);
  g_test_add_func ("/bus/overlap", test_overlap);
  g_test_add_func ("/bus/move", test_move);
  g_test_add_func ("/bus/remove", test_remove);
  return g_test_run ();
}
