/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdMachine: the abstract type: its properties, and which verb is possible in
 * which state, in one table.
 *
 * Threads: main.
 */
#include "vd-machine.h"
#include "vd-error.h"

#include <glib/gi18n-lib.h>

typedef struct {
  /* Owned */
  char *uuid;
  char *name;
  char *problem;
  char *details;
  char *status;
  char *engine_name;
  char *engine_reason;
  char *slow_reason;
  VdConfig *config;
  VdDisplay *display;
  VdJob *job;
  GFile *screenshot;

  VdMachineState state;
  gboolean read_only;
  gboolean saved;
} VdMachinePrivate;

enum {
  PROP_0,
  PROP_UUID,
  PROP_NAME,
  PROP_STATE,
  PROP_CONFIG,
  PROP_DISPLAY,
  PROP_STATUS,
  PROP_PROBLEM,
  PROP_JOB,
  PROP_SCREENSHOT,
  PROP_READ_ONLY,
  PROP_ACTIVE,
  PROP_SAVED,
  PROP_ENGINE_NAME,
  PROP_ENGINE_REASON,
  PROP_SLOW_REASON,
  N_PROPS
};
static GParamSpec *props[N_PROPS];

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (VdMachine, vd_machine, G_TYPE_OBJECT)
G_DEFINE_ENUM_TYPE (VdMachineState,
                    vd_machine_state,
                    G_DEFINE_ENUM_VALUE (VD_MACHINE_OFF, "off"),
                    G_DEFINE_ENUM_VALUE (VD_MACHINE_STARTING, "starting"),
                    G_DEFINE_ENUM_VALUE (VD_MACHINE_RUNNING, "running"),
                    G_DEFINE_ENUM_VALUE (VD_MACHINE_PAUSED, "paused"),
                    G_DEFINE_ENUM_VALUE (VD_MACHINE_STOPPING, "stopping"),
                    G_DEFINE_ENUM_VALUE (VD_MACHINE_CRASHED, "crashed"),
                    G_DEFINE_ENUM_VALUE (VD_MACHINE_ELSEWHERE, "elsewhere"),
                    G_DEFINE_ENUM_VALUE (VD_MACHINE_BROKEN, "broken"))

#define PRIV(self) ((VdMachinePrivate *) vd_machine_get_instance_private (self))
#define IN(state)  (1u << VD_MACHINE_##state)

/* The states in which a verb is possible, its title, and where it lies in the class. */
typedef struct {
  guint states;
  const char *title;
  gsize offset; /* of a VdJob *(*) (VdMachine *) in VdMachineClass */
} Verb;

static const Verb verb_start = { IN (OFF) | IN (CRASHED), N_("Start"),
                                 G_STRUCT_OFFSET (VdMachineClass, start) };
static const Verb verb_pause = { IN (RUNNING), N_("Pause"),
                                 G_STRUCT_OFFSET (VdMachineClass, pause) };
static const Verb verb_resume = { IN (PAUSED), N_("Resume"),
                                  G_STRUCT_OFFSET (VdMachineClass, resume) };
static const Verb verb_power_off = { IN (RUNNING) | IN (STOPPING), N_("Turn Off"),
                                     G_STRUCT_OFFSET (VdMachineClass, power_off) };
static const Verb verb_force_off = { IN (RUNNING) | IN (PAUSED) | IN (STOPPING), N_("Force Off"),
                                     G_STRUCT_OFFSET (VdMachineClass, force_off) };
static const Verb verb_reset = { IN (RUNNING) | IN (PAUSED) | IN (STOPPING), N_("Reset"),
                                 G_STRUCT_OFFSET (VdMachineClass, reset) };

static const Verb verb_save = { IN (RUNNING) | IN (PAUSED), N_("Save"),
                                G_STRUCT_OFFSET (VdMachineClass, save) };
static const Verb verb_discard = { IN (OFF) | IN (CRASHED), N_("Discard What Was Saved"),
                                   G_STRUCT_OFFSET (VdMachineClass, discard) };

static const char *
describe_state (VdMachineState state)
{
  switch (state) {
  case VD_MACHINE_OFF:
    return _("Off");
  case VD_MACHINE_STARTING:
    return _("Starting…");
  case VD_MACHINE_RUNNING:
    return _("Running");
  case VD_MACHINE_PAUSED:
    return _("Paused");
  case VD_MACHINE_STOPPING:
    return _("Turning off…");
  case VD_MACHINE_CRASHED:
    return _("Crashed");
  case VD_MACHINE_ELSEWHERE:
    return _("Running in another process");
  case VD_MACHINE_BROKEN:
    return _("Cannot be read");
  default:
    return "";
  }
}

static void
update_status (VdMachine *self)
{
  VdMachinePrivate *priv = PRIV (self);

  g_free (priv->status);
  if (priv->state == VD_MACHINE_CRASHED && priv->problem != NULL)
    priv->status = g_strdup_printf (_("Crashed: %s"), priv->problem);
  else if (priv->state == VD_MACHINE_OFF && priv->saved)
    priv->status = g_strdup (_("Saved"));
  else
    priv->status = g_strdup (describe_state (priv->state));
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_STATUS]);
}

void
vd_machine_set_state (VdMachine *self, VdMachineState state, const char *problem)
{
  VdMachinePrivate *priv = PRIV (self);
  gboolean was_active = vd_machine_is_active (self);
  gboolean changed = priv->state != state;

  g_object_freeze_notify (G_OBJECT (self));
  priv->state = state;
  if (g_set_str (&priv->problem, problem))
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_PROBLEM]);
  if (changed)
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_STATE]);
  if (was_active != vd_machine_is_active (self))
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_ACTIVE]);
  update_status (self);
  g_object_thaw_notify (G_OBJECT (self));
}

void
vd_machine_set_saved (VdMachine *self, gboolean saved)
{
  if (PRIV (self)->saved == saved)
    return;
  PRIV (self)->saved = saved;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_SAVED]);
  update_status (self);
}

void
vd_machine_set_details (VdMachine *self, const char *details)
{
  g_set_str (&PRIV (self)->details, details);
}

void
vd_machine_set_uuid (VdMachine *self, const char *uuid)
{
  g_set_str (&PRIV (self)->uuid, uuid);
}

void
vd_machine_set_name (VdMachine *self, const char *name)
{
  if (g_set_str (&PRIV (self)->name, name))
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_NAME]);
}

void
vd_machine_set_config (VdMachine *self, VdConfig *config, gboolean read_only)
{
  VdMachinePrivate *priv = PRIV (self);

  g_set_object (&priv->config, config);
  priv->read_only = read_only;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CONFIG]);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_READ_ONLY]);
  if (config == NULL)
    return;
  vd_machine_set_uuid (self, vd_config_get_uuid (config));
  vd_machine_set_name (self, vd_config_get_name (config));
}

void
vd_machine_set_display (VdMachine *self, VdDisplay *display)
{
  if (g_set_object (&PRIV (self)->display, display))
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_DISPLAY]);
}

/* Always notifies: the picture behind the same name may be a new one. */
void
vd_machine_set_screenshot (VdMachine *self, GFile *file)
{
  g_set_object (&PRIV (self)->screenshot, file);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_SCREENSHOT]);
}

void
vd_machine_set_engine (VdMachine *self, const char *name, const char *reason, const char *slow)
{
  VdMachinePrivate *priv = PRIV (self);

  if (g_set_str (&priv->engine_name, name))
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_ENGINE_NAME]);
  if (g_set_str (&priv->engine_reason, reason))
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_ENGINE_REASON]);
  if (g_set_str (&priv->slow_reason, slow))
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_SLOW_REASON]);
}

#define GETTER(type, name, expression)                                                             \
  type vd_machine_##name (VdMachine *self)                                                         \
  {                                                                                                \
    g_return_val_if_fail (VD_IS_MACHINE (self), (type) 0);                                         \
    return expression;                                                                             \
  }

GETTER (const char *, get_uuid, PRIV (self)->uuid)
GETTER (const char *, get_name, PRIV (self)->name)
GETTER (VdMachineState, get_state, PRIV (self)->state)
GETTER (VdConfig *, get_config, PRIV (self)->config)
GETTER (VdDisplay *, get_display, PRIV (self)->display)
GETTER (const char *, get_status, PRIV (self)->status)
GETTER (const char *, get_problem, PRIV (self)->problem)
GETTER (const char *, get_details, PRIV (self)->details)
GETTER (VdJob *, get_job, PRIV (self)->job)
GETTER (GFile *, get_screenshot, PRIV (self)->screenshot)
GETTER (gboolean, get_read_only, PRIV (self)->read_only)
GETTER (gboolean, get_saved, PRIV (self)->saved)
GETTER (const char *, get_engine_name, PRIV (self)->engine_name)
GETTER (const char *, get_engine_reason, PRIV (self)->engine_reason)
GETTER (const char *, get_slow_reason, PRIV (self)->slow_reason)
GETTER (gboolean,
        is_active,
        ((IN (STARTING) | IN (RUNNING) | IN (PAUSED) | IN (STOPPING)) >> PRIV (self)->state) & 1)

gboolean
vd_machine_can_save (VdMachine *self)
{
  VdMachineClass *klass = VD_MACHINE_GET_CLASS (self);

  g_return_val_if_fail (VD_IS_MACHINE (self), FALSE);

  return ((verb_save.states >> PRIV (self)->state) & 1) && klass->can_save != NULL &&
         klass->can_save (self);
}

static void
set_job (VdMachine *self, VdJob *job)
{
  if (g_set_object (&PRIV (self)->job, job))
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_JOB]);
}

static void
on_job_finished (VdMachine *self, VdJob *job)
{
  if (PRIV (self)->job == job)
    set_job (self, NULL);
}

VdJob *
vd_machine_watch (VdMachine *self, VdJob *job)
{
  if (!vd_job_is_finished (job)) {
    g_signal_connect_object (job, "finished", G_CALLBACK (on_job_finished), self,
                             G_CONNECT_SWAPPED);
    set_job (self, job);
  }
  return job;
}

static VdJob *
refuse (VdMachine *self, const char *title)
{
  const char *name = PRIV (self)->name;
  const char *problem = PRIV (self)->problem;
  GError *error = NULL;

  if (PRIV (self)->state == VD_MACHINE_BROKEN)
    g_set_error (&error, VD_ERROR, VD_ERROR_BROKEN, _("“%s” cannot be used: %s"), name, problem);
  else if (PRIV (self)->state == VD_MACHINE_ELSEWHERE)
    g_set_error (&error, VD_ERROR, VD_ERROR_OWNED,
                 _("“%s” still runs in another process; it comes here when it stops."), name);
  else
    g_set_error (&error, VD_ERROR, VD_ERROR_STATE,
                 /* Translators: the second %s is a state such as “Running” or “Off”. */
                 _("This is not possible for “%s” now; its state: %s."), name,
                 describe_state (PRIV (self)->state));
  return vd_job_new_failed (title, self, error);
}

static VdJob *
perform (VdMachine *self, const Verb *verb)
{
  VdJob *(*func) (VdMachine *self);
  GError *error = NULL;

  if (!((verb->states >> PRIV (self)->state) & 1))
    return refuse (self, _(verb->title));
  if ((verb == &verb_start || verb == &verb_save || verb == &verb_discard) &&
      PRIV (self)->job != NULL) {
    g_set_error (&error, VD_ERROR, VD_ERROR_STATE, _("“%s” is busy: %s."), PRIV (self)->name,
                 vd_job_get_title (PRIV (self)->job));
    return vd_job_new_failed (_(verb->title), self, error);
  }
  func = G_STRUCT_MEMBER (gpointer, VD_MACHINE_GET_CLASS (self), verb->offset);
  return vd_machine_watch (self, func (self));
}

#define VERB(name)                                                                                 \
  VdJob *vd_machine_##name (VdMachine *self)                                                       \
  {                                                                                                \
    g_return_val_if_fail (VD_IS_MACHINE (self), NULL);                                             \
    return perform (self, &verb_##name);                                                           \
  }

VERB (start)
VERB (pause)
VERB (resume)
VERB (power_off)
VERB (force_off)
VERB (reset)
VERB (save)
VERB (discard)

VdJob *
vd_machine_set_disc (VdMachine *self, guint drive, const char *path, gboolean force)
{
  g_return_val_if_fail (VD_IS_MACHINE (self), NULL);

  if (!(((IN (RUNNING) | IN (PAUSED)) >> PRIV (self)->state) & 1))
    return refuse (self, _("Change the Disc"));
  return vd_machine_watch (self, VD_MACHINE_GET_CLASS (self)->set_disc (self, drive, path, force));
}

VdJob *
vd_machine_save_screenshot (VdMachine *self, GFile *file)
{
  GError *error = NULL;

  g_return_val_if_fail (VD_IS_MACHINE (self), NULL);

  if (PRIV (self)->display == NULL && PRIV (self)->screenshot == NULL) {
    g_set_error (&error, VD_ERROR, VD_ERROR_STATE, _("“%s” has no picture yet; start it first."),
                 PRIV (self)->name);
    return vd_job_new_failed (_("Save Screenshot"), self, error);
  }
  return VD_MACHINE_GET_CLASS (self)->save_screenshot (self, file);
}

static void
vd_machine_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  VdMachine *self = VD_MACHINE (object);
  VdMachinePrivate *priv = PRIV (self);

  switch (id) {
  case PROP_UUID:
    g_value_set_string (value, priv->uuid);
    break;
  case PROP_NAME:
    g_value_set_string (value, priv->name);
    break;
  case PROP_STATE:
    g_value_set_enum (value, priv->state);
    break;
  case PROP_CONFIG:
    g_value_set_object (value, priv->config);
    break;
  case PROP_DISPLAY:
    g_value_set_object (value, priv->display);
    break;
  case PROP_STATUS:
    g_value_set_string (value, priv->status);
    break;
  case PROP_PROBLEM:
    g_value_set_string (value, priv->problem);
    break;
  case PROP_JOB:
    g_value_set_object (value, priv->job);
    break;
  case PROP_SCREENSHOT:
    g_value_set_object (value, priv->screenshot);
    break;
  case PROP_READ_ONLY:
    g_value_set_boolean (value, priv->read_only);
    break;
  case PROP_ACTIVE:
    g_value_set_boolean (value, vd_machine_is_active (self));
    break;
  case PROP_SAVED:
    g_value_set_boolean (value, priv->saved);
    break;
  case PROP_ENGINE_NAME:
    g_value_set_string (value, priv->engine_name);
    break;
  case PROP_ENGINE_REASON:
    g_value_set_string (value, priv->engine_reason);
    break;
  case PROP_SLOW_REASON:
    g_value_set_string (value, priv->slow_reason);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
vd_machine_finalize (GObject *object)
{
  VdMachinePrivate *priv = PRIV (VD_MACHINE (object));

  g_clear_object (&priv->config);
  g_clear_object (&priv->display);
  g_clear_object (&priv->job);
  g_clear_object (&priv->screenshot);
  g_free (priv->uuid);
  g_free (priv->name);
  g_free (priv->problem);
  g_free (priv->details);
  g_free (priv->status);
  g_free (priv->engine_name);
  g_free (priv->engine_reason);
  g_free (priv->slow_reason);
  G_OBJECT_CLASS (vd_machine_parent_class)->finalize (object);
}

static void
vd_machine_class_init (VdMachineClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  static const struct {
    guint id;
    const char *name;
  } strings[] = {
    { PROP_UUID, "uuid" },
    { PROP_NAME, "name" },
    { PROP_STATUS, "status" },
    { PROP_PROBLEM, "problem" },
    { PROP_ENGINE_NAME, "engine-name" },
    { PROP_ENGINE_REASON, "engine-reason" },
    { PROP_SLOW_REASON, "slow-reason" },
  };

  object_class->get_property = vd_machine_get_property;
  object_class->finalize = vd_machine_finalize;

  for (guint i = 0; i < G_N_ELEMENTS (strings); i++)
    props[strings[i].id] = g_param_spec_string (strings[i].name, NULL, NULL, NULL, flags);
  props[PROP_STATE] =
    g_param_spec_enum ("state", NULL, NULL, VD_TYPE_MACHINE_STATE, VD_MACHINE_OFF, flags);
  props[PROP_CONFIG] = g_param_spec_object ("config", NULL, NULL, VD_TYPE_CONFIG, flags);
  props[PROP_DISPLAY] = g_param_spec_object ("display", NULL, NULL, VD_TYPE_DISPLAY, flags);
  props[PROP_JOB] = g_param_spec_object ("job", NULL, NULL, VD_TYPE_JOB, flags);
  props[PROP_SCREENSHOT] = g_param_spec_object ("screenshot", NULL, NULL, G_TYPE_FILE, flags);
  props[PROP_READ_ONLY] = g_param_spec_boolean ("read-only", NULL, NULL, FALSE, flags);
  props[PROP_ACTIVE] = g_param_spec_boolean ("active", NULL, NULL, FALSE, flags);
  props[PROP_SAVED] = g_param_spec_boolean ("saved", NULL, NULL, FALSE, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
vd_machine_init (VdMachine *self)
{
  update_status (self);
}
