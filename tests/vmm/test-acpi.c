/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The ACPI tables: found from the RSDP as an operating system finds them, each with its sum, and
 * understood by ACPICA's own disassembler.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "chips/pm.h"
#include "x86/acpi.h"
#include "x86/aml.h"

#define ADDRESS 0xe0000u

typedef struct {
  GByteArray *bytes;
  const guint8 *fadt, *madt, *mcfg, *dsdt, *cpus, *board;
} Tables;

static guint64
number (const guint8 *at, guint size)
{
  guint64 value = 0;

  memcpy (&value, at, size);
  return GUINT64_FROM_LE (value);
}

static guint8
sum (const guint8 *at, gsize length)
{
  guint8 total = 0;

  for (gsize i = 0; i < length; i++)
    total += at[i];
  return total;
}

static const guint8 *
table_at (const Tables *tables, guint64 address)
{
  const guint8 *table = tables->bytes->data + (address - ADDRESS);

  g_assert_cmphex (address, >=, ADDRESS);
  g_assert_cmphex (address - ADDRESS + 36, <=, tables->bytes->len);
  g_assert_cmphex (address - ADDRESS + number (table + 4, 4), <=, tables->bytes->len);
  g_assert_cmpuint (sum (table, number (table + 4, 4)), ==, 0);
  return table;
}

static void
sort_in (Tables *tables, const guint8 *table)
{
  const struct {
    const char *signature, *name;
    const guint8 **place;
  } known[] = {
    { "FACP", NULL, &tables->fadt },        { "APIC", NULL, &tables->madt },
    { "MCFG", NULL, &tables->mcfg },        { "SSDT", "VTDKCPUS", &tables->cpus },
    { "SSDT", "VTDKPCIB", &tables->board },
  };

  for (guint i = 0; i < G_N_ELEMENTS (known); i++) {
    if (memcmp (table, known[i].signature, 4) != 0 ||
        (known[i].name && memcmp (table + 16, known[i].name, 8) != 0))
      continue;
    g_assert_null (*known[i].place);
    *known[i].place = table;
    return;
  }
  g_assert_not_reached ();
}

static Tables
build_of (VmmCpuTopology topology, gboolean serial)
{
  VmmAcpiConfig config = {
    .topology = topology,
    .serial = serial,
    .pci = { .ecam_base = 0xb0000000,
             .n_buses = 3,
             .memory = { { 0xc0000000, 0x3ec00000 },
                         { G_GUINT64_CONSTANT (0x800000000), G_GUINT64_CONSTANT (0x400000000) } },
             .n_memory = 2 }
  };
  g_autoptr (VmmAcpi) acpi = vmm_acpi_new (&config);
  Tables tables = { .bytes = vmm_acpi_place (acpi, ADDRESS) };
  const guint8 *rsdp = tables.bytes->data, *xsdt;
  guint n;

  g_assert_cmpint (memcmp (rsdp, "RSD PTR ", 8), ==, 0);
  g_assert_cmpuint (sum (rsdp, 20), ==, 0);
  g_assert_cmpuint (sum (rsdp, 36), ==, 0);
  g_assert_cmpuint (rsdp[15], ==, 2);
  xsdt = table_at (&tables, number (rsdp + 24, 8));
  g_assert_cmpint (memcmp (xsdt, "XSDT", 4), ==, 0);
  n = (number (xsdt + 4, 4) - 36) / 8;
  g_assert_cmpuint (n, ==, 5);
  for (guint i = 0; i < n; i++)
    sort_in (&tables, table_at (&tables, number (xsdt + 36 + i * 8, 8)));
  tables.dsdt = table_at (&tables, number (tables.fadt + 140, 8));
  return tables;
}

static Tables
build (guint n_vcpus, gboolean serial)
{
  return build_of ((VmmCpuTopology) { 1, n_vcpus, 1 }, serial);
}

static void
clear (Tables *tables)
{
  g_byte_array_unref (tables->bytes);
}

static void
test_fadt (void)
{
  Tables tables = build (1, TRUE);
  const guint8 *facs;

  g_assert_cmpuint (number (tables.fadt + 4, 4), ==, 276);
  g_assert_cmpint (memcmp (tables.dsdt, "DSDT", 4), ==, 0);
  g_assert_cmphex (number (tables.fadt + 40, 4), ==, number (tables.fadt + 140, 8));
  facs = tables.bytes->data + (number (tables.fadt + 36, 4) - ADDRESS);
  g_assert_cmpint (memcmp (facs, "FACS", 4), ==, 0);
  g_assert_cmpuint (number (tables.fadt + 36, 4) % 64, ==, 0);
  g_assert_cmpuint (number (tables.fadt + 46, 2), ==, VMM_PM_SCI_GSI);
  g_assert_cmphex (number (tables.fadt + 56, 4), ==, VMM_PM1A_EVT_PORT);
  g_assert_cmphex (number (tables.fadt + 64, 4), ==, VMM_PM1A_CNT_PORT);
  g_assert_cmphex (number (tables.fadt + 76, 4), ==, VMM_PM_TMR_PORT);
  g_assert_cmphex (number (tables.fadt + 80, 4), ==, VMM_PM_GPE0_PORT);
  g_assert_cmphex (number (tables.fadt + 120, 8), ==, VMM_PM_RESET_PORT);
  g_assert_cmpuint (tables.fadt[128], ==, VMM_PM_RESET_VALUE);
  /* The power button is a fixed one, the reset register counts, the timer has 24 bits. */
  g_assert_cmphex (number (tables.fadt + 112, 4) & (1 << 4 | 1 << 8 | 1 << 10 | 1 << 20), ==,
                   1 << 10);
  clear (&tables);
}

static void
test_madt (void)
{
  for (guint n_vcpus = 1; n_vcpus <= 32; n_vcpus += 31) {
    Tables tables = build (n_vcpus, TRUE);
    const guint8 *at = tables.madt + 44, *end = tables.madt + number (tables.madt + 4, 4);
    guint n_lapics = 0, n_ioapics = 0, sci = 0;

    g_assert_cmphex (number (tables.madt + 36, 4), ==, 0xfee00000);
    for (; at < end; at += at[1]) {
      g_assert_cmpuint (at[1], >=, 2);
      if (at[0] == 0) {
        g_assert_cmpuint (at[3], ==, n_lapics);
        n_lapics++;
      }
      n_ioapics += at[0] == 1;
      if (at[0] == 2 && at[3] == VMM_PM_SCI_GSI)
        sci = number (at + 8, 2);
    }
    g_assert_true (at == end);
    g_assert_cmpuint (n_lapics, ==, n_vcpus);
    g_assert_cmpuint (n_ioapics, ==, 1);
    g_assert_cmphex (sci, ==, 0xd);
    clear (&tables);
  }
}

/* The processors of a topology with gaps have the ids that KVM gives them. */
static void
test_madt_topology (void)
{
  static const guint8 ids[] = { 0, 1, 2, 4, 5, 6 }; /* two sockets of three cores */
  Tables tables = build_of ((VmmCpuTopology) { 2, 3, 1 }, TRUE);
  const guint8 *at = tables.madt + 44, *end = tables.madt + number (tables.madt + 4, 4);
  guint n_lapics = 0;

  for (; at < end; at += at[1])
    if (at[0] == 0) {
      g_assert_cmpuint (n_lapics, <, G_N_ELEMENTS (ids));
      g_assert_cmpuint (at[2], ==, n_lapics);
      g_assert_cmpuint (at[3], ==, ids[n_lapics]);
      n_lapics++;
    }
  g_assert_cmpuint (n_lapics, ==, G_N_ELEMENTS (ids));
  clear (&tables);
}

/* A bus that does not exist costs the guest thousands of exits. */
static void
test_mcfg (void)
{
  Tables tables = build (1, TRUE);

  g_assert_cmpuint (number (tables.mcfg + 4, 4), ==, 60);
  g_assert_cmphex (number (tables.mcfg + 44, 8), ==, 0xb0000000);
  g_assert_cmpuint (tables.mcfg[54], ==, 0);
  g_assert_cmpuint (tables.mcfg[55], ==, 2);
  clear (&tables);
}

/* Every length that needs another form of package length, and every size of integer. */
static void
test_aml_lengths (void)
{
  static const guint sizes[] = { 0, 1, 60, 61, 62, 63, 64, 4090, 4091, 4092, 4093, 4096, 70000 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GByteArray) content = g_byte_array_new (), to = g_byte_array_new ();
    guint follow, length;

    g_byte_array_set_size (content, sizes[i]);
    if (sizes[i] > 0)
      memset (content->data, 0xa3, sizes[i]);
    vmm_aml_package (to, 1, content);
    g_assert_cmpuint (to->data[0], ==, 0x12);
    follow = to->data[1] >> 6;
    length = follow == 0 ? to->data[1] & 0x3f : to->data[1] & 0xf;
    for (guint j = 0; j < follow; j++)
      length |= to->data[2 + j] << (4 + 8 * j);
    g_assert_cmpuint (length, ==, to->len - 1);
    g_assert_cmpuint (to->len, ==, 1 + 1 + follow + 1 + sizes[i]);
  }
}

static void
test_aml_integers (void)
{
  static const struct {
    guint64 value;
    guint length;
  } sizes[] = { { 0, 1 },          { 1, 1 },          { 2, 2 },       { 0xff, 2 },
                { 0x100, 3 },      { 0xffff, 3 },     { 0x10000, 5 }, { G_MAXUINT32, 5 },
                { 1ull << 32, 9 }, { G_MAXUINT64, 9 } };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GByteArray) to = g_byte_array_new ();

    vmm_aml_integer (to, sizes[i].value);
    g_assert_cmpuint (to->len, ==, sizes[i].length);
    if (to->len > 1)
      g_assert_cmphex (number (to->data + 1, to->len - 1), ==, sizes[i].value);
  }
}

static void
save_table (const char *folder, const char *name, const guint8 *table)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  g_assert_true (g_file_set_contents (path, (const char *) table, number (table + 4, 4), NULL));
}

/* Runs a line of shell in @folder. */
static void
run (const char *folder, const char *line)
{
  const char *argv[] = { "/bin/sh", "-ec", line, NULL };
  g_autofree char *out = NULL, *err = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_sync (folder, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &err, &status,
                &error);
  g_assert_no_error (error);
  if (status != 0)
    g_test_message ("%s\n%s", out, err);
  g_assert_cmpint (status, ==, 0);
}

static char *
read_text (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

static guint
count (const char *text, const char *what)
{
  guint n = 0;

  while ((text = strstr (text, what))) {
    text += strlen (what);
    n++;
  }
  return n;
}

static void
check_board (const char *text)
{
  g_assert_cmpuint (count (text, "Name (_PRT"), ==, 1);
  g_assert_cmpuint (count (text, "Name (_CRS"), ==, 2);
  g_assert_cmpuint (count (text, "Name (\\SERI"), ==, 1);
  for (guint slot = 1; slot < 32; slot++) {
    g_autofree char *address = g_strdup_printf ("0x%04XFFFF", slot);
    g_autofree char *pin = g_strdup_printf ("0x%02X", vmm_pci_slot_gsi (slot));
    const char *at = strstr (text, address);

    g_assert_cmpuint (count (text, slot == 1 ? "0x0001FFFF" : address), ==, 4);
    g_assert_nonnull (at);
    g_assert_nonnull (g_strstr_len (at, 160, pin));
  }
  g_assert_nonnull (strstr (text, "0x00000000C0000000")); /* the windows, as minimum */
  g_assert_nonnull (strstr (text, "0x00000000FEBFFFFF"));
  g_assert_nonnull (strstr (text, "0x0000000800000000"));
  g_assert_nonnull (strstr (text, "0x0000000BFFFFFFFF"));
}

/* The disassembler reads them all, and what it writes compiles again to the same bytes (behind the
 * header, and behind the compiler's note on names from elsewhere). */
static void
test_disassemble (void)
{
  g_autofree char *folder = g_dir_make_tmp ("test-acpi-XXXXXX", NULL);
  g_autofree char *cpus = NULL, *board = NULL, *dsdt = NULL;
  Tables tables = build (32, TRUE);

  save_table (folder, "dsdt.aml", tables.dsdt);
  save_table (folder, "cpus.aml", tables.cpus);
  save_table (folder, "board.aml", tables.board);
  save_table (folder, "madt.aml", tables.madt);
  save_table (folder, "fadt.aml", tables.fadt);
  save_table (folder, "mcfg.aml", tables.mcfg);
  run (folder, "for t in madt fadt mcfg cpus dsdt; do iasl -d $t.aml; test -s $t.dsl; done");
  run (folder, "iasl -e dsdt.aml -d board.aml");
  run (folder,
       "for t in dsdt cpus board; do iasl -p new-$t $t.dsl; n=$(($(stat -c %s $t.aml) - 36)); "
       "tail -c $n $t.aml > a; tail -c $n new-$t.aml > b; cmp a b; done");
  cpus = read_text (folder, "cpus.dsl");
  g_assert_cmpuint (count (cpus, "\"ACPI0007\""), ==, 32);
  board = read_text (folder, "board.dsl");
  check_board (board);
  dsdt = read_text (folder, "dsdt.dsl");
  g_assert_cmpuint (count (dsdt, "Name (_S5"), ==, 1);
  run (folder, "grep -l 'CHECKSUM\\|nvalid\\|Error' *.dsl && exit 1 || rm -f ./*");
  g_rmdir (folder);
  clear (&tables);
}

/* The script, run as OVMF does: a checksum is computed over bytes that have none yet, a place lies
 * within what it points into, and what is pointed at is a table. */
typedef struct {
  const char *name;
  GByteArray *bytes;
  guint64 address;
} LoaderFile;

static LoaderFile *
find_file (LoaderFile *files, const guint8 *name)
{
  g_assert_cmpuint (name[55], ==, 0);
  for (guint i = 0; i < 2; i++)
    if (strcmp (files[i].name, (const char *) name) == 0)
      return &files[i];
  g_assert_not_reached ();
}

static void
run_pointer (LoaderFile *files, const guint8 *record)
{
  LoaderFile *in = find_file (files, record), *to = find_file (files, record + 56);
  guint32 offset = number (record + 112, 4), size = record[116];
  guint64 value;

  g_assert_true (size == 4 || size == 8);
  g_assert_cmpuint (offset + size, <=, in->bytes->len);
  value = number (in->bytes->data + offset, size);
  g_assert_cmpuint (value, <, to->bytes->len);
  value += to->address;
  memcpy (in->bytes->data + offset, &value, size);
}

static void
run_checksum (LoaderFile *files, const guint8 *record)
{
  LoaderFile *in = find_file (files, record);
  guint32 at = number (record + 56, 4), start = number (record + 60, 4);
  guint32 length = number (record + 64, 4);

  g_assert_cmpuint (at, <, in->bytes->len);
  g_assert_cmpuint (start + length, <=, in->bytes->len);
  g_assert_cmpuint (in->bytes->data[at], ==, 0);
  in->bytes->data[at] = -sum (in->bytes->data + start, length);
}

static void
check_pointed (LoaderFile *files, const guint8 *record)
{
  LoaderFile *in = find_file (files, record), *to = find_file (files, record + 56);
  guint64 value = number (in->bytes->data + number (record + 112, 4), record[116]) - to->address;
  const guint8 *table = to->bytes->data + value;

  g_assert_cmpuint (value + number (table + 4, 4), <=, to->bytes->len);
  g_assert_true (memcmp (table, "FACS", 4) == 0 || sum (table, number (table + 4, 4)) == 0);
}

static void
test_loader (void)
{
  VmmAcpiConfig config = { .topology = { 1, 2, 1 },
                           .pci = { .ecam_base = 0xe0000000, .n_buses = 1 } };
  g_autoptr (VmmAcpi) acpi = vmm_acpi_new (&config);
  g_autoptr (GByteArray) script = vmm_acpi_loader (acpi);
  g_autoptr (GByteArray) placed = vmm_acpi_place (acpi, 0x1fbfd000);
  LoaderFile files[] = { { VMM_ACPI_RSDP_FILE, acpi->rsdp, 0x1fbfd000 },
                         { VMM_ACPI_TABLES_FILE, acpi->tables, 0x1fbfd040 } };

  g_assert_cmpuint (script->len % 128, ==, 0);
  for (guint i = 0; i < script->len; i += 128) {
    const guint8 *record = script->data + i + 4;

    switch (number (script->data + i, 4)) {
    case 1:
      find_file (files, record);
      break;
    case 2:
      run_pointer (files, record);
      break;
    case 3:
      run_checksum (files, record);
      break;
    default:
      g_assert_not_reached ();
    }
  }
  for (guint i = 0; i < script->len; i += 128)
    if (number (script->data + i, 4) == 2)
      check_pointed (files, script->data + i + 4);
  g_assert_cmpmem (placed->data, acpi->rsdp->len, acpi->rsdp->data, acpi->rsdp->len);
  g_assert_cmpmem (placed->data + 64, placed->len - 64, acpi->tables->data, acpi->tables->len);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/acpi/fadt", test_fadt);
  g_test_add_func ("/acpi/madt", test_madt);
  g_test_add_func ("/acpi/madt-topology", test_madt_topology);
  g_test_add_func ("/acpi/mcfg", test_mcfg);
  g_test_add_func ("/acpi/aml/lengths", test_aml_lengths);
  g_test_add_func ("/acpi/aml/integers", test_aml_integers);
  g_test_add_func ("/acpi/disassemble", test_disassemble);
  g_test_add_func ("/acpi/loader", test_loader);
  return g_test_run ();
}
