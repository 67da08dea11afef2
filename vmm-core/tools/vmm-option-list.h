/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VmmOptionList: the argument of an option that has options of its own, "VALUE,key=value,key=on". A
 * comma that belongs to a value is written twice. Who reads the list takes what it knows; what is
 * left over is an error, so a word mistyped is never silently without effect.
 *
 * Threads: any; one owner at a time. Every failure is VMM_ERROR_CONFIG.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _VmmOptionList VmmOptionList;

/* @option is the option's name, such as "--disk", for messages. */
VmmOptionList *vmm_option_list_parse (const char *option, const char *text, GError **error);
void vmm_option_list_free (VmmOptionList *self);

/* What stands first; never NULL, but it may be empty. */
const char *vmm_option_list_get_value (VmmOptionList *self);
/* The next value of @key, or NULL: a key that may be repeated is taken until it is used up. */
const char *vmm_option_list_take (VmmOptionList *self, const char *key);
/* "on" or "off"; @value stays where the key is not there. */
gboolean
vmm_option_list_take_switch (VmmOptionList *self, const char *key, gboolean *value, GError **error);
/* One of @names, which ends with NULL: its index; @value stays where the key is not there. */
gboolean vmm_option_list_take_name (VmmOptionList *self,
                                    const char *key,
                                    const char *const *names,
                                    guint *value,
                                    GError **error);
/* That nothing is left: no unknown key, none given twice. */
gboolean vmm_option_list_finish (VmmOptionList *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VmmOptionList, vmm_option_list_free)

G_END_DECLS
