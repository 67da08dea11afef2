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
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "tools/vmm-control.h"
#include "tools/vmm-run-options.h"
#include "tools/vmm-run-verbs.h"
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
  post_event (
    data, g_strdup_printf ("{\"event\": \"state\", \"state\": \"%s\"}", vmm_run_state_name (state)),
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

static gboolean
do_quit (gpointer data)
{
  Run *run = data;

  vmm_machine_stop (run->machine);
  return G_SOURCE_REMOVE;
}

static char *
on_command (gpointer data, const VmmCommand *command, GError **error)
{
  Run *run = data;

  if (command->kind != VMM_COMMAND_QUIT)
    return vmm_run_do (run->machine, command, error);
  g_idle_add (do_quit, run); /* after the answer is on its way */
  return g_strdup ("true");
}

static void
take_screenshot (Run *run)
{
  g_autoptr (GError) error = NULL;

  if (!vmm_run_screenshot (run->machine, run->options->screenshot, &error)) {
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
    g_autofree char *text = vmm_run_stats (run->machine);

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
