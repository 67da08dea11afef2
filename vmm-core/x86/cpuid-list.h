/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The list of leaves in which KVM describes a processor: looking up, adding, removing.
 *
 * Threads: any; one owner at a time.
 */
#pragma once

#include <glib.h>
#include <linux/kvm.h>

G_BEGIN_DECLS

#define VMM_CPUID_BIT(n) (1u << (n))
#define VMM_CPUID_BASIC  0x00000000u /* the ranges, each of which begins with its last leaf */
#define VMM_CPUID_EXTEND 0x80000000u

/* Borrowed; NULL where the list has no such leaf. */
struct kvm_cpuid_entry2 *vmm_cpuid_find (struct kvm_cpuid2 *list, guint32 function, guint32 index);
/* Removes all entries of @function. */
void vmm_cpuid_drop (struct kvm_cpuid2 *list, guint32 function);
/* There must be room. */
void vmm_cpuid_add (struct kvm_cpuid2 *list, const struct kvm_cpuid_entry2 *entry);
/* The last leaf of a range; 0: there is no such range. */
guint32 vmm_cpuid_max_leaf (struct kvm_cpuid2 *list, guint32 range);
gboolean vmm_cpuid_is_amd (struct kvm_cpuid2 *list);

G_END_DECLS
