/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * com.example.VirtDesk1: what the owner of a library answers. A machine is named by
 * its uuid or, where only one has it, its name. Methods return when the thing is
 * done; errors are com.example.VirtDesk1.Error.* (vd-error.c). Machines and
 * configurations are described in vd-variant.h.
 *
 * Threads: any.
 */
#pragma once

/* clang-format off */
static const char vd_service_xml[] =
  "<node>"
  "<interface name='com.example.VirtDesk1'>"
  /* The library's folder. */
  "<property name='Path' type='s' access='read'/>"
  /* Whether this process gives the library away when it is asked to (Release). */
  "<property name='Releases' type='b' access='read'/>"
  "<method name='List'><arg name='machines' type='aa{sv}' direction='out'/></method>"
  "<method name='Show'><arg name='machine' type='s'/><arg name='properties' type='a{sv}' direction='out'/></method>"
  "<method name='Create'><arg name='config' type='a{sv}'/><arg name='uuid' type='s' direction='out'/></method>"
  "<method name='Start'><arg name='machine' type='s'/></method>"
  "<method name='Pause'><arg name='machine' type='s'/></method>"
  "<method name='Resume'><arg name='machine' type='s'/></method>"
  "<method name='Reset'><arg name='machine' type='s'/></method>"
  /* Asks the system in the machine to turn off; Wait tells when it has. */
  "<method name='PowerOff'><arg name='machine' type='s'/></method>"
  "<method name='Save'><arg name='machine' type='s'/></method>"
  "<method name='Discard'><arg name='machine' type='s'/></method>"
  "<method name='ForceOff'><arg name='machine' type='s'/></method>"
  /* Returns when the machine does not run any more. */
  "<method name='Wait'><arg name='machine' type='s'/><arg name='state' type='s' direction='out'/></method>"
  /* A PNG file. */
  "<method name='Screenshot'><arg name='machine' type='s'/><arg name='file' type='h' direction='out'/></method>"
  /* keep: in the trash, for Restore; otherwise it is gone for good. */
  "<method name='Delete'><arg name='machine' type='s'/><arg name='keep' type='b'/></method>"
  "<method name='Restore'><arg name='uuid' type='s'/></method>"
  "<method name='Release'/>"
  "<signal name='Changed'><arg name='uuid' type='s'/></signal>"
  "</interface>"
  "</node>";
/* clang-format on */
