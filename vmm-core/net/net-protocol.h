/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Offsets and lengths in the headers of Ethernet, IPv4 (RFC 791), IPv6 (RFC 8200), TCP (RFC 9293)
 * and UDP (RFC 768). Frames are read by bytes: a guest aligns nothing.
 */
#pragma once

#define ETHER_SOURCE       6
#define ETHER_TYPE         12
#define ETHER_LENGTH       14
#define ETHER_TAG_LENGTH   4
#define ETHER_IP4          0x0800
#define ETHER_VLAN         0x8100
#define ETHER_SERVICE_VLAN 0x88a8
#define ETHER_IP6          0x86dd

#define IP4_TOTAL_LENGTH   2
#define IP4_ID             4
#define IP4_FRAGMENT       6
#define IP4_MORE           0x2000
#define IP4_OFFSET_MASK    0x1fff
#define IP4_PROTOCOL       9
#define IP4_CHECKSUM       10
#define IP4_SOURCE         12
#define IP4_ADDRESS_LENGTH 4
#define IP4_LENGTH         20 /* without options */

#define IP6_PAYLOAD_LENGTH 4
#define IP6_NEXT           6
#define IP6_SOURCE         8
#define IP6_ADDRESS_LENGTH 16
#define IP6_LENGTH         40
#define IP6_OPTION_UNIT    8

#define TCP_SEQUENCE    4
#define TCP_DATA_OFFSET 12
#define TCP_FLAGS       13
#define TCP_FIN         0x01
#define TCP_SYN         0x02
#define TCP_PUSH        0x08
#define TCP_CWR         0x80
#define TCP_CHECKSUM    16
#define TCP_LENGTH      20 /* without options */

#define UDP_TOTAL_LENGTH 4
#define UDP_CHECKSUM     6
#define UDP_LENGTH       8
