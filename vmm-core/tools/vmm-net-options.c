/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See vmm-net-options.h.
 *
 * Threads: any.
 */
#include "tools/vmm-net-options.h"

#include <string.h>

#include "tools/vmm-option-list.h"
#include "vmm-error.h"

static gboolean
fail (GError **error, const char *rule, const char *word)
{
  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG, "%s, not “%s”.", rule, word);
  return FALSE;
}

static gboolean
parse_port (const char *word, guint16 *port)
{
  guint64 number;

  if (!g_ascii_string_to_unsigned (word, 10, 1, G_MAXUINT16, &number, NULL))
    return FALSE;
  *port = number;
  return TRUE;
}

VmmForward *
vmm_forward_parse (const char *word, gboolean guest_port, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (word, ":", 5);
  guint n = g_strv_length (parts), ports = guest_port ? 2 : 1;
  guint16 port, guest = 0;
  gboolean udp = n > 0 && strcmp (parts[0], "udp") == 0;

  if ((udp || (n > 0 && strcmp (parts[0], "tcp") == 0)) && (n == 1 + ports || n == 2 + ports) &&
      parse_port (parts[n - ports], &port) && (!guest_port || parse_port (parts[n - 1], &guest)))
    return vmm_forward_new (udp, n == 2 + ports ? parts[1] : NULL, port, guest);
  fail (error,
        guest_port ? "A forward is such as tcp:2222:22 or udp:127.0.0.1:5353:53"
                   : "A forward is named by its port here, such as tcp:2222 or udp:127.0.0.1:5353",
        word);
  return NULL;
}

char *
vmm_forward_print (const VmmForward *forward)
{
  return g_strdup_printf ("%s:%s:%u:%u", forward->udp ? "udp" : "tcp",
                          forward->address ? forward->address : "127.0.0.1", forward->port,
                          forward->guest_port);
}

static gboolean
parse_mac (VmmNicConfig *nic, const char *word, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (word, ":", -1);
  gboolean ok = g_strv_length (parts) == sizeof nic->mac;

  for (guint i = 0; ok && i < sizeof nic->mac; i++) {
    guint64 number;

    ok = strlen (parts[i]) == 2 &&
         g_ascii_string_to_unsigned (parts[i], 16, 0, G_MAXUINT8, &number, NULL);
    if (ok)
      nic->mac[i] = number;
  }
  nic->has_mac = TRUE;
  return ok || fail (error, "A MAC address is such as 52:54:00:12:34:56", word);
}

static gboolean
parse_rest (VmmNicConfig *nic, VmmOptionList *list, GError **error)
{
  const char *mac = vmm_option_list_take (list, "mac"), *word;

  if (!vmm_option_list_take_switch (list, "vhost", &nic->vhost, error) ||
      !vmm_option_list_take_switch (list, "hotplug", &nic->hotplug, error))
    return FALSE;
  if (mac && !parse_mac (nic, mac, error))
    return FALSE;
  nic->network = g_strdup (vmm_option_list_take (list, "network"));
  nic->capture = g_strdup (vmm_option_list_take (list, "capture"));
  while ((word = vmm_option_list_take (list, "forward"))) {
    VmmForward *forward = vmm_forward_parse (word, TRUE, error);

    if (!forward)
      return FALSE;
    g_ptr_array_add (nic->forwards, forward);
  }
  return vmm_option_list_finish (list, error);
}

gboolean
vmm_net_options_parse (VmmConfig *config, const char *word, GError **error)
{
  g_autoptr (VmmOptionList) list = vmm_option_list_parse ("--net", word, error);
  g_autoptr (VmmNicConfig) nic = NULL;
  const char *kind, *equals;

  if (!list)
    return FALSE;
  kind = vmm_option_list_get_value (list);
  equals = strchr (kind, '=');
  if (strcmp (kind, "none") == 0)
    return vmm_option_list_finish (list, error);
  if (strcmp (kind, "user") == 0)
    nic = vmm_nic_config_new (VMM_NIC_USER);
  else if (equals && g_str_has_prefix (kind, "tap="))
    nic = vmm_nic_config_new (VMM_NIC_TAP);
  else if (equals && g_str_has_prefix (kind, "switch="))
    nic = vmm_nic_config_new (VMM_NIC_SWITCH);
  else
    return fail (error, "--net is none, user, tap=DEVICE or switch=NAME", kind);
  nic->name = equals ? g_strdup (equals + 1) : NULL;
  if (!config->networks)
    config->networks = vmm_networks_new ();
  if (!parse_rest (nic, list, error))
    return FALSE;
  vmm_config_add_nic (config, g_steal_pointer (&nic));
  return TRUE;
}
