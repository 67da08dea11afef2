/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is the same on every machine. What varies (processors, PCI windows, the serial port) is in
 * small tables made by acpi-ssdt.c.
 */
DefinitionBlock ("dsdt.aml", "DSDT", 2, "VIRTDK", "VIRTDESK", 1)
{
  External (\FWCS, IntObj) /* of fw_cfg */
  External (\HPTS, IntObj) /* of the event timer */
  External (\PS2S, IntObj) /* of keyboard and mouse */
  External (\SERI, IntObj) /* _STA of the serial port */

  Name (\_S5, Package () { Zero, Zero, Zero, Zero })

  /* 0: the old interrupt controllers, 1: the I/O APIC. Routing below is for the latter. */
  Method (\_PIC, 1) { }

  Scope (\_GPE)
  {
    Method (_E05)
    {
      Notify (\_SB.VGEN, 0x80)
    }
  }

  Scope (\_SB)
  {
    Device (PCI0)
    {
      Name (_HID, EisaId ("PNP0A08"))
      Name (_CID, EisaId ("PNP0A03"))
      Name (_UID, Zero)
      Name (_SEG, Zero)
      Name (_BBN, Zero)
      /* _CRS and _PRT: acpi-ssdt.c */

      /* All that PCI Express has is the operating system's; it asks, we agree. */
      Method (_OSC, 4)
      {
        CreateDWordField (Arg3, Zero, CDW1)
        If ((Arg0 == ToUUID ("33db4d5b-1ff7-401c-9657-7441c03dd766")))
        {
          If ((Arg1 != One))
          {
            CDW1 |= 0x08 /* revision unknown */
          }
        }
        Else
        {
          CDW1 |= 0x04 /* UUID unknown */
        }
        Return (Arg3)
      }
    }

    /* Addresses that nobody may give to a device. */
    Device (BRD0)
    {
      Name (_HID, EisaId ("PNP0C02"))
      Name (_UID, Zero)
      Name (_CRS, ResourceTemplate ()
      {
        IO (Decode16, 0x0600, 0x0600, 0x00, 0x40)
        Memory32Fixed (ReadWrite, 0xFEFFB000, 0x00005000)
      })
    }

    Device (RTC0)
    {
      Name (_HID, EisaId ("PNP0B00"))
      Name (_CRS, ResourceTemplate ()
      {
        IO (Decode16, 0x0070, 0x0070, 0x01, 0x02)
        IRQNoFlags () { 8 }
      })
    }

    Device (HPT0)
    {
      Name (_HID, EisaId ("PNP0103"))
      Method (_STA)
      {
        Return (\HPTS)
      }
      Name (_CRS, ResourceTemplate ()
      {
        Memory32Fixed (ReadWrite, 0xFED00000, 0x00000400)
      })
    }

    Device (KBD0)
    {
      Name (_HID, EisaId ("PNP0303"))
      Method (_STA)
      {
        Return (\PS2S)
      }
      Name (_CRS, ResourceTemplate ()
      {
        IO (Decode16, 0x0060, 0x0060, 0x01, 0x01)
        IO (Decode16, 0x0064, 0x0064, 0x01, 0x01)
        IRQNoFlags () { 1 }
      })
    }

    Device (MOU0)
    {
      Name (_HID, EisaId ("PNP0F13"))
      Method (_STA)
      {
        Return (\PS2S)
      }
      Name (_CRS, ResourceTemplate ()
      {
        IRQNoFlags () { 12 }
      })
    }

    Device (FWCF)
    {
      Name (_HID, "QEMU0002")
      Method (_STA)
      {
        Return (\FWCS)
      }
      Name (_CRS, ResourceTemplate ()
      {
        IO (Decode16, 0x0510, 0x0510, 0x01, 0x0C)
      })
    }

    /* The generation ID: chips/generation.h. */
    Device (VGEN)
    {
      Name (_HID, "VTDK0001")
      Name (_CID, "VM_Gen_Counter")
      Name (_DDN, "VM_Gen_Counter")
      Name (ADDR, Package () { 0xFEFFB000, Zero })
    }

    /* pvpanic */
    Device (PEVT)
    {
      Name (_HID, "QEMU0001")
      Name (_CRS, ResourceTemplate ()
      {
        IO (Decode16, 0x0505, 0x0505, 0x01, 0x01)
      })
    }

    Device (COM1)
    {
      Name (_HID, EisaId ("PNP0501"))
      Name (_UID, One)
      Method (_STA)
      {
        Return (\SERI)
      }
      Name (_CRS, ResourceTemplate ()
      {
        IO (Decode16, 0x03F8, 0x03F8, 0x00, 0x08)
        IRQNoFlags () { 4 }
      })
    }
  }
}
