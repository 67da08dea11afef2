/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What vd-window.c (the list, the selection, life) and vd-window-actions.c (what one
 * can do) share. No one else includes this.
 *
 * Threads: main.
 */
#pragma once

#include "vd-jobs-button.h"
#include "vd-machine-page.h"
#include "vd-window.h"

G_BEGIN_DECLS

struct _VdWindow {
  AdwApplicationWindow parent_instance;

  /* Template widgets */
  AdwToastOverlay *toasts;
  GtkStack *stack;
  AdwBanner *banner, *welcome_banner;
  AdwNavigationSplitView *split;
  AdwNavigationPage *content_page;
  GtkSearchBar *search_bar;
  GtkEditable *search_entry;
  GtkStack *list_stack;
  GtkListView *list;
  VdMachinePage *page;
  VdJobsButton *jobs, *welcome_jobs;

  /* Owned */
  VdLibrary *library;
  GSettings *settings;
  GtkStringFilter *filter;
  GtkSingleSelection *selection;
  GHashTable *consoles; /* VdMachine -> GtkWindow, borrowed both ways: removed when destroyed */
  VdMachine *shown;     /* the one whose state the actions follow */
  GSignalGroup *shown_signals;
};

void vd_window_class_init_actions (GtkWidgetClass *klass);
/* Actions follow the selected machine's state. */
void vd_window_update_actions (VdWindow *self);

G_END_DECLS
