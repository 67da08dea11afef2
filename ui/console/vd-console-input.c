/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * VdConsole's other half: keys, pointer, wheel and the capture of the keyboard.
 *
 * Threads: main.
 */
#include "vd-console-private.h"

#include <linux/input-event-codes.h>
#include <math.h>

/* X11 keycodes (and with them GDK's, on Wayland too) are evdev codes plus 8. */
#define X11_KEYCODE_OFFSET 8

gboolean
vd_console_get_captured (VdConsole *self)
{
  return self->captured;
}

static void
vd_console_inhibit_shortcuts (VdConsole *self, gboolean inhibit)
{
  GtkNative *native = gtk_widget_get_native (GTK_WIDGET (self));
  GdkSurface *surface = native != NULL ? gtk_native_get_surface (native) : NULL;

  if (surface == NULL || !GDK_IS_TOPLEVEL (surface))
    return;
  if (inhibit && g_settings_get_boolean (self->settings, "capture-shortcuts"))
    gdk_toplevel_inhibit_system_shortcuts (GDK_TOPLEVEL (surface), NULL);
  else
    gdk_toplevel_restore_system_shortcuts (GDK_TOPLEVEL (surface));
}

static gboolean
vd_console_key (VdConsole *self, guint keycode, gboolean pressed)
{
  guint evdev;

  if (!self->captured || self->display == NULL || keycode < X11_KEYCODE_OFFSET)
    return FALSE;
  evdev = keycode - X11_KEYCODE_OFFSET;
  vd_display_key (self->display, evdev, pressed);
  if (vd_release_key_feed (&self->release_key, evdev, pressed))
    vd_console_set_captured (self, FALSE);
  return TRUE;
}

static gboolean
vd_console_key_pressed (GtkEventControllerKey *controller,
                        guint keyval,
                        guint keycode,
                        GdkModifierType state,
                        VdConsole *self)
{
  return vd_console_key (self, keycode, TRUE);
}

static void
vd_console_key_released (GtkEventControllerKey *controller,
                         guint keyval,
                         guint keycode,
                         GdkModifierType state,
                         VdConsole *self)
{
  vd_console_key (self, keycode, FALSE);
}

static void
vd_console_forget_keys (VdConsole *self)
{
  if (self->keys != NULL)
    gtk_widget_remove_controller (GTK_WIDGET (gtk_widget_get_root (GTK_WIDGET (self))), self->keys);
  self->keys = NULL;
}

/* On the window, in the capture phase, and newest, which is first: while the console has the
 * keyboard no shortcut of the window or of the application may see a key before it. */
static void
vd_console_listen_to_keys (VdConsole *self)
{
  GtkEventController *keys = gtk_event_controller_key_new ();

  vd_console_forget_keys (self);
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect (keys, "key-pressed", G_CALLBACK (vd_console_key_pressed), self);
  g_signal_connect (keys, "key-released", G_CALLBACK (vd_console_key_released), self);
  gtk_widget_add_controller (GTK_WIDGET (gtk_widget_get_root (GTK_WIDGET (self))), keys);
  self->keys = keys;
}

void
vd_console_set_captured (VdConsole *self, gboolean captured)
{
  captured = captured && gtk_widget_get_root (GTK_WIDGET (self)) != NULL;
  if (self->captured == captured)
    return;
  self->captured = captured;
  vd_release_key_init (&self->release_key, g_settings_get_enum (self->settings, "release-key"));
  if (self->display != NULL)
    vd_display_release_all (self->display);
  vd_console_inhibit_shortcuts (self, captured);
  if (captured) {
    vd_console_listen_to_keys (self);
    gtk_widget_grab_focus (GTK_WIDGET (self));
  }
  g_object_notify (G_OBJECT (self), "captured");
}

void
vd_console_leave_root (VdConsole *self)
{
  vd_console_set_captured (self, FALSE);
  vd_console_forget_keys (self);
}

static void
vd_console_focus_left (VdConsole *self)
{
  vd_console_set_captured (self, FALSE);
}

/* The place in the guest's screen, 0 to 1, of a point of the widget. */
static void
vd_console_move (VdConsole *self, double x, double y)
{
  const graphene_rect_t *picture = &self->picture;

  if (self->display == NULL || picture->size.width <= 0 || picture->size.height <= 0)
    return;
  x = (x - picture->origin.x) / picture->size.width;
  y = (y - picture->origin.y) / picture->size.height;
  vd_display_move (self->display, CLAMP (x, 0, 1), CLAMP (y, 0, 1));
}

static guint
button_to_evdev (guint button)
{
  switch (button) {
  case GDK_BUTTON_PRIMARY:
    return BTN_LEFT;
  case GDK_BUTTON_MIDDLE:
    return BTN_MIDDLE;
  case GDK_BUTTON_SECONDARY:
    return BTN_RIGHT;
  case 8:
    return BTN_SIDE;
  case 9:
    return BTN_EXTRA;
  default:
    return 0;
  }
}

/* Raw events: a click gesture gives up on long drags, a guest must not. */
static gboolean
vd_console_event (GtkEventControllerLegacy *controller, GdkEvent *event, VdConsole *self)
{
  GdkEventType type = gdk_event_get_event_type (event);
  guint code;

  if (type != GDK_BUTTON_PRESS && type != GDK_BUTTON_RELEASE)
    return FALSE;
  code = button_to_evdev (gdk_button_event_get_button (event));
  if (code == 0 || self->display == NULL)
    return FALSE;
  if (type == GDK_BUTTON_PRESS)
    vd_console_set_captured (self, TRUE);
  vd_display_button (self->display, code, type == GDK_BUTTON_PRESS);
  return TRUE;
}

/* Touchpads scroll by parts of a notch; the guest gets whole ones. */
static int
take_notches (double *sum, double delta)
{
  int notches;

  *sum += delta;
  notches = trunc (*sum);
  *sum -= notches;
  return notches;
}

static gboolean
vd_console_scroll (GtkEventControllerScroll *controller, double dx, double dy, VdConsole *self)
{
  double unit =
    gtk_event_controller_scroll_get_unit (controller) == GDK_SCROLL_UNIT_WHEEL ? 1 : 1 / 20.0;
  int vertical = -take_notches (&self->wheel_y, dy * unit);
  int horizontal = take_notches (&self->wheel_x, dx * unit);

  if (self->display != NULL && (vertical != 0 || horizontal != 0))
    vd_display_wheel (self->display, vertical, horizontal);
  return TRUE;
}

void
vd_console_send_keys (VdConsole *self, const guint *codes)
{
  guint n = 0;

  if (self->display == NULL)
    return;
  for (; codes[n] != 0; n++)
    vd_display_key (self->display, codes[n], TRUE);
  while (n > 0)
    vd_display_key (self->display, codes[--n], FALSE);
}

static GtkEventController *
vd_console_add_controller (VdConsole *self, GtkEventController *controller)
{
  gtk_widget_add_controller (GTK_WIDGET (self), controller);
  return controller;
}

void
vd_console_init_input (VdConsole *self)
{
  GtkEventController *focus = vd_console_add_controller (self, gtk_event_controller_focus_new ());
  GtkEventController *motion = vd_console_add_controller (self, gtk_event_controller_motion_new ());
  GtkEventController *raw = vd_console_add_controller (self, gtk_event_controller_legacy_new ());
  GtkEventController *scroll = vd_console_add_controller (
    self, gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_BOTH_AXES));

  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  g_signal_connect_swapped (focus, "leave", G_CALLBACK (vd_console_focus_left), self);
  g_signal_connect_swapped (motion, "motion", G_CALLBACK (vd_console_move), self);
  g_signal_connect_swapped (motion, "enter", G_CALLBACK (vd_console_move), self);
  g_signal_connect (raw, "event", G_CALLBACK (vd_console_event), self);
  g_signal_connect (scroll, "scroll", G_CALLBACK (vd_console_scroll), self);
}
