//! Packets from the inside out: each function puts one header before what it is given.

/// The payload of [`sample`].
pub(super) const PAYLOAD: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// `EtherType`s.
pub(super) const IPV4: u16 = 0x0800;
pub(super) const IPV6: u16 = 0x86dd;

pub(super) fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// A TCP segment from port 50000 to port 80 with these options (a multiple of four bytes).
pub(super) fn tcp_with_options(seq: u32, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let offset = ((20 + options.len()) as u8 / 4) << 4;
    join(&[
        &[0xc3, 0x50, 0, 80],
        &seq.to_be_bytes(),
        &[1, 2, 3, 4, offset, 0x18, 2, 0, 0xba, 0xad, 0, 0],
        options,
        payload,
    ])
}

/// The segment that most tests wrap: sequence number 7, twelve bytes of options.
pub(super) fn sample() -> Vec<u8> {
    tcp_with_options(7, &[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2], PAYLOAD)
}

/// IPv4 from 10.0.0.1 to 10.0.0.2 with a wrong checksum.
pub(super) fn ipv4(protocol: u8, body: &[u8]) -> Vec<u8> {
    ipv4_fragment(protocol, 0x1234, 0, false, body)
}

/// An IPv4 fragment; `offset` in bytes.
pub(super) fn ipv4_fragment(protocol: u8, id: u16, offset: usize, more: bool, body: &[u8]) -> Vec<u8> {
    let place = (offset / 8) as u16 | if more { 0x2000 } else { 0 };
    join(&[
        &[0x45, 0],
        &((20 + body.len()) as u16).to_be_bytes(),
        &id.to_be_bytes(),
        &place.to_be_bytes(),
        &[64, protocol, 0xba, 0xad, 10, 0, 0, 1, 10, 0, 0, 2],
        body,
    ])
}

/// IPv4 with options (a multiple of four bytes).
pub(super) fn ipv4_with_options(protocol: u8, options: &[u8], body: &[u8]) -> Vec<u8> {
    let mut packet = ipv4(protocol, &join(&[options, body]));
    packet[0] = 0x45 + (options.len() / 4) as u8;
    packet
}

/// IPv6 from `2001:db8::1` to `2001:db8::2`.
pub(super) fn ipv6(next: u8, body: &[u8]) -> Vec<u8> {
    let address = |last| [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    join(&[&[0x60, 0, 0, 0], &(body.len() as u16).to_be_bytes(), &[next, 64], &address(1), &address(2), body])
}

/// An IPv6 fragment header and its part; `offset` in bytes.
pub(super) fn ipv6_fragment(next: u8, id: u32, offset: usize, more: bool, body: &[u8]) -> Vec<u8> {
    let place = offset as u16 | u16::from(more);
    let header = join(&[&[next, 0], &place.to_be_bytes(), &id.to_be_bytes(), body]);
    ipv6(44, &header)
}

/// An IPv6 extension header of `units` eight bytes beyond the first eight, filled with `fill`.
pub(super) fn extension(next: u8, units: u8, fill: u8, body: &[u8]) -> Vec<u8> {
    join(&[&[next, units], &vec![fill; 6 + usize::from(units) * 8], body])
}

pub(super) fn ethernet(ethertype: u16, body: &[u8]) -> Vec<u8> {
    join(&[&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1], &ethertype.to_be_bytes(), body])
}

/// A VLAN tag behind the `EtherType` that announces it.
pub(super) fn vlan(ethertype: u16, body: &[u8]) -> Vec<u8> {
    join(&[&[0x60, 42], &ethertype.to_be_bytes(), body])
}

/// An MPLS stack of these labels.
pub(super) fn mpls(labels: &[u32], body: &[u8]) -> Vec<u8> {
    let mut stack = Vec::new();
    for (index, label) in labels.iter().enumerate() {
        let bottom = u32::from(index + 1 == labels.len());
        stack.extend((label << 12 | bottom << 8 | 64).to_be_bytes());
    }
    stack.extend(body);
    stack
}

/// A `PPPoE` session header.
pub(super) fn pppoe(body: &[u8]) -> Vec<u8> {
    join(&[&[0x11, 0, 0, 9], &(body.len() as u16).to_be_bytes(), body])
}

pub(super) fn gre(flags: u16, options: &[u8], protocol: u16, body: &[u8]) -> Vec<u8> {
    join(&[&flags.to_be_bytes(), &protocol.to_be_bytes(), options, body])
}

pub(super) fn udp(port: u16, body: &[u8]) -> Vec<u8> {
    join(&[&[0xd0, 0], &port.to_be_bytes(), &((8 + body.len()) as u16).to_be_bytes(), &[0, 0], body])
}

pub(super) fn vxlan(frame: &[u8]) -> Vec<u8> {
    join(&[&[8, 0, 0, 0, 0, 0, 77, 0], frame])
}

pub(super) fn geneve(options: &[u8], protocol: u16, body: &[u8]) -> Vec<u8> {
    let units = (options.len() / 4) as u8;
    join(&[&[units, 0], &protocol.to_be_bytes(), &[0, 0, 77, 0], options, body])
}

/// GTP-U with these flags; `options` are what follows the tunnel endpoint.
pub(super) fn gtp_u(flags: u8, options: &[u8], body: &[u8]) -> Vec<u8> {
    let len = (options.len() + body.len()) as u16;
    join(&[&[0x30 | flags, 255], &len.to_be_bytes(), &[0, 0, 0, 9], options, body])
}

/// Netfilter's log: a packet header attribute, a prefix of seven bytes, then the packet.
pub(super) fn nflog(big_endian: bool, family: u8, ethertype: u16, packet: &[u8]) -> Vec<u8> {
    let number = |value: usize| {
        let value = value as u16;
        if big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
    };
    let attribute = |kind: usize, value: &[u8]| {
        let padding = vec![0; value.len().next_multiple_of(4) - value.len()];
        join(&[&number(4 + value.len()), &number(kind), value, &padding])
    };
    let header = attribute(1, &join(&[&ethertype.to_be_bytes(), &[1, 0]]));
    join(&[&[family, 0, 0, 5], &header, &attribute(10, b"prefix\0"), &attribute(9, packet)])
}

/// An 802.11 data frame (subtype 8: with a quality of service field) with these flags, and what stands between the addresses and LLC.
pub(super) fn wifi(subtype: u8, flags: u8, rest: &[u8], body: &[u8]) -> Vec<u8> {
    let head = [subtype << 4 | 8, flags, 0, 0];
    join(&[&head, &[2; 18], &[0x10, 0], rest, body])
}

/// LLC and SNAP.
pub(super) fn snap(ethertype: u16, body: &[u8]) -> Vec<u8> {
    snap_of([0; 3], ethertype, body)
}

/// LLC and SNAP of an organization.
pub(super) fn snap_of(organization: [u8; 3], protocol: u16, body: &[u8]) -> Vec<u8> {
    join(&[&[0xaa, 0xaa, 3], &organization, &protocol.to_be_bytes(), body])
}

/// A network service header with this many words of metadata.
pub(super) fn nsh(next: u8, metadata: u8, body: &[u8]) -> Vec<u8> {
    let words = vec![0x77; usize::from(metadata) * 4];
    join(&[&[0x0f, 0xc0 | (2 + metadata), 2, next, 0, 0, 1, 0xff], &words, body])
}

/// VXLAN-GPE.
pub(super) fn gpe(next: u8, body: &[u8]) -> Vec<u8> {
    join(&[&[0x0c, 0, 0, next, 0, 0, 77, 0], body])
}

/// L2TP version 2 with these flags; `options` are what stands before PPP beside the tunnel and the session.
pub(super) fn l2tp_2(flags: u16, len: &[u8], options: &[u8], body: &[u8]) -> Vec<u8> {
    join(&[&(flags | 2).to_be_bytes(), len, &[0, 7, 0, 9], options, body])
}

/// TZSP with these tags.
pub(super) fn tzsp(kind: u16, tags: &[u8], body: &[u8]) -> Vec<u8> {
    join(&[&[1, 0], &kind.to_be_bytes(), tags, &[1], body])
}
