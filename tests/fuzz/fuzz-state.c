/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Saved states from who knows where: loaded into each device, which must then still be able to run,
 * to be saved (and that state to be loaded), and to be reset. And what they say of ports.
 */
#include "fake-devices.h"
#include "x86/plugged.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
check_again (VmmDevice *device)
{
  g_autoptr (VmmState) state = vmm_state_new (), copy = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;

  vmm_device_drain (device);
  g_assert_true (vmm_device_save (device, state, &error));
  g_assert_no_error (error);
  bytes = vmm_state_to_bytes (state);
  copy = vmm_state_from_bytes (bytes, &error);
  g_assert_no_error (error);
  g_assert_true (vmm_device_load (device, copy, &error));
  g_assert_no_error (error);
}

static void
load_plugged (VmmState *state)
{
  g_autoptr (VmmPlugged) plugged = vmm_plugged_load (0, state, NULL);
  g_autoptr (VmmState) copy = vmm_state_new ();

  if (plugged)
    g_assert_true (vmm_plugged_save (plugged, 0, copy, NULL));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static FakeDevices *all;
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (VmmState) state = vmm_state_from_bytes (bytes, NULL);

  if (!all)
    all = fake_devices_new ();
  if (!state)
    return 0;
  load_plugged (state);
  for (guint i = 0; i < FAKE_N_DEVICES; i++) {
    vmm_device_drain (all->devices[i]);
    if (!vmm_device_load (all->devices[i], state, NULL))
      continue;
    vmm_device_resume (all->devices[i]);
    fake_guest_settle (all->guest);
    check_again (all->devices[i]);
  }
  fake_devices_reset (all);
  return 0;
}
