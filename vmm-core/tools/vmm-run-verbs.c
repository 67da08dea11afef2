/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See vmm-run-verbs.h.
 */
#include "tools/vmm-run-verbs.h"

#include "tools/vmm-net-options.h"
#include "tools/vmm-run-balloon.h"
#include "tools/vmm-run-options.h"
#include "vmm-error.h"

const char *
vmm_run_state_name (VmmMachineState state)
{
  static const char *const names[] = { "ready", "running", "paused", "stopped" };

  return names[state];
}

char *
vmm_run_stats (VmmMachine *machine)
{
  VmmStats stats;

  vmm_machine_get_stats (machine, &stats);
  return g_strdup_printf (
    "{\"state\": \"%s\", \"exits_user\": %" G_GUINT64_FORMAT
    ", \"disk_requests\": %" G_GUINT64_FORMAT ", \"frames\": %" G_GUINT64_FORMAT
    ", \"bytes_copied\": %" G_GUINT64_FORMAT ", \"cpu_ns\": %" G_GINT64_FORMAT
    ", \"run_ns\": %" G_GINT64_FORMAT ", \"memory_used\": %" G_GUINT64_FORMAT "}",
    vmm_run_state_name (vmm_machine_get_state (machine)), stats.exits_user, stats.disk_requests,
    stats.frames, stats.bytes_copied, stats.cpu_ns, stats.run_ns, stats.memory_used);
}

static VmmInput *
need_input (VmmMachine *machine, GError **error)
{
  VmmInput *input = vmm_machine_get_input (machine);

  if (!input)
    g_set_error (error, VMM_ERROR, VMM_ERROR_STATE,
                 "The machine has no keyboard and no pointer: start it with --graphics.");
  return input;
}

static gboolean
do_key (VmmMachine *machine, const VmmCommand *command, GError **error)
{
  VmmInput *input = need_input (machine, error);

  if (!input)
    return FALSE;
  vmm_input_key (input, command->code, command->click || command->pressed);
  if (command->click)
    vmm_input_key (input, command->code, FALSE);
  return TRUE;
}

static gboolean
do_pointer (VmmMachine *machine, const VmmCommand *command, GError **error)
{
  VmmInput *input = need_input (machine, error);

  if (!input)
    return FALSE;
  if (command->moves)
    vmm_input_move (input, command->x, command->y);
  if (command->code)
    vmm_input_button (input, command->code, command->click || command->pressed);
  if (command->code && command->click)
    vmm_input_button (input, command->code, FALSE);
  if (command->wheel || command->hwheel)
    vmm_input_wheel (input, command->wheel, command->hwheel);
  return TRUE;
}

gboolean
vmm_run_screenshot (VmmMachine *machine, const char *path, GError **error)
{
  VmmDisplay *display = vmm_machine_get_display (machine);

  if (display)
    return vmm_display_screenshot (display, path, error);
  g_set_error (error, VMM_ERROR, VMM_ERROR_STATE,
               "The machine has no screen: start it with --graphics.");
  return FALSE;
}

/* Those of the card that stand now, as JSON. */
static char *
forwards_text (VmmMachine *machine, const char *device, GError **error)
{
  g_autoptr (GPtrArray) list = vmm_machine_list_forwards (machine, device, error);
  GString *text;

  if (!list)
    return NULL;
  text = g_string_new ("[");
  for (guint i = 0; i < list->len; i++) {
    g_autofree char *forward = vmm_forward_print (g_ptr_array_index (list, i));

    g_string_append (text, i > 0 ? ", " : "");
    vmm_json_append_string (text, forward);
  }
  g_string_append_c (text, ']');
  return g_string_free_and_steal (text);
}

static char *
do_forward (VmmMachine *machine, const VmmCommand *command, GError **error)
{
  const char *device = command->device;

  if (command->add && !vmm_machine_add_forward (machine, device, command->add, error))
    return NULL;
  if (command->remove && !vmm_machine_remove_forward (machine, device, command->remove, error))
    return NULL;
  return forwards_text (machine, device, error);
}

static char *
attach_nic (VmmMachine *machine, const VmmConfig *config, GError **error)
{
  if (config->nics->len > 0)
    return vmm_machine_attach_nic (machine, g_ptr_array_index (config->nics, 0), error);
  g_set_error_literal (error, VMM_ERROR, VMM_ERROR_CONFIG, "“none” is no card to attach.");
  return NULL;
}

/* The name of the new device, as JSON. */
static char *
do_attach (VmmMachine *machine, const VmmCommand *command, GError **error)
{
  g_autoptr (VmmConfig) config = vmm_config_new ();
  g_autofree char *id = NULL;
  GString *text;

  if (command->disk && vmm_run_options_parse_disk (config, command->disk, error))
    id = vmm_machine_attach_disk (machine, g_ptr_array_index (config->disks, 0), error);
  else if (command->net && vmm_net_options_parse (config, command->net, error))
    id = attach_nic (machine, config, error);
  if (!id)
    return NULL;
  text = g_string_new (NULL);
  vmm_json_append_string (text, id);
  return g_string_free_and_steal (text);
}

/* A machine that runs is paused for it, and stays so. */
static gboolean
do_save (VmmMachine *machine, const char *path, GError **error)
{
  return (vmm_machine_get_state (machine) != VMM_MACHINE_RUNNING ||
          vmm_machine_pause (machine, error)) &&
         vmm_machine_save (machine, path, NULL, error);
}

static gboolean
do_command (VmmMachine *machine, const VmmCommand *command, GError **error)
{
  switch (command->kind) {
  case VMM_COMMAND_PAUSE:
    return vmm_machine_pause (machine, error);
  case VMM_COMMAND_RESUME:
    return vmm_machine_resume (machine, error);
  case VMM_COMMAND_RESET:
    return vmm_machine_reset (machine, error);
  case VMM_COMMAND_SAVE:
    return do_save (machine, command->path, error);
  case VMM_COMMAND_KEY:
    return do_key (machine, command, error);
  case VMM_COMMAND_POINTER:
    return do_pointer (machine, command, error);
  case VMM_COMMAND_SCREENSHOT:
    return vmm_run_screenshot (machine, command->path, error);
  case VMM_COMMAND_EJECT:
    return vmm_machine_eject (machine, command->device, command->force, error);
  case VMM_COMMAND_INSERT:
    return vmm_machine_insert (machine, command->device, command->path, command->force, error);
  case VMM_COMMAND_CPU_CAP:
    return vmm_machine_set_cpu_cap (machine, command->percent, error);
  case VMM_COMMAND_CPU_WEIGHT:
    return vmm_machine_set_cpu_weight (machine, command->weight, error);
  case VMM_COMMAND_RESIZE_DISK:
    return vmm_machine_resize_disk (machine, command->device, command->size, error);
  case VMM_COMMAND_DETACH:
    return vmm_machine_detach (machine, command->device, command->force, error);
  case VMM_COMMAND_LINK:
    return vmm_machine_set_link (machine, command->device, command->up, error);
  case VMM_COMMAND_POWER_BUTTON:
    vmm_machine_power_button (machine);
    return TRUE;
  case VMM_COMMAND_ATTACH:
  case VMM_COMMAND_BALLOON:
  case VMM_COMMAND_FORWARD:
  case VMM_COMMAND_QUIT:
  case VMM_COMMAND_STATS:
    break;
  }
  return TRUE;
}

char *
vmm_run_do (VmmMachine *machine, const VmmCommand *command, GError **error)
{
  switch (command->kind) {
  case VMM_COMMAND_STATS:
    return vmm_run_stats (machine);
  case VMM_COMMAND_BALLOON:
    return vmm_run_balloon (machine, command, error);
  case VMM_COMMAND_ATTACH:
    return do_attach (machine, command, error);
  case VMM_COMMAND_FORWARD:
    return do_forward (machine, command, error);
  default:
    return do_command (machine, command, error) ? g_strdup ("true") : NULL;
  }
}
