/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a machine may be made of, and the command line that says so.
 */
#include <string.h>

#include "tools/vmm-run-options.h"
#include "vmm-error.h"

static VmmConfig *
good_config (void)
{
  VmmConfig *config = vmm_config_new ();

  config->kernel = g_strdup ("/boot/vmlinuz");
  return config;
}

static void
assert_check (const VmmConfig *config, gboolean good)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (vmm_config_check (config, &error), ==, good);
  if (!good)
    g_assert_error (error, VMM_ERROR, VMM_ERROR_CONFIG);
}

static void
test_ranges (void)
{
  g_autoptr (VmmConfig) config = good_config ();

  assert_check (config, TRUE);
  config->n_vcpus = 0;
  assert_check (config, FALSE);
  config->n_vcpus = VMM_MAX_VCPUS;
  assert_check (config, TRUE);
  config->n_vcpus++;
  assert_check (config, FALSE);
  config->n_vcpus = 1;

  config->cpu.model = VMM_CPU_N_MODELS;
  assert_check (config, FALSE);
  config->cpu.model = VMM_CPU_N_MODELS - 1;

  config->cpu.cap = 0;
  assert_check (config, FALSE);
  config->cpu.cap = 101;
  assert_check (config, FALSE);
  config->cpu.cap = 1;
  config->cpu.weight = 0;
  assert_check (config, FALSE);
  config->cpu.weight = 10001;
  assert_check (config, FALSE);
  config->cpu.weight = 1;

  config->memory = VMM_MIN_MEMORY;
  assert_check (config, TRUE);
  config->memory--;
  assert_check (config, FALSE);
  config->memory = VMM_MIN_MEMORY + 1;
  assert_check (config, FALSE);
  config->huge_pages = TRUE;
  config->memory = (VMM_MIN_MEMORY + (1 << 20));
  assert_check (config, FALSE);
  config->memory = VMM_MIN_MEMORY;
  assert_check (config, TRUE);
  config->huge_pages = FALSE;
  config->memory = G_MAXUINT64 & ~G_GUINT64_CONSTANT (4095);
  assert_check (config, FALSE);
}

/* What is left open follows from the number; what is said must fit it. */
static void
test_topology (void)
{
  static const struct {
    guint n_vcpus;
    VmmCpuTopology given, all;
  } good[] = {
    { 1, { 0, 0, 0 }, { 1, 1, 1 } },    { 6, { 0, 0, 0 }, { 1, 6, 1 } },
    { 8, { 2, 0, 0 }, { 2, 4, 1 } },    { 8, { 0, 0, 2 }, { 1, 4, 2 } },
    { 8, { 0, 2, 0 }, { 4, 2, 1 } },    { 8, { 2, 0, 2 }, { 2, 2, 2 } },
    { 8, { 0, 2, 2 }, { 2, 2, 2 } },    { 30, { 2, 3, 5 }, { 2, 3, 5 } },
    { 32, { 32, 0, 0 }, { 32, 1, 1 } },
  };
  static const struct {
    guint n_vcpus;
    VmmCpuTopology given;
  } bad[] = {
    { 8, { 3, 0, 0 } },
    { 8, { 2, 2, 0 } },
    { 8, { 2, 2, 1 } },
    { 1, { 2, 0, 0 } },
    { 1, { 0, 0, 2 } },
    { 4, { G_MAXUINT, G_MAXUINT, G_MAXUINT } },
    { 4, { 0, 0, G_MAXUINT } },
    { 4, { 1u << 31, 0, 1u << 31 } },
    { 4, { 0x10000, 0x10000, 4 } },
    { 4, { 1u << 31, 1u << 31, 4 } },
  };
  g_autoptr (VmmConfig) config = good_config ();

  for (guint i = 0; i < G_N_ELEMENTS (good); i++) {
    VmmCpuTopology all;

    config->n_vcpus = good[i].n_vcpus;
    config->cpu.topology = good[i].given;
    assert_check (config, TRUE);
    all = vmm_config_get_topology (config);
    g_assert_cmpmem (&all, sizeof all, &good[i].all, sizeof all);
  }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    config->n_vcpus = bad[i].n_vcpus;
    config->cpu.topology = bad[i].given;
    assert_check (config, FALSE);
  }
}

/* From a weight to the nearest priority: each step is a quarter more. */
static void
test_weight (void)
{
  static const struct {
    guint weight;
    int nice;
  } known[] = { { 1, 19 },  { 10, 10 }, { 33, 5 },   { 50, 3 },   { 80, 1 },     { 90, 0 },
                { 100, 0 }, { 110, 0 }, { 125, -1 }, { 200, -3 }, { 1000, -10 }, { 10000, -20 } };

  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    g_assert_cmpint (vmm_cpu_weight_to_nice (known[i].weight), ==, known[i].nice);
  for (guint weight = VMM_CPU_MIN_WEIGHT; weight < VMM_CPU_MAX_WEIGHT; weight++)
    g_assert_cmpint (vmm_cpu_weight_to_nice (weight), >=, vmm_cpu_weight_to_nice (weight + 1));
}

static void
test_needs (void)
{
  g_autoptr (VmmConfig) config = good_config ();

  config->serial.mode = VMM_TEXT_FD;
  assert_check (config, FALSE);
  config->serial.out_fd = 1;
  assert_check (config, TRUE);
  config->serial.mode = VMM_TEXT_FILE;
  assert_check (config, FALSE);
  config->serial.path = g_strdup ("log");
  assert_check (config, TRUE);
  config->console.mode = VMM_TEXT_FILE;
  assert_check (config, FALSE);
  config->console.path = g_strdup ("log");
  assert_check (config, TRUE);
  config->console.mode = VMM_TEXT_FD;
  assert_check (config, FALSE);
  config->console.in_fd = 0;
  assert_check (config, TRUE);
  config->serial.mode = VMM_TEXT_FD;
  assert_check (config, TRUE);
  config->serial.in_fd = 0;
  assert_check (config, FALSE);
  config->console.mode = VMM_TEXT_NONE;
  for (guint i = 0; i < VMM_MAX_DISKS; i++)
    vmm_config_add_disk (config, "disk", FALSE);
  assert_check (config, TRUE);
  vmm_config_add_disk (config, "disk", FALSE);
  assert_check (config, FALSE);
  g_ptr_array_set_size (config->disks, 0);
  vmm_config_add_disk (config, "disk", FALSE)->bus = VMM_DISK_SATA;
  for (guint i = 1; i < VMM_MAX_SATA; i++)
    vmm_config_add_cdrom (config, NULL);
  assert_check (config, TRUE);
  vmm_config_add_cdrom (config, "iso");
  assert_check (config, FALSE);
  g_ptr_array_set_size (config->cdroms, 0);
  ((VmmDiskConfig *) g_ptr_array_index (config->disks, 0))->readonly = TRUE;
  assert_check (config, FALSE);
  g_ptr_array_set_size (config->disks, 0);
  g_clear_pointer (&config->kernel, g_free);
  assert_check (config, FALSE);
}

/* A copy shares nothing with its original. */
static void
test_copy (void)
{
  VmmConfig *config = good_config ();
  g_autoptr (VmmConfig) copy = NULL;
  const VmmDiskConfig *disk;
  VmmDiskConfig *made;

  config->append = g_strdup ("quiet");
  config->initrd = g_strdup ("initrd");
  config->name = g_strdup ("name");
  config->serial.path = g_strdup ("log");
  config->console.path = g_strdup ("other");
  made = vmm_config_add_disk (config, "image", TRUE);
  made->format = VMM_DISK_RAW;
  made->bus = VMM_DISK_SATA;
  made->discard = made->direct = TRUE;
  vmm_config_add_cdrom (config, "iso");
  vmm_config_add_cdrom (config, NULL);
  copy = vmm_config_copy (config);
  vmm_config_free (config);

  g_assert_cmpstr (copy->kernel, ==, "/boot/vmlinuz");
  g_assert_cmpstr (copy->append, ==, "quiet");
  g_assert_cmpstr (copy->initrd, ==, "initrd");
  g_assert_cmpstr (copy->name, ==, "name");
  g_assert_cmpstr (copy->serial.path, ==, "log");
  g_assert_cmpstr (copy->console.path, ==, "other");
  g_assert_cmpuint (copy->disks->len, ==, 1);
  disk = g_ptr_array_index (copy->disks, 0);
  g_assert_cmpstr (disk->path, ==, "image");
  g_assert_true (disk->readonly && disk->discard && disk->direct);
  g_assert_cmpint (disk->format, ==, VMM_DISK_RAW);
  g_assert_cmpint (disk->bus, ==, VMM_DISK_SATA);
  g_assert_cmpuint (copy->cdroms->len, ==, 2);
  g_assert_cmpstr (((VmmCdromConfig *) g_ptr_array_index (copy->cdroms, 0))->path, ==, "iso");
  g_assert_null (((VmmCdromConfig *) g_ptr_array_index (copy->cdroms, 1))->path);
}

/* "vmm-run" and then what @words says. */
static VmmRunOptions *
parse (const char *words, GError **error)
{
  g_autofree char *line = g_strconcat ("vmm-run ", words, NULL);
  g_autofree char **copy = NULL;
  g_auto (GStrv) argv = g_strsplit (line, " ", -1);
  guint argc = g_strv_length (argv);

  copy = g_memdup2 (argv, (argc + 1) * sizeof *argv); /* parsing moves the pointers */
  return vmm_run_options_parse (argc, copy, error);
}

static void
test_options (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VmmRunOptions) options =
    parse ("--memory 1G --cpus 4,sockets=2,threads=2 --cpu x86-64-v3 --cpu-cap 25 --cpu-weight 50 "
           "--kernel k --initrd i "
           "--append a=b --disk one.img "
           "--disk two,,x.img,format=qcow2,bus=sata,discard=on,direct=on --disk "
           "three,readonly=on,hotplug=on --ports 2 --net user,hotplug=on "
           "--cdrom i,,n.iso --cdrom none --graphics --serial file:log "
           "--console stdio "
           "--screenshot s.png,after=2.5 --no-reboot --debug-exit --balloon --stats --control sock",
           &error);
  const VmmDiskConfig *disk;
  const VmmCdromConfig *cdrom;

  g_assert_no_error (error);
  g_assert_cmpuint (options->config->memory, ==, 1 << 30);
  g_assert_cmpuint (options->config->n_vcpus, ==, 4);
  g_assert_cmpuint (options->config->cpu.topology.sockets, ==, 2);
  g_assert_cmpuint (options->config->cpu.topology.cores, ==, 0);
  g_assert_cmpuint (options->config->cpu.topology.threads, ==, 2);
  g_assert_cmpint (options->config->cpu.model, ==, VMM_CPU_X86_64_V3);
  g_assert_cmpuint (options->config->cpu.cap, ==, 25);
  g_assert_cmpuint (options->config->cpu.weight, ==, 50);
  g_assert_cmpstr (options->config->kernel, ==, "k");
  g_assert_cmpstr (options->config->initrd, ==, "i");
  g_assert_cmpstr (options->config->append, ==, "a=b");
  g_assert_cmpuint (options->config->disks->len, ==, 3);
  disk = g_ptr_array_index (options->config->disks, 0);
  g_assert_true (g_str_equal (disk->path, "one.img") && !disk->readonly);
  disk = g_ptr_array_index (options->config->disks, 1);
  g_assert_true (g_str_equal (disk->path, "two,x.img") && !disk->readonly && disk->discard &&
                 disk->direct);
  g_assert_cmpint (disk->format, ==, VMM_DISK_QCOW2);
  g_assert_cmpint (disk->bus, ==, VMM_DISK_SATA);
  disk = g_ptr_array_index (options->config->disks, 2);
  g_assert_true (g_str_equal (disk->path, "three") && disk->readonly && !disk->discard);
  g_assert_true (disk->hotplug);
  g_assert_true (((VmmNicConfig *) g_ptr_array_index (options->config->nics, 0))->hotplug);
  g_assert_cmpint (disk->format, ==, VMM_DISK_AUTO);
  g_assert_cmpint (disk->bus, ==, VMM_DISK_VIRTIO);
  g_assert_cmpuint (options->config->cdroms->len, ==, 2);
  cdrom = g_ptr_array_index (options->config->cdroms, 0);
  g_assert_cmpstr (cdrom->path, ==, "i,n.iso");
  cdrom = g_ptr_array_index (options->config->cdroms, 1);
  g_assert_null (cdrom->path);
  g_assert_true (options->config->graphics && options->config->stop_on_reset);
  g_assert_true (options->config->debug_exit && options->config->balloon && options->stats);
  g_assert_cmpint (options->config->serial.mode, ==, VMM_TEXT_FILE);
  g_assert_cmpstr (options->config->serial.path, ==, "log");
  g_assert_cmpint (options->config->console.mode, ==, VMM_TEXT_FD);
  g_assert_cmpint (options->config->console.in_fd, ==, 0);
  g_assert_cmpint (options->config->console.out_fd, ==, 1);
  g_assert_true (options->stdio);
  g_assert_cmpstr (options->screenshot, ==, "s.png");
  g_assert_cmpfloat (options->after, ==, 2.5);
  g_assert_cmpstr (options->control, ==, "sock");
}

static void
test_options_default (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VmmRunOptions) options = parse ("--kernel k --graphics --screenshot s.png", &error);

  g_assert_no_error (error);
  g_assert_cmpuint (options->config->memory, ==, 512 << 20);
  g_assert_cmpuint (options->config->n_vcpus, ==, 1);
  g_assert_cmpint (options->config->cpu.model, ==, VMM_CPU_HOST);
  g_assert_cmpuint (options->config->cpu.cap, ==, 100);
  g_assert_cmpuint (options->config->cpu.weight, ==, 100);
  g_assert_cmpint (options->config->serial.mode, ==, VMM_TEXT_FD);
  g_assert_cmpint (options->config->console.mode, ==, VMM_TEXT_NONE);
  g_assert_true (options->stdio && !options->stats && !options->config->balloon);
  g_assert_cmpfloat (options->after, <, 0);
}

/* Who asks for a console on the terminal gets it: the serial port steps back. */
static void
test_options_console (void)
{
  g_autoptr (VmmRunOptions) terminal = parse ("--kernel k --console stdio", NULL);
  g_autoptr (VmmRunOptions) log = parse ("--kernel k --console file:log", NULL);

  g_assert_cmpint (terminal->config->serial.mode, ==, VMM_TEXT_NONE);
  g_assert_cmpint (terminal->config->console.mode, ==, VMM_TEXT_FD);
  g_assert_true (terminal->stdio);
  g_assert_cmpint (log->config->serial.mode, ==, VMM_TEXT_FD);
  g_assert_cmpint (log->config->console.mode, ==, VMM_TEXT_FILE);
  g_assert_cmpstr (log->config->console.path, ==, "log");
}

static void
test_options_bad (void)
{
  static const char *const wrong[] = {
    "",
    "--kernel k --memory",
    "--kernel k --memory 0",
    "--kernel k --memory lots",
    "--kernel k --memory 512X",
    "--kernel k --memory 512MB",
    "--kernel k --memory -1",
    "--kernel k --memory 99999999999999999999T",
    "--kernel k --memory 18446744073709551615G",
    "--kernel k --cpus 0",
    "--kernel k --cpus 33",
    "--kernel k --cpus -1",
    "--kernel k --cpus many",
    "--kernel k --cpus ,sockets=1",
    "--kernel k --cpus 4294967297",
    "--kernel k --cpus 8,sockets=3",
    "--kernel k --cpus 8,sockets=2,cores=2,threads=1",
    "--kernel k --cpus 8,sockets=0",
    "--kernel k --cpus 8,dies=2",
    "--kernel k --cpus 8,cores=2,cores=2",
    "--kernel k --cpu",
    "--kernel k --cpu x86-64-v1",
    "--kernel k --cpu-cap 0",
    "--kernel k --cpu-cap 101",
    "--kernel k --cpu-cap -1",
    "--kernel k --cpu-cap half",
    "--kernel k --cpu-weight 0",
    "--kernel k --cpu-weight 10001",
    "--kernel k --cpu-weight -5",
    "--kernel k --cpu X86-64-V2",
    "--kernel k --serial",
    "--kernel k --serial tcp",
    "--kernel k --serial file:",
    "--kernel k --console",
    "--kernel k --console tcp",
    "--kernel k --console file:",
    "--kernel k --console stdio --serial stdio",
    "--kernel k --disk ,readonly=on",
    "--kernel k --disk d,readonly=maybe",
    "--kernel k --disk d,format=vmdk",
    "--kernel k --disk d,bus=scsi",
    "--kernel k --disk d,e",
    "--kernel k --screenshot s.png",
    "--kernel k --graphics --screenshot ,after=1",
    "--kernel k --graphics --screenshot s.png,after=soon",
    "--kernel k --graphics --screenshot s.png,after=-1",
    "--kernel k --graphics --screenshot s.png,after=nan",
    "--kernel k --graphics --screenshot s.png,after=1e9",
    "--kernel k --unknown",
    "--kernel k stray",
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (parse (wrong[i], &error));
    g_assert_error (error, VMM_ERROR, VMM_ERROR_CONFIG);
    g_assert_true (g_str_has_suffix (error->message, "."));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config/ranges", test_ranges);
  g_test_add_func ("/config/topology", test_topology);
  g_test_add_func ("/config/weight", test_weight);
  g_test_add_func ("/config/needs", test_needs);
  g_test_add_func ("/config/copy", test_copy);
  g_test_add_func ("/options", test_options);
  g_test_add_func ("/options/default", test_options_default);
  g_test_add_func ("/options/console", test_options_console);
  g_test_add_func ("/options/bad", test_options_bad);
  return g_test_run ();
}
