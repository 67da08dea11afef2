/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * vmm-run: one machine without a window, for scripts and tests. It stands on vmm-core alone.
 *
 * The main thread is the machine's control thread: it starts it, does what the control socket says
 * and waits for the end.
 */
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "tools/vmm-control.h"
#include "tools/vmm-net-options.h"
#include "tools/vmm-run-balloon.h"
#include "tools/vmm-run-options.h"
#include "vmm.h"

enum {
  EXIT_OFF = 0,
  EXIT_BAD_ARGUMENTS = 2,
  EXIT_NO_KVM = 4,
  EXIT_RESET = 6,
  EXIT_CRASHED = 8,
};

typedef struct {
  VmmRunOptions *options;
  VmmMachine *machine;
  VmmControl *control; /* or NULL */
  GMainLoop *loop;
  gboolean screenshot_failed;
} Run;

/* An event on its way from a thread of the machine to the main thread. */
typedef struct {
  Run *run;
  char *line;
  gboolean last;
} Event;

static void
say (const char *text)
{
  fprintf (stderr, "vmm-run: %s\n", text);
}

static int
exit_code_of (const GError *error)
{
  if (g_error_matches (error, VMM_ERROR, VMM_ERROR_NO_KVM) ||
      g_error_matches (error, VMM_ERROR, VMM_ERROR_KVM_DENIED) ||
      g_error_matches (error, VMM_ERROR, VMM_ERROR_KVM))
    return EXIT_NO_KVM;
  return EXIT_BAD_ARGUMENTS;
}

static const char *
state_name (VmmMachineState state)
{
  static const char *const names[] = { "ready", "running", "paused", "stopped" };

  return names[state];
}

static void
event_free (gpointer data)
{
  Event *event = data;

  g_free (event->line);
  g_free (event);
}

static gboolean
deliver_event (gpointer data)
{
  Event *event = data;

  if (event->run->control)
    vmm_control_send_event (event->run->control, event->line);
  if (event->last)
    g_main_loop_quit (event->run->loop);
  return G_SOURCE_REMOVE;
}

/* Any thread. Takes @line. */
static void
post_event (Run *run, char *line, gboolean last)
{
  Event *event = g_new (Event, 1);

  *event = (Event) { run, line, last };
  g_idle_add_full (G_PRIORITY_DEFAULT, deliver_event, event, event_free);
}

static void
on_state_changed (VmmMachine *machine, VmmMachineState state, gpointer data)
{
  post_event (data,
              g_strdup_printf ("{\"event\": \"state\", \"state\": \"%s\"}", state_name (state)),
              state == VMM_MACHINE_STOPPED);
}

static void
on_was_reset (VmmMachine *machine, gpointer data)
{
  post_event (data, g_strdup ("{\"event\": \"reset\"}"), FALSE);
}

static void
post_device_event (Run *run, const char *event, const char *device, const char *why)
{
  GString *line = g_string_new (NULL);

  g_string_append_printf (line, "{\"event\": \"%s\", \"device\": ", event);
  vmm_json_append_string (line, device);
  g_string_append (line, ", \"why\": ");
  vmm_json_append_string (line, why);
  g_string_append_c (line, '}');
  post_event (run, g_string_free (line, FALSE), FALSE);
}

static void
on_paused_for (VmmMachine *machine, const char *device, const char *why, gpointer data)
{
  Run *run = data;

  fprintf (stderr, "vmm-run: Paused. %s\n", why);
  if (!run->options->control)
    fprintf (stderr, "vmm-run: “kill -CONT %d” resumes it.\n", (int) getpid ());
  post_device_event (run, "paused", device, why);
}

static void
on_device_broken (VmmMachine *machine, const char *device, const char *why, gpointer data)
{
  fprintf (stderr, "vmm-run: %s: %s\n", device, why);
  post_device_event (data, "device-broken", device, why);
}

static void
on_panicked (VmmMachine *machine, gpointer data)
{
  say ("The guest's operating system says that it has crashed.");
  post_event (data, g_strdup ("{\"event\": \"panicked\"}"), FALSE);
}

static void
on_detached (VmmMachine *machine, const char *device, gpointer data)
{
  GString *line = g_string_new ("{\"event\": \"detached\", \"device\": ");

  vmm_json_append_string (line, device);
  g_string_append_c (line, '}');
  post_event (data, g_string_free (line, FALSE), FALSE);
}

static char *
stats_text (Run *run)
{
  VmmStats stats;

  vmm_machine_get_stats (run->machine, &stats);
  return g_strdup_printf (
    "{\"state\": \"%s\", \"exits_user\": %" G_GUINT64_FORMAT
    ", \"disk_requests\": %" G_GUINT64_FORMAT ", \"frames\": %" G_GUINT64_FORMAT
    ", \"bytes_copied\": %" G_GUINT64_FORMAT ", \"cpu_ns\": %" G_GINT64_FORMAT
    ", \"run_ns\": %" G_GINT64_FORMAT ", \"memory_used\": %" G_GUINT64_FORMAT "}",
    state_name (vmm_machine_get_state (run->machine)), stats.exits_user, stats.disk_requests,
    stats.frames, stats.bytes_copied, stats.cpu_ns, stats.run_ns, stats.memory_used);
}

static VmmInput *
need_input (Run *run, GError **error)
{
  VmmInput *input = vmm_machine_get_input (run->machine);

  if (!input)
    g_set_error (error, VMM_ERROR, VMM_ERROR_STATE,
                 "The machine has no keyboard and no pointer: start it with --graphics.");
  return input;
}

static gboolean
do_key (Run *run, const VmmCommand *command, GError **error)
{
  VmmInput *input = need_input (run, error);

  if (!input)
    return FALSE;
  vmm_input_key (input, command->code, command->click || command->pressed);
  if (command->click)
    vmm_input_key (input, command->code, FALSE);
  return TRUE;
}

static gboolean
do_pointer (Run *run, const VmmCommand *command, GError **error)
{
  VmmInput *input = need_input (run, error);

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

static gboolean
do_screenshot (Run *run, const char *path, GError **error)
{
  VmmDisplay *display = vmm_machine_get_display (run->machine);

  if (display)
    return vmm_display_screenshot (display, path, error);
  g_set_error (error, VMM_ERROR, VMM_ERROR_STATE,
               "The machine has no screen: start it with --graphics.");
  return FALSE;
}

/* Those of the card that stand now, as JSON. */
static char *
forwards_text (Run *run, const char *device, GError **error)
{
  g_autoptr (GPtrArray) list = vmm_machine_list_forwards (run->machine, device, error);
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
do_forward (Run *run, const VmmCommand *command, GError **error)
{
  const char *device = command->device;

  if (command->add && !vmm_machine_add_forward (run->machine, device, command->add, error))
    return NULL;
  if (command->remove && !vmm_machine_remove_forward (run->machine, device, command->remove, error))
    return NULL;
  return forwards_text (run, device, error);
}

static char *
attach_nic (Run *run, const VmmConfig *config, GError **error)
{
  if (config->nics->len > 0)
    return vmm_machine_attach_nic (run->machine, g_ptr_array_index (config->nics, 0), error);
  g_set_error_literal (error, VMM_ERROR, VMM_ERROR_CONFIG, "“none” is no card to attach.");
  return NULL;
}

/* The name of the new device, as JSON. */
static char *
do_attach (Run *run, const VmmCommand *command, GError **error)
{
  g_autoptr (VmmConfig) config = vmm_config_new ();
  g_autofree char *id = NULL;
  GString *text;

  if (command->disk && vmm_run_options_parse_disk (config, command->disk, error))
    id = vmm_machine_attach_disk (run->machine, g_ptr_array_index (config->disks, 0), error);
  else if (command->net && vmm_net_options_parse (config, command->net, error))
    id = attach_nic (run, config, error);
  if (!id)
    return NULL;
  text = g_string_new (NULL);
  vmm_json_append_string (text, id);
  return g_string_free_and_steal (text);
}

/* A machine that runs is paused for it, and stays so. */
static gboolean
do_save (Run *run, const char *path, GError **error)
{
  return (vmm_machine_get_state (run->machine) != VMM_MACHINE_RUNNING ||
          vmm_machine_pause (run->machine, error)) &&
         vmm_machine_save (run->machine, path, NULL, error);
}

static gboolean
do_quit (gpointer data)
{
  Run *run = data;

  vmm_machine_stop (run->machine);
  return G_SOURCE_REMOVE;
}

static gboolean
do_command (Run *run, const VmmCommand *command, GError **error)
{
  switch (command->kind) {
  case VMM_COMMAND_PAUSE:
    return vmm_machine_pause (run->machine, error);
  case VMM_COMMAND_RESUME:
    return vmm_machine_resume (run->machine, error);
  case VMM_COMMAND_RESET:
    return vmm_machine_reset (run->machine, error);
  case VMM_COMMAND_SAVE:
    return do_save (run, command->path, error);
  case VMM_COMMAND_KEY:
    return do_key (run, command, error);
  case VMM_COMMAND_POINTER:
    return do_pointer (run, command, error);
  case VMM_COMMAND_SCREENSHOT:
    return do_screenshot (run, command->path, error);
  case VMM_COMMAND_EJECT:
    return vmm_machine_eject (run->machine, command->device, command->force, error);
  case VMM_COMMAND_INSERT:
    return vmm_machine_insert (run->machine, command->device, command->path, command->force, error);
  case VMM_COMMAND_CPU_CAP:
    return vmm_machine_set_cpu_cap (run->machine, command->percent, error);
  case VMM_COMMAND_CPU_WEIGHT:
    return vmm_machine_set_cpu_weight (run->machine, command->weight, error);
  case VMM_COMMAND_RESIZE_DISK:
    return vmm_machine_resize_disk (run->machine, command->device, command->size, error);
  case VMM_COMMAND_DETACH:
    return vmm_machine_detach (run->machine, command->device, command->force, error);
  case VMM_COMMAND_LINK:
    return vmm_machine_set_link (run->machine, command->device, command->up, error);
  case VMM_COMMAND_POWER_BUTTON:
    vmm_machine_power_button (run->machine);
    return TRUE;
  case VMM_COMMAND_QUIT: /* after the answer is on its way */
    g_idle_add (do_quit, run);
    return TRUE;
  case VMM_COMMAND_ATTACH:
  case VMM_COMMAND_BALLOON:
  case VMM_COMMAND_FORWARD:
  case VMM_COMMAND_STATS:
    break;
  }
  return TRUE;
}

static char *
on_command (gpointer data, const VmmCommand *command, GError **error)
{
  if (command->kind == VMM_COMMAND_STATS)
    return stats_text (data);
  if (command->kind == VMM_COMMAND_BALLOON)
    return vmm_run_balloon (((Run *) data)->machine, command, error);
  if (command->kind == VMM_COMMAND_ATTACH)
    return do_attach (data, command, error);
  if (command->kind == VMM_COMMAND_FORWARD)
    return do_forward (data, command, error);
  return do_command (data, command, error) ? g_strdup ("true") : NULL;
}

static void
take_screenshot (Run *run)
{
  g_autoptr (GError) error = NULL;

  if (!do_screenshot (run, run->options->screenshot, &error)) {
    say (error->message);
    run->screenshot_failed = TRUE;
  }
}

static gboolean
on_screenshot_time (gpointer data)
{
  take_screenshot (data);
  return G_SOURCE_REMOVE;
}

static void
resume (Run *run)
{
  g_autoptr (GError) error = NULL;

  if (!vmm_machine_resume (run->machine, &error))
    say (error->message);
}

static gboolean
on_signal (int fd, GIOCondition condition, gpointer data)
{
  Run *run = data;
  struct signalfd_siginfo info;

  if (read (fd, &info, sizeof info) != sizeof info)
    return G_SOURCE_CONTINUE;
  if (info.ssi_signo != SIGCONT)
    vmm_machine_stop (run->machine);
  else if (vmm_machine_get_state (run->machine) == VMM_MACHINE_PAUSED)
    resume (run);
  return G_SOURCE_CONTINUE;
}

/* Before any thread is made, so that none of them takes these signals. */
static int
catch_signals (void)
{
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, SIGINT);
  sigaddset (&set, SIGTERM);
  sigaddset (&set, SIGHUP);
  sigaddset (&set, SIGCONT);
  pthread_sigmask (SIG_BLOCK, &set, NULL);
  return signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Keys go to the guest one by one and unechoed; Ctrl+C still ends the run. */
static gboolean
make_terminal_raw (const VmmRunOptions *options, struct termios *saved)
{
  struct termios raw;

  if (!options->stdio || tcgetattr (STDIN_FILENO, saved) < 0)
    return FALSE;
  raw = *saved;
  raw.c_iflag &= ~(ICRNL | INLCR | IXON);
  raw.c_lflag &= ~(ICANON | ECHO | IEXTEN);
  return tcsetattr (STDIN_FILENO, TCSANOW, &raw) == 0;
}

/* One sentence and the code. */
static int
report_end (Run *run)
{
  VmmEnd end = vmm_machine_get_end (run->machine);

  switch (end.kind) {
  case VMM_END_POWER_OFF:
    say ("The guest turned itself off.");
    return EXIT_OFF;
  case VMM_END_RESET:
    say ("The guest restarted, and --no-reboot ends the run there.");
    return EXIT_RESET;
  case VMM_END_DEBUG_EXIT:
    fprintf (stderr, "vmm-run: The guest ended the run with the value %u.\n", end.value);
    return (int) ((end.value * 2 + 1) & 0xff);
  case VMM_END_CRASHED:
    say (end.message);
    fputs (end.registers, stderr);
    return EXIT_CRASHED;
  case VMM_END_NONE:
  case VMM_END_STOPPED:
    break;
  }
  say ("The run was ended from outside.");
  return EXIT_OFF;
}

static int
finish (Run *run)
{
  int code = report_end (run);

  if (run->options->screenshot && run->options->after < 0)
    take_screenshot (run);
  if (run->options->stats) {
    g_autofree char *text = stats_text (run);

    printf ("%s\n", text);
    fflush (stdout);
  }
  return run->screenshot_failed && code == EXIT_OFF ? EXIT_BAD_ARGUMENTS : code;
}

static gboolean
start (Run *run, GError **error)
{
  static const VmmListener listener = { on_state_changed, on_was_reset, on_paused_for,
                                        on_device_broken, on_panicked,  on_detached };
  VmmRunOptions *options = run->options;

  run->machine = vmm_machine_new (options->config, &listener, run, error);
  if (!run->machine)
    return FALSE;
  if (options->control) {
    run->control = vmm_control_new (options->control, on_command, run, error);
    if (!run->control)
      return FALSE;
  }
  return vmm_machine_start (run->machine, error);
}

static int
run_machine (Run *run, int signal_fd)
{
  g_autoptr (GError) error = NULL;
  struct termios terminal;
  gboolean is_raw;

  if (!start (run, &error)) {
    say (error->message);
    return exit_code_of (error);
  }
  is_raw = make_terminal_raw (run->options, &terminal);
  g_unix_fd_add (signal_fd, G_IO_IN, on_signal, run);
  if (run->options->screenshot && run->options->after >= 0)
    g_timeout_add ((guint) (run->options->after * 1000), on_screenshot_time, run);
  g_main_loop_run (run->loop);
  if (is_raw)
    tcsetattr (STDIN_FILENO, TCSANOW, &terminal);
  return finish (run);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VmmRunOptions) options = NULL;
  Run run = { 0 };
  int code;

  options = vmm_run_options_parse (argc, argv, &error);
  if (!options) {
    say (error->message);
    return EXIT_BAD_ARGUMENTS;
  }
  run.options = options;
  run.loop = g_main_loop_new (NULL, FALSE);
  code = run_machine (&run, catch_signals ());
  g_clear_pointer (&run.machine, vmm_machine_free);
  g_clear_pointer (&run.control, vmm_control_free);
  g_main_loop_unref (run.loop);
  return code;
}
