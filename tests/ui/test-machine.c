/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "test-machine.h"

struct _TestMachine {
  VdMachine parent_instance;
  guint n_resumes;
};

G_DEFINE_FINAL_TYPE (TestMachine, test_machine, VD_TYPE_MACHINE)

/* There is no engine, and no thread: the job has failed at once, and is cancelled for the window.
 */
static VdJob *
test_machine_resume (VdMachine *machine)
{
  TEST_MACHINE (machine)->n_resumes++;
  vd_machine_set_state (machine, VD_MACHINE_RUNNING, NULL);
  return vd_job_new_failed ("Resume", machine,
                            g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "no engine"));
}

static void
test_machine_class_init (TestMachineClass *klass)
{
  VD_MACHINE_CLASS (klass)->resume = test_machine_resume;
}

static void
test_machine_init (TestMachine *self)
{
}

guint
test_machine_get_n_resumes (TestMachine *self)
{
  return self->n_resumes;
}

TestMachine *
test_machine_new (const char *name)
{
  TestMachine *self = g_object_new (TEST_TYPE_MACHINE, NULL);

  vd_machine_set_name (VD_MACHINE (self), name);
  return self;
}
