/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a saved machine says of its ports: there and back, and what is not taken.
 */
#include <string.h>

#include "vmm-error.h"
#include "x86/plugged.h"

static const guint8 mac[VMM_MAC_LENGTH] = { 2, 3, 4, 5, 6, 7 };

static VmmState *
again (VmmState *state)
{
  g_autoptr (GBytes) bytes = vmm_state_to_bytes (state);
  g_autoptr (GError) error = NULL;
  VmmState *other = vmm_state_from_bytes (bytes, &error);

  g_assert_no_error (error);
  return other;
}

static VmmPlugged *
save_and_load (const VmmPlugged *plugged, GError **error)
{
  g_autoptr (VmmState) state = vmm_state_new (), other = NULL;

  g_assert_true (vmm_plugged_save (plugged, 1, state, NULL));
  other = again (state);
  g_assert_null (vmm_plugged_load (0, other, NULL));
  return vmm_plugged_load (1, other, error);
}

static void
test_disk (void)
{
  const VmmDiskConfig disk = {
    .path = (char *) "some/disk", .format = VMM_DISK_QCOW2, .readonly = TRUE, .discard = TRUE
  };
  g_autofree char *whole = g_canonicalize_filename (disk.path, NULL);
  g_autoptr (VmmPlugged) plugged = vmm_plugged_new_disk (3, 7, &disk);
  g_autoptr (VmmPlugged) other = save_and_load (plugged, NULL);
  g_autofree char *id = vmm_plugged_get_id (other);

  g_assert_cmpuint (other->port, ==, 3);
  g_assert_cmpstr (id, ==, "disk7");
  g_assert_null (other->nic);
  g_assert_cmpstr (other->disk->path, ==, whole);
  g_assert_cmpint (other->disk->format, ==, VMM_DISK_QCOW2);
  g_assert_cmpint (other->disk->bus, ==, VMM_DISK_VIRTIO);
  g_assert_true (other->disk->readonly && other->disk->discard && !other->disk->direct);
}

static void
test_nic (void)
{
  g_autoptr (VmmNicConfig) nic = vmm_nic_config_new (VMM_NIC_USER);
  g_autoptr (VmmPlugged) plugged = NULL, other = NULL;
  g_autofree char *id = NULL;
  const VmmForward *forward;

  nic->has_mac = TRUE;
  memcpy (nic->mac, mac, sizeof mac);
  nic->network = g_strdup ("10.1.0.0/24");
  nic->capture = g_strdup ("/tmp/capture");
  g_ptr_array_add (nic->forwards, vmm_forward_new (FALSE, NULL, 8080, 80));
  g_ptr_array_add (nic->forwards, vmm_forward_new (TRUE, "0.0.0.0", 53, 5353));
  plugged = vmm_plugged_new_nic (0, 1, nic);
  other = save_and_load (plugged, NULL);
  id = vmm_plugged_get_id (other);
  g_assert_cmpstr (id, ==, "net1");
  g_assert_null (other->disk);
  g_assert_cmpint (other->nic->mode, ==, VMM_NIC_USER);
  g_assert_cmpmem (other->nic->mac, sizeof mac, mac, sizeof mac);
  g_assert_cmpstr (other->nic->network, ==, "10.1.0.0/24");
  g_assert_cmpstr (other->nic->capture, ==, "/tmp/capture");
  g_assert_null (other->nic->name);
  g_assert_cmpint (other->nic->tap_fd, ==, -1);
  g_assert_cmpuint (other->nic->forwards->len, ==, 2);
  forward = g_ptr_array_index (other->nic->forwards, 0);
  g_assert_true (!forward->udp && !forward->address && forward->port == 8080);
  forward = g_ptr_array_index (other->nic->forwards, 1);
  g_assert_true (forward->udp && forward->guest_port == 5353);
  g_assert_cmpstr (forward->address, ==, "0.0.0.0");
}

static void
check_refused (const VmmPlugged *plugged)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (save_and_load (plugged, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_SNAPSHOT);
}

/* What no machine can have been made of. */
static void
test_refused (void)
{
  const VmmDiskConfig disk = { .path = (char *) "disk", .format = 99 };
  g_autoptr (VmmPlugged) wrong_format = vmm_plugged_new_disk (0, 0, &disk);
  g_autoptr (VmmNicConfig) nic = vmm_nic_config_new (VMM_NIC_TAP);
  g_autoptr (VmmPlugged) nameless = vmm_plugged_new_nic (0, 0, nic);
  g_autoptr (VmmPlugged) wrong_mode = vmm_plugged_new_nic (0, 0, nic);

  check_refused (wrong_format);
  check_refused (nameless);
  wrong_mode->nic->name = g_strdup ("tap0");
  wrong_mode->nic->mode = 99;
  check_refused (wrong_mode);
}

/* More forwards than anybody wants are not waited for. */
static void
test_many (void)
{
  g_autoptr (VmmNicConfig) nic = vmm_nic_config_new (VMM_NIC_USER);
  g_autoptr (VmmPlugged) plugged = NULL;

  for (guint i = 0; i < 2000; i++)
    g_ptr_array_add (nic->forwards, vmm_forward_new (FALSE, NULL, 1 + i, 1));
  plugged = vmm_plugged_new_nic (0, 0, nic);
  check_refused (plugged);
}

/* Each byte changed: refused, or something that a machine may have. */
static void
test_broken (void)
{
  const VmmDiskConfig disk = { .path = (char *) "/disk" };
  g_autoptr (VmmPlugged) plugged = vmm_plugged_new_disk (0, 0, &disk);
  g_autoptr (VmmState) state = vmm_state_new ();
  g_autoptr (GBytes) bytes = NULL;
  gsize size;

  g_assert_true (vmm_plugged_save (plugged, 0, state, NULL));
  bytes = vmm_state_to_bytes (state);
  size = g_bytes_get_size (bytes);
  for (gsize at = 0; at < size; at++) {
    guint8 *copy = g_memdup2 (g_bytes_get_data (bytes, NULL), size);
    g_autoptr (GBytes) changed = g_bytes_new_take (copy, size);
    g_autoptr (VmmState) other = NULL;
    g_autoptr (VmmPlugged) loaded = NULL;

    copy[at] ^= 0xff;
    other = vmm_state_from_bytes (changed, NULL);
    loaded = other ? vmm_plugged_load (0, other, NULL) : NULL;
    g_assert_true (!loaded || (loaded->disk && loaded->disk->path) || loaded->nic);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plugged/disk", test_disk);
  g_test_add_func ("/plugged/nic", test_nic);
  g_test_add_func ("/plugged/refused", test_refused);
  g_test_add_func ("/plugged/many", test_many);
  g_test_add_func ("/plugged/broken", test_broken);
  return g_test_run ();
}
