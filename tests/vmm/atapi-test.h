/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A CD drive with a disc on an AHCI controller, for its tests.
 */
#pragma once

#include "fake-ahci.h"

G_BEGIN_DECLS

#define BLOCKS 100 /* the last of which has 512 bytes only */
#define SIZE   (2048 * (BLOCKS - 1) + 512)
#define DATA   (1 << 19)

/* Sense: key, code, qualifier. */
#define NO_SENSE        0x000000
#define NO_MEDIUM       0x023a01
#define NO_MEDIUM_OPEN  0x023a02
#define READ_ERROR      0x031100
#define INVALID_COMMAND 0x052000
#define OUT_OF_RANGE    0x052100
#define INVALID_FIELD   0x052400
#define PREVENTED       0x055302
#define MEDIUM_CHANGED  0x062800
#define WAS_RESET       0x062900

typedef struct {
  FakeGuest *guest;
  char *path;
  VmmBlock *block;
  VmmDevice *device;
  FakeAhci *ahci;
  guint64 data; /* in guest memory */
} AtapiTest;

VmmDevice *atapi_test_controller_new (FakeGuest *guest, VmmBlock *block);
void atapi_test_set_up (AtapiTest *f, gconstpointer data);
void atapi_test_tear_down (AtapiTest *f, gconstpointer data);
guint8 *atapi_test_data_of (AtapiTest *f);
/* Returns the sense that the command failed with, 0 where it did not; @moved is what came. */
guint32 atapi_test_packet_with (AtapiTest *f,
                                const guint8 *packet,
                                gsize length,
                                gboolean dma,
                                guint32 *moved);
guint32 atapi_test_packet (AtapiTest *f, const guint8 *bytes, guint32 *moved);
guint32 atapi_test_test_unit_ready (AtapiTest *f);
/* What every host does first. */
void atapi_test_clear_attention (AtapiTest *f);
guint32 atapi_test_be (const guint8 *bytes, guint n);
void atapi_test_check_blocks (AtapiTest *f, guint first, guint n);

typedef struct {
  const char *name;
  void (*run) (AtapiTest *f, gconstpointer data);
} AtapiTestCase;

/* Each on a fixture of its own, after g_test_init; what main returns. */
int atapi_test_run_all (const AtapiTestCase *tests, guint n_tests);

G_END_DECLS
