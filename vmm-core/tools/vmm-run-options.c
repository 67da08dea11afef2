/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The command line of vmm-run. Scripts rely on these names.
 */
#include "tools/vmm-run-options.h"

#include <string.h>
#include <unistd.h>

#include "tools/vmm-cpu-options.h"
#include "tools/vmm-net-options.h"
#include "tools/vmm-option-list.h"
#include "vmm-error.h"
#include "vmm-firmware.h"

#define MAX_AFTER     (24 * 60 * 60)
#define DEFAULT_PORTS 0 /* each costs a starting Linux some 650 exits */

/* As the command line gives them. */
typedef struct {
  char *firmware, *nvram, *firmware_log, *boot, *load;
  char *memory, *serial, *console, *screenshot, *control, *kernel, *initrd, *append;
  char **disks, **cdroms, **nets, **channels, **rest;
  char *cpu, *cpus;
  int ports, cpu_cap, cpu_weight;
  gboolean huge_pages, graphics, usb, balloon, no_reboot, debug_exit, stats;
} Words;

static gboolean
fail (GError **error, const char *format, const char *word)
{
  g_autofree char *before = g_strndup (format, strcspn (format, "@"));
  const char *after = strchr (format, '@');

  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG, "%s%s%s", before, after ? word : "",
               after ? after + 1 : "");
  return FALSE;
}

/* "512M", "2G"; a bare number is MiB. */
static gboolean
parse_memory (const char *word, guint64 *memory, GError **error)
{
  static const char units[] = "KMGT";
  guint64 number;
  const char *unit;
  char *end;
  guint shift = 20;

  number = g_ascii_strtoull (word, &end, 10);
  unit = *end ? strchr (units, g_ascii_toupper (*end)) : NULL;
  if (unit)
    shift = 10 * (unit - units + 1);
  if (!g_ascii_isdigit (*word) || (*end && (!unit || end[1])) || number > G_MAXUINT64 >> shift)
    return fail (error, "--memory takes a size such as 512M or 2G, not “@”.", word);
  *memory = number << shift;
  return TRUE;
}

gboolean
vmm_run_options_parse_disk (VmmConfig *config, const char *word, GError **error)
{
  static const char *const formats[] = { "auto", "raw", "qcow2", NULL };
  static const char *const buses[] = { "virtio", "sata", NULL };
  g_autoptr (VmmOptionList) list = vmm_option_list_parse ("--disk", word, error);
  guint format = VMM_DISK_AUTO, bus = VMM_DISK_VIRTIO;
  VmmDiskConfig *disk;

  if (!list)
    return FALSE;
  if (!*vmm_option_list_get_value (list))
    return fail (error, "--disk needs the name of an image.", word);
  disk = vmm_config_add_disk (config, vmm_option_list_get_value (list), FALSE);
  if (!vmm_option_list_take_name (list, "format", formats, &format, error) ||
      !vmm_option_list_take_name (list, "bus", buses, &bus, error) ||
      !vmm_option_list_take_switch (list, "readonly", &disk->readonly, error) ||
      !vmm_option_list_take_switch (list, "discard", &disk->discard, error) ||
      !vmm_option_list_take_switch (list, "direct", &disk->direct, error) ||
      !vmm_option_list_take_switch (list, "hotplug", &disk->hotplug, error))
    return FALSE;
  disk->format = format;
  disk->bus = bus;
  return vmm_option_list_finish (list, error);
}

static gboolean
parse_cdrom (VmmConfig *config, const char *word, GError **error)
{
  g_autoptr (VmmOptionList) list = vmm_option_list_parse ("--cdrom", word, error);
  const char *path;

  if (!list || !vmm_option_list_finish (list, error))
    return FALSE;
  path = vmm_option_list_get_value (list);
  vmm_config_add_cdrom (config, *path && strcmp (path, "none") != 0 ? path : NULL);
  return TRUE;
}

static gboolean
parse_channel (VmmConfig *config, const char *word, GError **error)
{
  const char *equals = strchr (word, '=');
  g_autofree char *name = equals ? g_strndup (word, equals - word) : NULL;

  if (!equals)
    return fail (error, "--channel is NAME=SOCKET, not “@”.", word);
  vmm_config_add_channel (config, name, equals + 1);
  return TRUE;
}

static gboolean
parse_text (VmmTextConfig *text, const char *word)
{
  if (strcmp (word, "stdio") == 0) {
    text->mode = VMM_TEXT_FD;
    text->in_fd = STDIN_FILENO;
    text->out_fd = STDOUT_FILENO;
    return TRUE;
  }
  if (g_str_has_prefix (word, "file:") && word[5]) {
    text->mode = VMM_TEXT_FILE;
    text->path = g_strdup (word + 5);
    return TRUE;
  }
  text->mode = VMM_TEXT_NONE;
  return strcmp (word, "none") == 0;
}

/* Standard input and output are the serial port's, unless the console wants them. */
static gboolean
parse_serial_and_console (VmmRunOptions *self,
                          const char *serial,
                          const char *console,
                          GError **error)
{
  VmmConfig *config = self->config;

  if (!parse_text (&config->console, console ? console : "none"))
    return fail (error, "--console is stdio, file:NAME or none, not “@”.", console);
  if (!serial)
    serial = config->console.mode == VMM_TEXT_FD ? "none" : "stdio";
  if (!parse_text (&config->serial, serial))
    return fail (error, "--serial is stdio, file:NAME or none, not “@”.", serial);
  if (config->serial.mode == VMM_TEXT_FD && config->console.mode == VMM_TEXT_FD)
    return fail (error, "Only one of --serial and --console can be stdio.", "");
  self->stdio = config->serial.mode == VMM_TEXT_FD || config->console.mode == VMM_TEXT_FD;
  return TRUE;
}

static gboolean
parse_screenshot (VmmRunOptions *self, const char *word, GError **error)
{
  const char *comma = strrchr (word, ',');

  self->after = -1;
  if (comma && g_str_has_prefix (comma, ",after=")) {
    const char *value = comma + strlen (",after=");
    char *end;

    self->after = g_ascii_strtod (value, &end);
    if (end == value || *end || !(self->after >= 0 && self->after <= MAX_AFTER))
      return fail (error, "after is a number of seconds, not “@”.", value);
    self->screenshot = g_strndup (word, comma - word);
  } else {
    self->screenshot = g_strdup (word);
  }
  if (!*self->screenshot)
    return fail (error, "--screenshot needs the name of a picture.", word);
  return self->config->graphics || fail (error, "--screenshot needs --graphics.", word);
}

/* "bios" and "uefi" are what is installed; anything else is an image. */
static gboolean
take_firmware (VmmConfig *config, const char *word, GError **error)
{
  gboolean uefi = strcmp (word, "uefi") == 0;
  g_autoptr (VmmFirmware) found = NULL;

  if (!uefi && strcmp (word, "bios") != 0) {
    found = vmm_firmware_find (VMM_FIRMWARE_BIOS, NULL);
    config->firmware = g_strdup (word);
  } else {
    found = vmm_firmware_find (uefi ? VMM_FIRMWARE_UEFI : VMM_FIRMWARE_BIOS, error);
    if (!found)
      return FALSE;
    config->firmware = g_steal_pointer (&found->image);
    config->nvram_template = g_steal_pointer (&found->nvram_template);
  }
  config->vga_bios = found ? g_steal_pointer (&found->vga_bios) : NULL;
  return !uefi || config->nvram ||
         fail (error, "--firmware uefi needs --nvram: the file for its variables.", "");
}

static gboolean
take_words (VmmRunOptions *self, Words *words, GError **error)
{
  VmmConfig *config = self->config;

  if (words->rest && words->rest[0])
    return fail (error, "“@” belongs to no option; see --help.", words->rest[0]);
  config->name = g_strdup ("vmm-run");
  config->n_ports = words->ports < 0 ? G_MAXUINT : (guint) words->ports;
  config->cpu.cap = words->cpu_cap;
  config->cpu.weight = words->cpu_weight;
  config->kernel = g_steal_pointer (&words->kernel);
  config->initrd = g_steal_pointer (&words->initrd);
  config->nvram = g_steal_pointer (&words->nvram);
  config->load = g_steal_pointer (&words->load);
  config->firmware_log = g_steal_pointer (&words->firmware_log);
  config->boot_order = g_steal_pointer (&words->boot);
  config->append = g_steal_pointer (&words->append);
  config->huge_pages = words->huge_pages;
  config->graphics = words->graphics;
  config->usb = words->usb;
  config->balloon = words->balloon;
  config->stop_on_reset = words->no_reboot;
  config->debug_exit = words->debug_exit;
  self->stats = words->stats;
  self->control = g_steal_pointer (&words->control);
  for (guint i = 0; words->disks && words->disks[i]; i++)
    if (!vmm_run_options_parse_disk (config, words->disks[i], error))
      return FALSE;
  for (guint i = 0; words->cdroms && words->cdroms[i]; i++)
    if (!parse_cdrom (config, words->cdroms[i], error))
      return FALSE;
  for (guint i = 0; words->nets && words->nets[i]; i++)
    if (!vmm_net_options_parse (config, words->nets[i], error))
      return FALSE;
  for (guint i = 0; words->channels && words->channels[i]; i++)
    if (!parse_channel (config, words->channels[i], error))
      return FALSE;
  return (!words->firmware || take_firmware (config, words->firmware, error)) &&
         (!words->cpus || vmm_cpu_options_parse_count (config, words->cpus, error)) &&
         (!words->cpu || vmm_cpu_options_parse_model (config, words->cpu, error)) &&
         (!words->memory || parse_memory (words->memory, &config->memory, error)) &&
         parse_serial_and_console (self, words->serial, words->console, error) &&
         (!words->screenshot || parse_screenshot (self, words->screenshot, error));
}

static void
clear_words (Words *words)
{
  g_free (words->memory);
  g_free (words->cpu);
  g_free (words->cpus);
  g_free (words->serial);
  g_free (words->console);
  g_free (words->screenshot);
  g_free (words->control);
  g_free (words->kernel);
  g_free (words->initrd);
  g_free (words->firmware);
  g_free (words->nvram);
  g_free (words->load);
  g_free (words->firmware_log);
  g_free (words->boot);
  g_free (words->append);
  g_strfreev (words->disks);
  g_strfreev (words->cdroms);
  g_strfreev (words->nets);
  g_strfreev (words->channels);
  g_strfreev (words->rest);
}

static gboolean
read_words (int argc, char **argv, Words *words, GError **error)
{
  const GOptionEntry entries[] = {
    { "memory", 0, 0, G_OPTION_ARG_STRING, &words->memory, "Size of the memory (512M)", "SIZE" },
    { "hugepages", 0, 0, G_OPTION_ARG_NONE, &words->huge_pages,
      "The memory is in huge pages, which this computer has set aside (vm.nr_hugepages)", NULL },
    { "cpus", 0, 0, G_OPTION_ARG_STRING, &words->cpus,
      "Number of processors, 1 to 32 (1), and how the guest counts them (as cores of one socket)",
      "N[,sockets=S][,cores=C][,threads=T]" },
    { "cpu", 0, 0, G_OPTION_ARG_STRING, &words->cpu,
      "What the guest sees of this computer's processor (host)",
      "host|x86-64-v2|x86-64-v3|x86-64-v4" },
    { "cpu-cap", 0, 0, G_OPTION_ARG_INT, &words->cpu_cap,
      "What each processor may use of one of this computer's, 1 to 100 (100: all)", "PERCENT" },
    { "cpu-weight", 0, 0, G_OPTION_ARG_INT, &words->cpu_weight,
      "The processors' part where programs compete, 1 to 10000 (100, as every program)", "N" },
    { "kernel", 0, 0, G_OPTION_ARG_FILENAME, &words->kernel,
      "bzImage, ELF kernel with a PVH entry, or multiboot kernel", "FILE" },
    { "firmware", 0, 0, G_OPTION_ARG_FILENAME, &words->firmware,
      "Start with firmware in place of a kernel", "bios|uefi|FILE" },
    { "nvram", 0, 0, G_OPTION_ARG_FILENAME, &words->nvram,
      "The firmware's variables; made where it is missing", "FILE" },
    { "boot", 0, 0, G_OPTION_ARG_STRING, &words->boot,
      "What the firmware tries in turn: c disks, d CDs, n network (cdn)", "ORDER" },
    { "firmware-log", 0, 0, G_OPTION_ARG_FILENAME, &words->firmware_log,
      "What the firmware says about itself", "FILE" },
    { "initrd", 0, 0, G_OPTION_ARG_FILENAME, &words->initrd, "First file system", "FILE" },
    { "append", 0, 0, G_OPTION_ARG_STRING, &words->append, "Command line of the kernel", "TEXT" },
    { "disk", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &words->disks, "Disk image; may be repeated",
      "FILE[,format=raw|qcow2][,bus=virtio|sata][,readonly=on][,discard=on][,direct=on]"
      "[,hotplug=on]" },
    { "cdrom", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &words->cdroms,
      "CD drive with an ISO image in it, or empty; may be repeated", "FILE|none" },
    { "net", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &words->nets,
      "Network card; may be repeated. A forward leads from a port of this computer (127.0.0.1, "
      "unless it names an address) to one of the guest's",
      "none|user[,forward=tcp:[ADDRESS:]PORT:PORT][,network=10.0.2.0/24]|tap=DEVICE|switch=NAME"
      "[,mac=M][,capture=FILE][,hotplug=on]" },
    { "channel", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &words->channels,
      "Socket to a program of the guest, such as org.qemu.guest_agent.0; may be repeated",
      "NAME=SOCKET" },
    { "graphics", 0, 0, G_OPTION_ARG_NONE, &words->graphics, "Screen, keyboard and tablet", NULL },
    { "usb", 0, 0, G_OPTION_ARG_NONE, &words->usb,
      "USB controller; with --graphics also a keyboard and a tablet on it", NULL },
    { "balloon", 0, 0, G_OPTION_ARG_NONE, &words->balloon,
      "Memory that the guest frees, or is asked to do without, goes back to this computer", NULL },
    { "ports", 0, 0, G_OPTION_ARG_INT, &words->ports,
      "Ports that disks and network cards can be attached to while it runs, 0 to 8 (0)", "N" },
    { "load", 0, 0, G_OPTION_ARG_FILENAME, &words->load,
      "Go on with the machine that was saved there; the other options as they were then",
      "FOLDER" },
    { "serial", 0, 0, G_OPTION_ARG_STRING, &words->serial,
      "Where the serial port (ttyS0) goes (stdio, unless --console has it)",
      "stdio|file:FILE|none" },
    { "console", 0, 0, G_OPTION_ARG_STRING, &words->console,
      "Where the virtio console (hvc0) goes (none)", "stdio|file:FILE|none" },
    { "screenshot", 0, 0, G_OPTION_ARG_FILENAME, &words->screenshot,
      "Picture of the screen, at the end or after so many seconds", "FILE[,after=SECONDS]" },
    { "no-reboot", 0, 0, G_OPTION_ARG_NONE, &words->no_reboot, "End where the guest restarts",
      NULL },
    { "debug-exit", 0, 0, G_OPTION_ARG_NONE, &words->debug_exit,
      "A value written to port 0xf4 ends with exit code value * 2 + 1", NULL },
    { "stats", 0, 0, G_OPTION_ARG_NONE, &words->stats, "Counters as JSON at the end", NULL },
    { "control", 0, 0, G_OPTION_ARG_FILENAME, &words->control,
      "Socket that takes commands, one JSON object a line", "FILE" },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &words->rest, NULL, NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) given = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_summary (context, "Runs a virtual machine on KVM, without a window.");
  g_option_context_set_description (
    context,
    "Exit codes: 0 power-off or quit; odd: the guest's debug exit; 2 bad arguments, kernel, "
    "initrd\n"
    "or disk; 4 KVM is missing or refused; 6 reset under --no-reboot; 8 the guest crashed.\n"
    "\n"
    "Where an image cannot grow because its file system is full, the machine pauses and says so:\n"
    "make room, then send {\"do\": \"resume\"} to the control socket, or SIGCONT.\n");
  if (g_option_context_parse (context, &argc, &argv, &given))
    return TRUE;
  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG, "%s; see --help.", given->message);
  return FALSE;
}

VmmRunOptions *
vmm_run_options_parse (int argc, char **argv, GError **error)
{
  g_autoptr (VmmRunOptions) self = g_new0 (VmmRunOptions, 1);
  Words words = { .cpu_cap = VMM_CPU_NO_CAP, .cpu_weight = VMM_CPU_WEIGHT, .ports = DEFAULT_PORTS };
  gboolean ok;

  self->config = vmm_config_new ();
  ok = read_words (argc, argv, &words, error) && take_words (self, &words, error) &&
       vmm_config_check (self->config, error);
  clear_words (&words);
  return ok ? g_steal_pointer (&self) : NULL;
}

void
vmm_run_options_free (VmmRunOptions *self)
{
  vmm_config_free (self->config);
  g_free (self->control);
  g_free (self->screenshot);
  g_free (self);
}
