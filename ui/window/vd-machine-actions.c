/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vd-machine-actions.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#include "vd-report.h"

#define IN(state) (1u << (state))

typedef struct {
  const char *name;
  guint states; /* in which it can be done */
  VdJob *(*verb) (VdMachine *machine);
  gboolean (*possible) (VdMachine *machine); /* beside the state; NULL: always */
  const char *confirm;                       /* heading with %s for the name, or NULL */
  const char *warning;
  const char *label;
} MachineAction;

static const MachineAction actions[] = {
  { "start", IN (VD_MACHINE_OFF) | IN (VD_MACHINE_CRASHED), vd_machine_start },
  { "pause", IN (VD_MACHINE_RUNNING), vd_machine_pause },
  { "resume", IN (VD_MACHINE_PAUSED), vd_machine_resume },
  { "power-off", IN (VD_MACHINE_RUNNING), vd_machine_power_off },
  { "save", IN (VD_MACHINE_RUNNING) | IN (VD_MACHINE_PAUSED), vd_machine_save,
    vd_machine_can_save },
  { "discard", IN (VD_MACHINE_OFF) | IN (VD_MACHINE_CRASHED), vd_machine_discard,
    vd_machine_get_saved, N_("Discard What “%s” Was Doing?"),
    N_("It will start anew, as after a power cut: what is not saved inside the machine is lost."),
    N_("_Discard") },
  { "reset", IN (VD_MACHINE_RUNNING) | IN (VD_MACHINE_PAUSED), vd_machine_reset, NULL,
    N_("Restart “%s” at Once?"), N_("What is not saved inside the machine is lost."),
    N_("_Restart") },
  { "force-off",
    IN (VD_MACHINE_STARTING) | IN (VD_MACHINE_RUNNING) | IN (VD_MACHINE_PAUSED) |
      IN (VD_MACHINE_STOPPING),
    vd_machine_force_off, NULL, N_("Force “%s” Off?"),
    N_("This is like pulling the plug: what is not saved inside the machine is lost."),
    N_("_Force Off") },
};

/* What a group of actions stands on; freed with the group. */
typedef struct {
  GtkWidget *widget;         /* borrowed: it owns the group */
  VdMachine *machine;        /* owned */
  GSimpleActionGroup *group; /* borrowed */
  gulong state_handler, job_handler, saved_handler;
} Context;

typedef struct {
  VdMachine *machine;
  const MachineAction *action;
  GtkWidget *widget;
} Question;

static void
answered (AdwAlertDialog *dialog, const char *response, Question *question)
{
  if (g_str_equal (response, "do"))
    vd_report_job (question->widget, question->action->verb (question->machine));
}

static void
question_free (gpointer data, GClosure *closure)
{
  Question *question = data;

  g_object_unref (question->machine);
  g_object_unref (question->widget);
  g_free (question);
}

/* Only for what cannot be undone. */
static void
ask (Context *context, const MachineAction *action)
{
  g_autofree char *heading = NULL;
  Question *question;
  AdwAlertDialog *dialog;

  if (vd_is_asking (context->widget))
    return;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  heading = g_strdup_printf (_(action->confirm), vd_machine_get_name (context->machine));
#pragma GCC diagnostic pop
  dialog = ADW_ALERT_DIALOG (adw_alert_dialog_new (heading, _(action->warning)));
  adw_alert_dialog_add_responses (dialog, "cancel", _("_Cancel"), "do", _(action->label), NULL);
  adw_alert_dialog_set_response_appearance (dialog, "do", ADW_RESPONSE_DESTRUCTIVE);
  adw_alert_dialog_set_default_response (dialog, "cancel"); /* Enter harms nothing */
  question = g_new (Question, 1);
  *question =
    (Question) { g_object_ref (context->machine), action, g_object_ref (context->widget) };
  g_signal_connect_data (dialog, "response", G_CALLBACK (answered), question, question_free, 0);
  adw_dialog_present (ADW_DIALOG (dialog), context->widget);
}

static void
activated (GSimpleAction *simple, GVariant *parameter, gpointer data)
{
  Context *context = data;
  const char *name = g_action_get_name (G_ACTION (simple));

  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    if (g_str_equal (actions[i].name, name)) {
      if (actions[i].confirm != NULL)
        ask (context, &actions[i]);
      else
        vd_report_job (context->widget, actions[i].verb (context->machine));
    }
}

static void
cancel_activated (GSimpleAction *simple, GVariant *parameter, gpointer data)
{
  Context *context = data;
  VdJob *job = vd_machine_get_job (context->machine);

  if (job != NULL)
    vd_job_cancel (job);
}

static void
update (Context *context)
{
  guint state = IN (vd_machine_get_state (context->machine));
  GActionMap *map = G_ACTION_MAP (context->group);

  for (guint i = 0; i < G_N_ELEMENTS (actions); i++) {
    GAction *action = g_action_map_lookup_action (map, actions[i].name);

    g_simple_action_set_enabled (
      G_SIMPLE_ACTION (action),
      (actions[i].states & state) != 0 &&
        (actions[i].possible == NULL || actions[i].possible (context->machine)));
  }
  g_simple_action_set_enabled (G_SIMPLE_ACTION (g_action_map_lookup_action (map, "cancel")),
                               vd_machine_get_job (context->machine) != NULL);
}

static void
context_free (Context *context)
{
  g_clear_signal_handler (&context->state_handler, context->machine);
  g_clear_signal_handler (&context->job_handler, context->machine);
  g_clear_signal_handler (&context->saved_handler, context->machine);
  g_object_unref (context->machine);
  g_free (context);
}

static void
add_action (Context *context, const char *name, GCallback callback)
{
  g_autoptr (GSimpleAction) action = g_simple_action_new (name, NULL);

  g_signal_connect (action, "activate", callback, context);
  g_action_map_add_action (G_ACTION_MAP (context->group), G_ACTION (action));
}

void
vd_machine_actions_install (GtkWidget *widget, VdMachine *machine)
{
  g_autoptr (GSimpleActionGroup) group = NULL;
  Context *context;

  gtk_widget_insert_action_group (widget, "machine", NULL);
  if (machine == NULL)
    return;

  group = g_simple_action_group_new ();
  context = g_new0 (Context, 1);
  context->widget = widget;
  context->machine = g_object_ref (machine);
  context->group = group;
  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    add_action (context, actions[i].name, G_CALLBACK (activated));
  add_action (context, "cancel", G_CALLBACK (cancel_activated));
  context->state_handler =
    g_signal_connect_swapped (machine, "notify::state", G_CALLBACK (update), context);
  context->job_handler =
    g_signal_connect_swapped (machine, "notify::job", G_CALLBACK (update), context);
  context->saved_handler =
    g_signal_connect_swapped (machine, "notify::saved", G_CALLBACK (update), context);
  g_object_set_data_full (G_OBJECT (group), "context", context, (GDestroyNotify) context_free);
  update (context);
  gtk_widget_insert_action_group (widget, "machine", G_ACTION_GROUP (group));
}
