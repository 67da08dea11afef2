/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The keyboard. Keys come in evdev's codes, most of which are those of scan code set 1; the
 * keyboard speaks set 2, and the i8042 translates back where the driver wants set 1.
 *
 * Threads: with the i8042 locked.
 */
#include <linux/input-event-codes.h>
#include <string.h>

#include "chips/ps2.h"

enum {
  COMMAND_LEDS = 0xed,
  COMMAND_ECHO = 0xee,
  COMMAND_SET = 0xf0,
  COMMAND_IDENTIFY = 0xf2,
  COMMAND_RATE = 0xf3,
  COMMAND_ENABLE = 0xf4,
  COMMAND_DISABLE = 0xf5,
  COMMAND_DEFAULTS = 0xf6,
  COMMAND_RESET = 0xff,
};

#define ACK        0xfa
#define RESEND     0xfe
#define TEST_DONE  0xaa
#define RELEASE    0xf0
#define EXTENDED   0xe0
#define MAX_PACKET 8

const VmmField vmm_ps2_queue_fields[] = {
  VMM_FIELD (VmmPs2Queue, n, VMM_FIELD_UINT32, "n"),
  VMM_FIELD (VmmPs2Queue, bytes, VMM_FIELD_BYTES, "bytes"),
  VMM_FIELD_LAST,
};

const VmmField vmm_ps2_keyboard_fields[] = {
  VMM_FIELD_PART (VmmPs2Keyboard, queue, vmm_ps2_queue_fields, "queue"),
  VMM_FIELD (VmmPs2Keyboard, scanning, VMM_FIELD_BOOL, "scanning"),
  VMM_FIELD (VmmPs2Keyboard, command, VMM_FIELD_UINT8, "command"),
  VMM_FIELD (VmmPs2Keyboard, leds, VMM_FIELD_UINT8, "leds"),
  VMM_FIELD_LAST,
};

/* Set 2 by set 1: what the i8042's translation undoes. */
static const guint8 set2_of[128] = {
  0,   118, 22,  30,  38,  37,  46,  54,  61,  62,  70,  69,  78,  85,  102, 13,  21,  29,  36,
  45,  44,  53,  60,  67,  68,  77,  84,  91,  90,  20,  28,  27,  35,  43,  52,  51,  59,  66,
  75,  76,  82,  14,  18,  93,  26,  34,  33,  42,  50,  49,  58,  65,  73,  74,  89,  124, 17,
  41,  88,  5,   6,   4,   12,  3,   11,  2,   10,  1,   9,   119, 126, 108, 117, 125, 123, 107,
  115, 116, 121, 105, 114, 122, 112, 113, 127, 96,  97,  120, 7,   15,  23,  31,  39,  47,  55,
  63,  71,  79,  86,  94,  8,   16,  24,  32,  40,  48,  56,  64,  72,  80,  87,  111, 19,  25,
  57,  81,  83,  92,  95,  98,  99,  100, 101, 103, 104, 106, 109, 110,
};

/* Keys whose code in set 1 is not evdev's; EXTENDED << 8 for those with that prefix. */
static const struct {
  guint16 key, set1;
} others[] = {
  { KEY_ZENKAKUHANKAKU, 0x76 },
  { KEY_RO, 0x73 },
  { KEY_KATAKANA, 0x78 },
  { KEY_HIRAGANA, 0x77 },
  { KEY_HENKAN, 0x79 },
  { KEY_KATAKANAHIRAGANA, 0x70 },
  { KEY_MUHENKAN, 0x7b },
  { KEY_KPJPCOMMA, 0x5c },
  { KEY_KPEQUAL, 0x59 },
  { KEY_KPCOMMA, 0x7e },
  { KEY_YEN, 0x7d },
  { KEY_KPENTER, 0xe01c },
  { KEY_RIGHTCTRL, 0xe01d },
  { KEY_KPSLASH, 0xe035 },
  { KEY_SYSRQ, 0xe037 },
  { KEY_RIGHTALT, 0xe038 },
  { KEY_HOME, 0xe047 },
  { KEY_UP, 0xe048 },
  { KEY_PAGEUP, 0xe049 },
  { KEY_LEFT, 0xe04b },
  { KEY_RIGHT, 0xe04d },
  { KEY_END, 0xe04f },
  { KEY_DOWN, 0xe050 },
  { KEY_PAGEDOWN, 0xe051 },
  { KEY_INSERT, 0xe052 },
  { KEY_DELETE, 0xe053 },
  { KEY_MUTE, 0xe020 },
  { KEY_VOLUMEDOWN, 0xe02e },
  { KEY_VOLUMEUP, 0xe030 },
  { KEY_POWER, 0xe05e },
  { KEY_LEFTMETA, 0xe05b },
  { KEY_RIGHTMETA, 0xe05c },
  { KEY_COMPOSE, 0xe05d },
  { KEY_CALC, 0xe021 },
  { KEY_MAIL, 0xe06c },
  { KEY_NEXTSONG, 0xe019 },
  { KEY_PLAYPAUSE, 0xe022 },
  { KEY_PREVIOUSSONG, 0xe010 },
  { KEY_STOPCD, 0xe024 },
  { KEY_HOMEPAGE, 0xe032 },
};

gboolean
vmm_ps2_queue_put (VmmPs2Queue *self, const guint8 *bytes, guint n)
{
  if (n > VMM_PS2_QUEUE - self->n)
    return FALSE;
  memcpy (self->bytes + self->n, bytes, n);
  self->n += n;
  return TRUE;
}

guint8
vmm_ps2_queue_take (VmmPs2Queue *self)
{
  guint8 byte = self->bytes[0];

  self->n--;
  memmove (self->bytes, self->bytes + 1, self->n);
  return byte;
}

guint8
vmm_ps2_translate (guint8 byte)
{
  for (guint i = 1; i < G_N_ELEMENTS (set2_of); i++)
    if (set2_of[i] == byte)
      return i;
  /* The one code of set 2 above 0x7f (F7), and what is no scan code. */
  return byte == 0x83 ? 0x41 : byte;
}

/* The key in set 1, 0 where no such keyboard has it. */
static guint16
set1_of (guint16 key)
{
  if (key <= KEY_KPDOT || (key >= KEY_102ND && key <= KEY_F12))
    return key;
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    if (others[i].key == key)
      return others[i].set1;
  return 0;
}

void
vmm_ps2_keyboard_reset (VmmPs2Keyboard *self)
{
  memset (self, 0, sizeof *self);
  self->scanning = TRUE;
}

static void
answer (VmmPs2Keyboard *self, guint n, const guint8 *bytes)
{
  vmm_ps2_queue_put (&self->queue, bytes, n);
}

/* An argument that is none is a new command. */
static gboolean
take_argument (VmmPs2Keyboard *self, guint8 byte)
{
  guint8 command = self->command;

  self->command = 0;
  if (command == 0 || byte >= COMMAND_LEDS)
    return FALSE;
  if (command == COMMAND_LEDS)
    self->leds = byte & 7;
  if (command == COMMAND_SET && byte == 0)
    answer (self, 2, (guint8[]) { ACK, 2 });
  else
    answer (self, 1, (guint8[]) { command == COMMAND_SET && byte != 2 ? RESEND : ACK });
  return TRUE;
}

static void
clear (VmmPs2Keyboard *self, gboolean scanning)
{
  vmm_ps2_keyboard_reset (self);
  self->scanning = scanning;
}

void
vmm_ps2_keyboard_write (VmmPs2Keyboard *self, guint8 byte)
{
  if (take_argument (self, byte))
    return;
  switch (byte) {
  case COMMAND_LEDS:
  case COMMAND_SET:
  case COMMAND_RATE:
    self->command = byte;
    answer (self, 1, (guint8[]) { ACK });
    break;
  case COMMAND_ECHO:
    answer (self, 1, (guint8[]) { COMMAND_ECHO });
    break;
  case COMMAND_IDENTIFY:
    answer (self, 3, (guint8[]) { ACK, 0xab, 0x83 });
    break;
  case COMMAND_ENABLE:
  case COMMAND_DISABLE:
  case COMMAND_DEFAULTS:
    clear (self, byte != COMMAND_DISABLE);
    answer (self, 1, (guint8[]) { ACK });
    break;
  case COMMAND_RESET:
    clear (self, TRUE);
    answer (self, 2, (guint8[]) { ACK, TEST_DONE });
    break;
  default:
    answer (self, 1, (guint8[]) { RESEND });
    break;
  }
}

/* Pause has one code of its own and no release. */
static gboolean
put_pause (VmmPs2Keyboard *self)
{
  static const guint8 codes[] = { 0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77 };

  return vmm_ps2_queue_put (&self->queue, codes, sizeof codes);
}

static gboolean
put_key (VmmPs2Keyboard *self, guint16 key, gboolean pressed)
{
  guint16 set1 = set1_of (key);
  guint8 codes[3];
  guint n = 0;

  if (key == KEY_PAUSE)
    return !pressed || put_pause (self);
  if (set1 == 0)
    return FALSE;
  if (set1 >> 8)
    codes[n++] = EXTENDED;
  if (!pressed)
    codes[n++] = RELEASE;
  codes[n++] = set2_of[set1 & 0x7f];
  /* Room is kept for releases, so that no key sticks in a guest that falls behind. */
  if (pressed && self->queue.n + n > VMM_PS2_QUEUE / 2)
    return FALSE;
  return vmm_ps2_queue_put (&self->queue, codes, n);
}

gboolean
vmm_ps2_keyboard_take (VmmPs2Keyboard *self, const VmmInputEvent *events, guint n_events)
{
  gboolean taken = FALSE;

  if (!self->scanning)
    return FALSE;
  for (guint i = 0; i < n_events; i++)
    if (events[i].type == EV_KEY)
      taken |= put_key (self, events[i].code, events[i].value != 0);
  return taken;
}
