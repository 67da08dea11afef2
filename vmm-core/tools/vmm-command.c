/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See vmm-command.h.
 */
#include "tools/vmm-command.h"

#include <linux/input-event-codes.h>
#include <math.h>
#include <string.h>

#include "tools/vmm-net-options.h"
#include "vmm-cpu.h"
#include "vmm-error.h"

#define MAX_ID    256
#define MAX_WHEEL 100
#define MIB_SHIFT 20
#define MAX_SIZE  0x1p53 /* what a number of JSON can say exactly */

typedef gboolean (*Fill) (VmmCommand *self, const VmmJsonObject *object, GError **error);

static gboolean
fail (GError **error, const char *why)
{
  g_set_error_literal (error, VMM_ERROR, VMM_ERROR_CONFIG, why);
  return FALSE;
}

/* A whole number in the range; @value stays where there is none. */
static gboolean
get_integer (const VmmJsonObject *object, const char *key, int low, int high, int *value)
{
  double number;

  if (!vmm_json_get (object, key))
    return TRUE;
  if (!vmm_json_get_number (object, key, &number) || !(number >= low && number <= high) ||
      number != floor (number))
    return FALSE;
  *value = (int) number;
  return TRUE;
}

static gboolean
fill_pressed (VmmCommand *self, const VmmJsonObject *object, GError **error)
{
  self->click = !vmm_json_get (object, "pressed");
  return self->click || vmm_json_get_boolean (object, "pressed", &self->pressed) ||
         fail (error, "\"pressed\" is true or false.");
}

static gboolean
fill_key (VmmCommand *self, const VmmJsonObject *object, GError **error)
{
  int code = 0;

  if (!get_integer (object, "code", 1, KEY_MAX, &code) || code == 0)
    return fail (error, "\"code\" is the number of a key, as in linux/input-event-codes.h.");
  self->code = code;
  return fill_pressed (self, object, error);
}

static gboolean
fill_button (VmmCommand *self, const VmmJsonObject *object, GError **error)
{
  static const struct {
    const char *name;
    guint code;
  } buttons[] = {
    { "left", BTN_LEFT }, { "right", BTN_RIGHT }, { "middle", BTN_MIDDLE },
    { "side", BTN_SIDE }, { "extra", BTN_EXTRA },
  };
  const char *name = vmm_json_get_string (object, "button");

  if (!vmm_json_get (object, "button"))
    return TRUE;
  for (guint i = 0; name && i < G_N_ELEMENTS (buttons); i++)
    if (strcmp (name, buttons[i].name) == 0)
      self->code = buttons[i].code;
  return self->code != 0 ? fill_pressed (self, object, error)
                         : fail (error, "\"button\" is left, right, middle, side or extra.");
}

static gboolean
is_part (double number)
{
  return number >= 0 && number <= 1;
}

static gboolean
fill_pointer (VmmCommand *self, const VmmJsonObject *object, GError **error)
{
  self->moves = vmm_json_get (object, "x") || vmm_json_get (object, "y");
  if (self->moves &&
      (!vmm_json_get_number (object, "x", &self->x) ||
       !vmm_json_get_number (object, "y", &self->y) || !is_part (self->x) || !is_part (self->y)))
    return fail (error, "\"x\" and \"y\" are numbers from 0 to 1, both or none.");
  if (!get_integer (object, "wheel", -MAX_WHEEL, MAX_WHEEL, &self->wheel) ||
      !get_integer (object, "hwheel", -MAX_WHEEL, MAX_WHEEL, &self->hwheel))
    return fail (error, "\"wheel\" and \"hwheel\" are whole numbers from -100 to 100.");
  return fill_button (self, object, error);
}

static gboolean
fill_screenshot (VmmCommand *self, const VmmJsonObject *object, GError **error)
{
  const char *path = vmm_json_get_string (object, "path");

  if (!path || !*path)
    return fail (error, "\"path\" is the name of the picture's file.");
  self->path = g_strdup (path);
  return TRUE;
}

static gboolean
fill_device (VmmCommand *self, const VmmJsonObject *object, GError **error)
{
  const char *device = vmm_json_get_string (object, "device");

  if (!device || !*device)
    return fail (error, "\"device\" is the name of a device, such as \"cdrom0\".");
  self->device = g_strdup (device);
  return !vmm_json_get (object, "force") || vmm_json_get_boolean (object, "force", &self->force) ||
         fail (error, "\"force\" is true or false.");
}

static gboolean
fill_insert (VmmCommand *self, const VmmJsonObject *object, GError **error)
{
  const char *path = vmm_json_get_string (object, "path");

  if (!path || !*path)
    return fail (error, "\"path\" is the name of an ISO image.");
  self->path = g_strdup (path);
  return fill_device (self, object, error);
}

static gboolean
fill_resize (VmmCommand *self, const VmmJsonObject *object, GError **error)
{
  double size;

  if (!vmm_json_get_number (object, "size", &size) || !(size > 0 && size <= MAX_SIZE) ||
      size != floor (size))
    return fail (error, "\"size\" is the number of bytes that the disk shall have.");
  self->size = size;
  return fill_device (self, object, error);
}

static gboolean
fill_forward (VmmCommand *self, const VmmJsonObject *object, GError **error)
{
  const char *add = vmm_json_get_string (object, "add");
  const char *removed = vmm_json_get_string (object, "remove");

  if ((!add && vmm_json_get (object, "add")) || (!removed && vmm_json_get (object, "remove")) ||
      (add && removed))
    return fail (error, "\"add\" is a forward such as \"tcp:2222:22\", \"remove\" its port such as "
                        "\"tcp:2222\"; only one of them is given.");
  if (add && !(self->add = vmm_forward_parse (add, TRUE, error)))
    return FALSE;
  if (removed && !(self->remove = vmm_forward_parse (removed, FALSE, error)))
    return FALSE;
  return fill_device (self, object, error);
}

static gboolean
fill_link (VmmCommand *self, const VmmJsonObject *object, GError **error)
{
  return (vmm_json_get_boolean (object, "up", &self->up) ||
          fail (error, "\"up\" is true or false.")) &&
         fill_device (self, object, error);
}

/* MiB, as people give a machine its memory. */
static gboolean
fill_balloon (VmmCommand *self, const VmmJsonObject *object, GError **error)
{
  int target = 0;

  if (!get_integer (object, "target", 1, G_MAXINT, &target))
    return fail (error, "\"target\" is the number of MiB that the guest shall get by with.");
  self->size = (guint64) target << MIB_SHIFT;
  return TRUE;
}

static gboolean
fill_cpu_cap (VmmCommand *self, const VmmJsonObject *object, GError **error)
{
  int percent = 0;

  if (!get_integer (object, "percent", 1, VMM_CPU_NO_CAP, &percent) || percent == 0)
    return fail (error, "\"percent\" is a whole number from 1 to 100 (no cap).");
  self->percent = percent;
  return TRUE;
}

static gboolean
fill_cpu_weight (VmmCommand *self, const VmmJsonObject *object, GError **error)
{
  int weight = 0;

  if (!get_integer (object, "weight", VMM_CPU_MIN_WEIGHT, VMM_CPU_MAX_WEIGHT, &weight) ||
      weight == 0)
    return fail (error, "\"weight\" is a whole number from 1 to 10000; 100 is every program's.");
  self->weight = weight;
  return TRUE;
}

static gboolean
fill_attach (VmmCommand *self, const VmmJsonObject *object, GError **error)
{
  const char *disk = vmm_json_get_string (object, "disk");
  const char *net = vmm_json_get_string (object, "net");

  if ((disk != NULL) == (net != NULL))
    return fail (error, "\"disk\" or \"net\" says what is attached, as --disk and --net do.");
  self->disk = g_strdup (disk);
  self->net = g_strdup (net);
  return TRUE;
}

static gboolean
fill_save (VmmCommand *self, const VmmJsonObject *object, GError **error)
{
  const char *path = vmm_json_get_string (object, "path");

  if (!path || !*path)
    return fail (error, "\"path\" is the name of a folder that is made for the machine.");
  self->path = g_strdup (path);
  return TRUE;
}

static const struct {
  const char *name;
  VmmCommandKind kind;
  Fill fill;
} commands[] = {
  { "pause", VMM_COMMAND_PAUSE, NULL },
  { "resume", VMM_COMMAND_RESUME, NULL },
  { "key", VMM_COMMAND_KEY, fill_key },
  { "pointer", VMM_COMMAND_POINTER, fill_pointer },
  { "screenshot", VMM_COMMAND_SCREENSHOT, fill_screenshot },
  { "eject", VMM_COMMAND_EJECT, fill_device },
  { "insert", VMM_COMMAND_INSERT, fill_insert },
  { "resize-disk", VMM_COMMAND_RESIZE_DISK, fill_resize },
  { "forward", VMM_COMMAND_FORWARD, fill_forward },
  { "link", VMM_COMMAND_LINK, fill_link },
  { "balloon", VMM_COMMAND_BALLOON, fill_balloon },
  { "cpu-cap", VMM_COMMAND_CPU_CAP, fill_cpu_cap },
  { "cpu-weight", VMM_COMMAND_CPU_WEIGHT, fill_cpu_weight },
  { "attach", VMM_COMMAND_ATTACH, fill_attach },
  { "detach", VMM_COMMAND_DETACH, fill_device },
  { "power-button", VMM_COMMAND_POWER_BUTTON, NULL },
  { "reset", VMM_COMMAND_RESET, NULL },
  { "save", VMM_COMMAND_SAVE, fill_save },
  { "stats", VMM_COMMAND_STATS, NULL },
  { "quit", VMM_COMMAND_QUIT, NULL },
};

static VmmCommand *
parse_object (const VmmJsonObject *object, GError **error)
{
  const char *name = vmm_json_get_string (object, "do");

  for (guint i = 0; name && i < G_N_ELEMENTS (commands); i++) {
    g_autoptr (VmmCommand) self = NULL;

    if (strcmp (name, commands[i].name) != 0)
      continue;
    self = g_new0 (VmmCommand, 1);
    self->kind = commands[i].kind;
    if (commands[i].fill && !commands[i].fill (self, object, error))
      return NULL;
    return g_steal_pointer (&self);
  }
  fail (error, "\"do\" is pause, resume, key, pointer, screenshot, eject, insert, resize-disk, "
               "forward, link, balloon, cpu-cap, cpu-weight, attach, detach, power-button, reset, "
               "save, stats or quit.");
  return NULL;
}

VmmCommand *
vmm_command_parse (const char *line, gsize length, char **id, GError **error)
{
  g_autoptr (VmmJsonObject) object = vmm_json_parse (line, length, error);
  const VmmJsonMember *given = object ? vmm_json_get (object, "id") : NULL;

  *id = g_strdup (given && strlen (given->raw) <= MAX_ID ? given->raw : "null");
  return object ? parse_object (object, error) : NULL;
}

void
vmm_command_free (VmmCommand *self)
{
  g_free (self->path);
  g_free (self->device);
  g_free (self->disk);
  g_free (self->net);
  g_clear_pointer (&self->add, vmm_forward_free);
  g_clear_pointer (&self->remove, vmm_forward_free);
  g_free (self);
}
