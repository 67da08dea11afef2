/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The loaders against good kernels and against broken ones: what is loaded lies where its format
 * says, and no file, however cut or bent, gets past a check.
 */
#include <asm/bootparam.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kernel-maker.h"
#include "vmm-error.h"
#include "x86/boot.h"
#include "x86/layout.h"

#define MEMORY (16 << 20)

typedef struct {
  VmmMemory *memory;
  VmmFile kernel, initrd;
  VmmBootConfig config;
  VmmEntry entry;
} Fixture;

static void
put_file (VmmFile *file, const char *name, const void *bytes, gsize length)
{
  if (file->fd > 0)
    close (file->fd);
  file->name = (char *) name;
  file->size = length;
  file->fd = memfd_create (name, MFD_CLOEXEC);
  g_assert_cmpint (write (file->fd, bytes, length), ==, length);
}

static void
set_up (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  self->memory = vmm_memory_new (MEMORY, &error);
  g_assert_no_error (error);
  /* As after a run: whatever a loader relies on being zero it must zero. */
  memset (vmm_memory_at (self->memory, 0, MEMORY), 0xcc, MEMORY);
  self->config = (VmmBootConfig) { .memory = self->memory, .kernel = &self->kernel };
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  if (self->kernel.fd > 0)
    close (self->kernel.fd);
  if (self->initrd.fd > 0)
    close (self->initrd.fd);
  vmm_memory_free (self->memory);
}

static void
load (Fixture *self, GByteArray *kernel)
{
  g_autoptr (GError) error = NULL;

  put_file (&self->kernel, "kernel", kernel->data, kernel->len);
  vmm_boot_load (&self->config, &self->entry, &error);
  g_assert_no_error (error);
}

static void
assert_refused (Fixture *self, const GByteArray *kernel, gsize length)
{
  g_autoptr (GError) error = NULL;

  put_file (&self->kernel, "kernel", kernel->data, length);
  g_assert_false (vmm_boot_load (&self->config, &self->entry, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_KERNEL);
  g_assert_true (g_str_has_suffix (error->message, "."));
}

static void
assert_code_at (Fixture *self, guint64 address, gsize skip)
{
  const guint8 *code = vmm_memory_at (self->memory, address + skip, KERNEL_CODE_SIZE);

  g_assert_nonnull (code);
  for (gsize i = 0; i < KERNEL_CODE_SIZE; i++)
    g_assert_cmpuint (code[i], ==, i % 251);
}

static void
assert_zero (Fixture *self, guint64 address, gsize length)
{
  const guint8 *bytes = vmm_memory_at (self->memory, address, length);

  g_assert_nonnull (bytes);
  for (gsize i = 0; i < length; i++)
    g_assert_cmpuint (bytes[i], ==, 0);
}

static guint32
word_at (Fixture *self, guint64 address)
{
  guint32 word;

  g_assert_true (vmm_memory_read (self->memory, address, &word, sizeof word));
  return word;
}

/* The page tables, walked as a processor does. */
static guint64
walk (Fixture *self, guint64 address)
{
  guint64 table = self->entry.page_table, entry = 0;

  for (int shift = 39; shift >= 21; shift -= 9) {
    g_assert_true (
      vmm_memory_read (self->memory, table + (address >> shift & 511) * 8, &entry, sizeof entry));
    g_assert_cmpuint (entry & 3, ==, 3);
    table = entry & ~G_GUINT64_CONSTANT (0xfff);
  }
  g_assert_cmpuint (entry & 0x80, ==, 0x80);
  return table + (address & 0x1fffff);
}

static void
test_linux_64 (Fixture *self, gconstpointer data)
{
  g_autoptr (GByteArray) kernel = kernel_make_linux (0x020f, TRUE);
  struct boot_params *zero_page;
  guint64 gdt[VMM_ENTRY_GDT_LEN];

  self->config.append = "console=ttyS0 a=b";
  put_file (&self->initrd, "initrd", "the initrd", 10);
  self->config.initrd = &self->initrd;
  load (self, kernel);

  g_assert_true (self->entry.long_mode);
  g_assert_cmphex (self->entry.rip, ==, KERNEL_PREFERRED + 0x200);
  assert_code_at (self, KERNEL_PREFERRED, 0);
  zero_page = vmm_memory_at (self->memory, self->entry.rsi, sizeof *zero_page);
  g_assert_nonnull (zero_page);
  g_assert_cmphex (zero_page->hdr.header, ==, 0x53726448);
  g_assert_cmphex (zero_page->hdr.type_of_loader, ==, 0xff);
  g_assert_cmphex (zero_page->acpi_rsdp_addr, ==, VMM_BOOT_ACPI);
  g_assert_cmpstr (vmm_memory_at (self->memory, zero_page->hdr.cmd_line_ptr, 18), ==,
                   "console=ttyS0 a=b");
  g_assert_cmpuint (zero_page->hdr.ramdisk_size, ==, 10);
  g_assert_cmpmem (vmm_memory_at (self->memory, zero_page->hdr.ramdisk_image, 10), 10, "the initrd",
                   10);
  g_assert_cmpuint (zero_page->hdr.ramdisk_image, >=, KERNEL_PREFERRED + KERNEL_INIT_SIZE);
  g_assert_cmphex (walk (self, self->entry.rip), ==, self->entry.rip);
  g_assert_cmphex (walk (self, 0xfee00000), ==, 0xfee00000);
  g_assert_true (vmm_memory_read (self->memory, self->entry.gdt, gdt, sizeof gdt));
  g_assert_cmphex (gdt[VMM_ENTRY_CODE / 8], ==, G_GUINT64_CONSTANT (0x00af9b000000ffff));
  g_assert_cmphex (gdt[VMM_ENTRY_DATA / 8], ==, G_GUINT64_CONSTANT (0x00cf93000000ffff));
}

static void
test_linux_32 (Fixture *self, gconstpointer data)
{
  g_autoptr (GByteArray) kernel = kernel_make_linux (0x020a, FALSE);
  guint64 gdt[VMM_ENTRY_GDT_LEN];

  load (self, kernel);
  g_assert_false (self->entry.long_mode);
  g_assert_cmphex (self->entry.rip, ==, KERNEL_PREFERRED);
  g_assert_true (vmm_memory_read (self->memory, self->entry.gdt, gdt, sizeof gdt));
  g_assert_cmphex (gdt[VMM_ENTRY_CODE / 8], ==, G_GUINT64_CONSTANT (0x00cf9b000000ffff));
}

/* The memory map names all RAM once and nothing that is not RAM. */
static void
test_linux_map (Fixture *self, gconstpointer data)
{
  g_autoptr (GByteArray) kernel = kernel_make_linux (0x020f, TRUE);
  struct boot_params *zero_page;
  guint64 ram = 0, end = 0;

  load (self, kernel);
  zero_page = vmm_memory_at (self->memory, self->entry.rsi, sizeof *zero_page);
  for (guint i = 0; i < zero_page->e820_entries; i++) {
    const struct boot_e820_entry *entry = &zero_page->e820_table[i];

    g_assert_cmphex (entry->addr, >=, end);
    end = entry->addr + entry->size;
    if (entry->type != 1)
      continue;
    ram += entry->size;
    g_assert_nonnull (vmm_memory_at (self->memory, entry->addr, entry->size));
  }
  g_assert_cmpuint (ram, ==, MEMORY - (VMM_BOOT_KERNEL - VMM_BOOT_LOW_END));
}

/* Below 1 MiB a kernel is put there if it can move, else refused. */
static void
test_linux_moves (Fixture *self, gconstpointer data)
{
  g_autoptr (GByteArray) kernel = kernel_make_linux (0x020f, TRUE);

  kernel_poke (kernel, 0x258, 0x10000, 8);
  load (self, kernel);
  g_assert_cmphex (self->entry.rip, ==, VMM_BOOT_KERNEL + 0x200);
  kernel_poke (kernel, 0x234, 0, 1);
  assert_refused (self, kernel, kernel->len);
}

/* A kernel that can move unpacks itself at its preferred place wherever it was loaded: the room
 * must be there, or it runs over the end of memory without a word. */
static void
test_linux_room (Fixture *self, gconstpointer data)
{
  const guint64 last = MEMORY - KERNEL_INIT_SIZE;
  g_autoptr (GByteArray) kernel = kernel_make_linux (0x020f, TRUE);
  g_autoptr (GError) error = NULL;

  kernel_poke (kernel, 0x258, last, 8);
  load (self, kernel);
  g_assert_cmphex (self->entry.rip, ==, last + 0x200);
  kernel_poke (kernel, 0x258, last + 4096, 8);
  assert_refused (self, kernel, kernel->len);
  g_assert_false (vmm_boot_load (&self->config, &self->entry, &error));
  g_assert_nonnull (strstr (error->message, "17 MiB")); /* a page more than the 16 there are */
}

static void
test_linux_bad (Fixture *self, gconstpointer data)
{
  static const struct {
    gsize offset;
    guint64 value;
    guint size;
  } wrong[] = {
    { 0x1fe, 0x1234, 2 },      /* no boot flag */
    { 0x202, 0x12345678, 4 },  /* no "HdrS" */
    { 0x206, 0x0205, 2 },      /* too old */
    { 0x211, 0, 1 },           /* zImage */
    { 0x1f1, 255, 1 },         /* set-up longer than the file */
    { 0x1f4, G_MAXUINT32, 4 }, /* says it is longer than it is */
    { 0x260, MEMORY, 4 },      /* needs more memory than there is */
    { 0x260, G_MAXUINT32, 4 },
    { 0x258, G_MAXUINT64, 8 }, /* cannot be there, and init_size is the same as before */
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GByteArray) kernel = kernel_make_linux (0x020f, TRUE);

    kernel_poke (kernel, wrong[i].offset, wrong[i].value, wrong[i].size);
    if (wrong[i].offset == 0x258)
      kernel_poke (kernel, 0x234, 0, 1);
    assert_refused (self, kernel, kernel->len);
  }
}

static void
test_cut_short (Fixture *self, gconstpointer data)
{
  GByteArray *kernels[] = { kernel_make_linux (0x020f, TRUE), kernel_make_elf64 (TRUE),
                            kernel_make_multiboot_elf32 (), kernel_make_multiboot_flat () };

  for (guint i = 0; i < G_N_ELEMENTS (kernels); i++) {
    for (gsize length = 0; length < kernels[i]->len; length += length < 1200 ? 1 : 97)
      assert_refused (self, kernels[i], length);
    assert_refused (self, kernels[i], kernels[i]->len - 1);
    g_byte_array_unref (kernels[i]);
  }
}

/* The file shrinks after it was opened. */
static void
test_shrinks (Fixture *self, gconstpointer data)
{
  g_autoptr (GByteArray) kernel = kernel_make_linux (0x020f, TRUE);
  g_autoptr (GError) error = NULL;

  put_file (&self->kernel, "kernel", kernel->data, kernel->len);
  g_assert_cmpint (ftruncate (self->kernel.fd, 2000), ==, 0);
  g_assert_false (vmm_boot_load (&self->config, &self->entry, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_KERNEL);
}

static void
test_pvh (Fixture *self, gconstpointer data)
{
  g_autoptr (GByteArray) kernel = kernel_make_elf64 (TRUE);
  guint64 modules, cmdline, rsdp, map, initrd;

  self->config.append = "root=/dev/vda";
  put_file (&self->initrd, "initrd", "files", 5);
  self->config.initrd = &self->initrd;
  load (self, kernel);

  g_assert_false (self->entry.long_mode);
  g_assert_cmphex (self->entry.rip, ==, KERNEL_PVH_ENTRY);
  assert_code_at (self, KERNEL_SEGMENT, 0);
  assert_zero (self, KERNEL_SEGMENT + KERNEL_CODE_SIZE, KERNEL_BSS);
  g_assert_cmphex (word_at (self, self->entry.rbx), ==, 0x336ec578);
  g_assert_cmpuint (word_at (self, self->entry.rbx + 12), ==, 1);
  vmm_memory_read (self->memory, self->entry.rbx + 16, &modules, 8);
  vmm_memory_read (self->memory, self->entry.rbx + 24, &cmdline, 8);
  vmm_memory_read (self->memory, self->entry.rbx + 32, &rsdp, 8);
  vmm_memory_read (self->memory, self->entry.rbx + 40, &map, 8);
  g_assert_cmphex (rsdp, ==, VMM_BOOT_ACPI);
  g_assert_cmpstr (vmm_memory_at (self->memory, cmdline, 14), ==, "root=/dev/vda");
  vmm_memory_read (self->memory, modules, &initrd, 8);
  g_assert_cmpmem (vmm_memory_at (self->memory, initrd, 5), 5, "files", 5);
  g_assert_cmpuint (word_at (self, self->entry.rbx + 48), >=, 3);
  g_assert_cmpuint (word_at (self, map + 16), ==, 1); /* the first entry is RAM */
}

static void
test_elf_bad (Fixture *self, gconstpointer data)
{
  static const struct {
    gsize offset;
    guint64 value;
    guint size;
  } wrong[] = {
    { 4, 3, 1 },                                       /* class */
    { 5, 2, 1 },                                       /* big-endian */
    { 18, 183, 2 },                                    /* for ARM */
    { 32, G_MAXUINT64 - 4, 8 },                        /* program headers beyond everything */
    { 54, 32, 2 },                                     /* their size */
    { 56, 65535, 2 },                                  /* their number */
    { 64 + 8, G_MAXUINT64, 8 },                        /* the segment's place in the file */
    { 64 + 24, 0x8000, 8 },                            /* over our own structures */
    { 64 + 24, MEMORY - 4096, 8 },                     /* beyond the end of RAM */
    { 64 + 24, G_MAXUINT64 - 4096, 8 },                /* wraps */
    { 64 + 32, KERNEL_CODE_SIZE + KERNEL_BSS + 1, 8 }, /* more in the file than in memory */
    { 64 + 40, G_MAXUINT64, 8 },                       /* as much memory as there is none */
    { 256 + 8, 17, 4 },                                /* the note is another one */
    { 256, G_MAXUINT32, 4 },                           /* the note's name is endless */
    { 256 + 4, G_MAXUINT32 - 2, 4 },                   /* so is its description */
    { 256 + 12, 0x41414141, 4 },                       /* it is somebody else's */
    { 64 + 56 + 8, G_MAXUINT64, 8 },                   /* the notes lie beyond the file */
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GByteArray) kernel = kernel_make_elf64 (TRUE);

    kernel_poke (kernel, wrong[i].offset, wrong[i].value, wrong[i].size);
    assert_refused (self, kernel, kernel->len);
  }
}

static void
test_elf_without_entry (Fixture *self, gconstpointer data)
{
  g_autoptr (GByteArray) kernel = kernel_make_elf64 (FALSE);

  assert_refused (self, kernel, kernel->len);
}

static void
assert_multiboot (Fixture *self)
{
  guint32 info = self->entry.rbx;

  g_assert_false (self->entry.long_mode);
  g_assert_cmphex (self->entry.rip, ==, KERNEL_ENTRY);
  g_assert_cmphex (self->entry.rax, ==, 0x2badb002);
  g_assert_cmphex (word_at (self, info) & 0x4d, ==, 0x4d); /* memory, command line, modules, map */
  g_assert_cmpuint (word_at (self, info + 8), ==, (MEMORY - (1 << 20)) / 1024);
  g_assert_cmpstr (vmm_memory_at (self->memory, word_at (self, info + 16), 4), ==, "abc");
  g_assert_cmpuint (word_at (self, info + 20), ==, 1);
  g_assert_cmpmem (vmm_memory_at (self->memory, word_at (self, word_at (self, info + 24)), 6), 6,
                   "module", 6);
}

static void
test_multiboot (Fixture *self, gconstpointer data)
{
  g_autoptr (GByteArray) elf = kernel_make_multiboot_elf32 (), flat = kernel_make_multiboot_flat ();

  self->config.append = "abc";
  put_file (&self->initrd, "initrd", "module", 6);
  self->config.initrd = &self->initrd;

  load (self, elf);
  assert_multiboot (self);
  assert_code_at (self, KERNEL_SEGMENT, 0);
  assert_zero (self, KERNEL_SEGMENT + KERNEL_CODE_SIZE, KERNEL_BSS);

  memset (vmm_memory_at (self->memory, 0, MEMORY), 0xcc, MEMORY);
  load (self, flat);
  assert_multiboot (self);
  assert_code_at (self, KERNEL_SEGMENT, 64);
  assert_zero (self, KERNEL_SEGMENT + 64 + KERNEL_CODE_SIZE, KERNEL_BSS);
}

static void
test_multiboot_bad (Fixture *self, gconstpointer data)
{
  static const struct {
    gsize offset;
    guint32 value;
  } wrong[] = {
    { 0, 0x1badb003 },                  /* magic */
    { 8, 1 },                           /* checksum */
    { 12, KERNEL_SEGMENT + 4 },         /* the header is not where it says */
    { 12, 0x100000 },                   /* before what is loaded */
    { 16, 0x1000 },                     /* over our own structures */
    { 20, KERNEL_SEGMENT - 1 },         /* ends before it begins */
    { 20, KERNEL_SEGMENT + (1 << 20) }, /* longer than the file */
    { 24, KERNEL_SEGMENT + 1 },         /* zeros end before the code does */
    { 24, 0xfffff000 },                 /* and beyond RAM */
  };
  g_autoptr (GByteArray) unknown = kernel_make_multiboot_flat ();

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GByteArray) kernel = kernel_make_multiboot_flat ();

    kernel_poke (kernel, wrong[i].offset, wrong[i].value, 4);
    assert_refused (self, kernel, kernel->len);
  }
  kernel_poke (unknown, 4, 0x1000b, 4); /* a feature that must be known and is not */
  kernel_poke (unknown, 8, (guint32) - (0x1badb002 + 0x1000b), 4);
  assert_refused (self, unknown, unknown->len);
}

static void
test_initrd_too_big (Fixture *self, gconstpointer data)
{
  g_autoptr (GByteArray) kernel = kernel_make_linux (0x020f, TRUE);
  g_autofree char *big = g_malloc0 (MEMORY);
  const gsize most = MEMORY - KERNEL_PREFERRED - KERNEL_INIT_SIZE;
  g_autoptr (GError) error = NULL;

  self->config.initrd = &self->initrd;
  put_file (&self->initrd, "initrd", big, most);
  load (self, kernel); /* it just fits */
  put_file (&self->initrd, "initrd", big, most + 1);
  g_assert_false (vmm_boot_load (&self->config, &self->entry, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_KERNEL);
}

static void
test_cmdline_too_long (Fixture *self, gconstpointer data)
{
  g_autoptr (GByteArray) kernel = kernel_make_linux (0x020f, TRUE);
  g_autofree char *line = g_strnfill (2048, 'x');
  g_autoptr (GError) error = NULL;

  self->config.append = line + 1;
  load (self, kernel);
  self->config.append = line;
  g_assert_false (vmm_boot_load (&self->config, &self->entry, &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_KERNEL);
}

static void
test_open (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (vmm_file_open ("kernel", "/nowhere/at/all", &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_KERNEL);
  g_clear_error (&error);
  g_assert_null (vmm_file_open ("kernel", "/", &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_KERNEL);
  g_clear_error (&error);
  g_assert_null (vmm_file_open ("kernel", "/dev/null", &error));
  g_assert_error (error, VMM_ERROR, VMM_ERROR_KERNEL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, function) g_test_add (path, Fixture, NULL, set_up, function, tear_down)
  ADD ("/boot/linux/64", test_linux_64);
  ADD ("/boot/linux/32", test_linux_32);
  ADD ("/boot/linux/map", test_linux_map);
  ADD ("/boot/linux/moves", test_linux_moves);
  ADD ("/boot/linux/room", test_linux_room);
  ADD ("/boot/linux/bad", test_linux_bad);
  ADD ("/boot/cut-short", test_cut_short);
  ADD ("/boot/shrinks", test_shrinks);
  ADD ("/boot/pvh", test_pvh);
  ADD ("/boot/elf/bad", test_elf_bad);
  ADD ("/boot/elf/without-entry", test_elf_without_entry);
  ADD ("/boot/multiboot", test_multiboot);
  ADD ("/boot/multiboot/bad", test_multiboot_bad);
  ADD ("/boot/initrd-too-big", test_initrd_too_big);
  ADD ("/boot/cmdline-too-long", test_cmdline_too_long);
  g_test_add_func ("/boot/open", test_open);
  return g_test_run ();
}
