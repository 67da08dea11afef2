/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The only header of vmm-core that the floors above include.
 */
#pragma once

#include "vmm-balloon.h"
#include "vmm-config.h"
#include "vmm-cpu.h"
#include "vmm-display.h"
#include "vmm-error.h"
#include "vmm-firmware.h"
#include "vmm-host.h"
#include "vmm-input.h"
#include "vmm-machine.h"
#include "vmm-networks.h"
