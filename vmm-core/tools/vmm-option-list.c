/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See vmm-option-list.h.
 *
 * Threads: any; one owner at a time.
 */
#include "tools/vmm-option-list.h"

#include <string.h>

#include "vmm-error.h"

#define MAX_LENGTH 65536
#define MAX_KEYS   64

typedef struct {
  char *key, *value;
  gboolean taken;
} Pair;

struct _VmmOptionList {
  char *option, *value;
  GArray *pairs; /* Pair */
};

static void
clear_pair (gpointer data)
{
  Pair *pair = data;

  g_free (pair->key);
  g_free (pair->value);
}

/* The text up to the next single comma; @text moves behind that, or becomes NULL at the end. */
static char *
read_item (const char **text)
{
  GString *item = g_string_new (NULL);

  for (const char *at = *text;; at++) {
    if (*at == ',' && at[1] == ',') {
      at++;
    } else if (*at == ',' || !*at) {
      *text = *at ? at + 1 : NULL;
      return g_string_free_and_steal (item);
    }
    g_string_append_c (item, *at);
  }
}

static gboolean
add_pair (VmmOptionList *self, const char *item, GError **error)
{
  const char *equals = strchr (item, '=');
  Pair pair;

  if (!equals || equals == item || self->pairs->len == MAX_KEYS) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
                 "%s takes key=value after a comma, not “%s”; a comma in a name is written twice.",
                 self->option, item);
    return FALSE;
  }
  pair = (Pair) { g_strndup (item, equals - item), g_strdup (equals + 1), FALSE };
  g_array_append_val (self->pairs, pair);
  return TRUE;
}

VmmOptionList *
vmm_option_list_parse (const char *option, const char *text, GError **error)
{
  g_autoptr (VmmOptionList) self = g_new0 (VmmOptionList, 1);

  self->option = g_strdup (option);
  self->pairs = g_array_new (FALSE, FALSE, sizeof (Pair));
  g_array_set_clear_func (self->pairs, clear_pair);
  if (strlen (text) > MAX_LENGTH) {
    g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG, "What follows %s is too long.", option);
    return NULL;
  }
  self->value = read_item (&text);
  while (text) {
    g_autofree char *item = read_item (&text);

    if (!add_pair (self, item, error))
      return NULL;
  }
  return g_steal_pointer (&self);
}

void
vmm_option_list_free (VmmOptionList *self)
{
  g_free (self->option);
  g_free (self->value);
  g_array_unref (self->pairs);
  g_free (self);
}

const char *
vmm_option_list_get_value (VmmOptionList *self)
{
  return self->value;
}

const char *
vmm_option_list_take (VmmOptionList *self, const char *key)
{
  for (guint i = 0; i < self->pairs->len; i++) {
    Pair *pair = &g_array_index (self->pairs, Pair, i);

    if (!pair->taken && strcmp (pair->key, key) == 0) {
      pair->taken = TRUE;
      return pair->value;
    }
  }
  return NULL;
}

gboolean
vmm_option_list_take_name (VmmOptionList *self,
                           const char *key,
                           const char *const *names,
                           guint *value,
                           GError **error)
{
  const char *word = vmm_option_list_take (self, key);
  g_autofree char *all = NULL;

  if (!word)
    return TRUE;
  for (guint i = 0; names[i]; i++)
    if (strcmp (word, names[i]) == 0) {
      *value = i;
      return TRUE;
    }
  all = g_strjoinv (" or ", (char **) names);
  g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG, "The %s of %s is %s, not “%s”.", key,
               self->option, all, word);
  return FALSE;
}

gboolean
vmm_option_list_take_switch (VmmOptionList *self, const char *key, gboolean *value, GError **error)
{
  static const char *const names[] = { "off", "on", NULL };
  guint index = *value ? 1 : 0;
  gboolean ok = vmm_option_list_take_name (self, key, names, &index, error);

  *value = index == 1;
  return ok;
}

gboolean
vmm_option_list_finish (VmmOptionList *self, GError **error)
{
  for (guint i = 0; i < self->pairs->len; i++) {
    const Pair *pair = &g_array_index (self->pairs, Pair, i);
    gboolean twice = FALSE;

    if (pair->taken)
      continue;
    for (guint k = 0; k < i; k++)
      twice = twice || strcmp (g_array_index (self->pairs, Pair, k).key, pair->key) == 0;
    g_set_error (error, VMM_ERROR, VMM_ERROR_CONFIG,
                 twice ? "%s takes “%s” only once." : "%s knows no “%s”; see --help.", self->option,
                 pair->key);
    return FALSE;
  }
  return TRUE;
}
