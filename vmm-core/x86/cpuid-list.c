/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * See cpuid-list.h.
 *
 * Threads: any; one owner at a time.
 */
#include "x86/cpuid-list.h"

/* EBX of leaf 0: the first four letters of "AuthenticAMD" and "HygonGenuine". */
#define VENDOR_AMD   0x68747541
#define VENDOR_HYGON 0x6f677948

struct kvm_cpuid_entry2 *
vmm_cpuid_find (struct kvm_cpuid2 *list, guint32 function, guint32 index)
{
  for (guint i = 0; i < list->nent; i++)
    if (list->entries[i].function == function && list->entries[i].index == index)
      return &list->entries[i];
  return NULL;
}

void
vmm_cpuid_drop (struct kvm_cpuid2 *list, guint32 function)
{
  guint n = 0;

  for (guint i = 0; i < list->nent; i++)
    if (list->entries[i].function != function)
      list->entries[n++] = list->entries[i];
  list->nent = n;
}

void
vmm_cpuid_add (struct kvm_cpuid2 *list, const struct kvm_cpuid_entry2 *entry)
{
  list->entries[list->nent++] = *entry;
}

guint32
vmm_cpuid_max_leaf (struct kvm_cpuid2 *list, guint32 range)
{
  const struct kvm_cpuid_entry2 *leaf = vmm_cpuid_find (list, range, 0);

  return leaf ? leaf->eax : 0;
}

gboolean
vmm_cpuid_is_amd (struct kvm_cpuid2 *list)
{
  const struct kvm_cpuid_entry2 *leaf = vmm_cpuid_find (list, VMM_CPUID_BASIC, 0);

  return leaf && (leaf->ebx == VENDOR_AMD || leaf->ebx == VENDOR_HYGON);
}
