//! The datatype message, versions 1 to 5 (specification, section IV.A.2.d).

use crate::{
    ByteOrder, CharacterSet, Datatype, FloatFormat, Member, StringPadding,
    format::{Cursor, Parse, before_nul, encoded_size},
};

/// How deep types may be nested: far above anything real, and shallow enough for any stack.
const MAX_DEPTH: u8 = 32;

impl Datatype {
    /// Reads a datatype message.
    pub(crate) fn parse(mut cursor: Cursor<'_>) -> Parse<Self> {
        parse(&mut cursor, MAX_DEPTH)
    }
}

/// What all types begin with.
struct Prefix {
    version: u8,
    /// The "class bit field".
    bits: u32,
    size: u32,
}

fn parse(cursor: &mut Cursor<'_>, depth: u8) -> Parse<Datatype> {
    let depth =
        depth.checked_sub(1).ok_or_else(|| cursor.damaged(format_args!("types nested over {MAX_DEPTH} deep")))?;
    let class_and_version = cursor.u8()?;
    let [a, b, c] = cursor.array()?;
    let prefix =
        Prefix { version: class_and_version >> 4, bits: u32::from_le_bytes([a, b, c, 0]), size: cursor.u32()? };
    if !(1..=5).contains(&prefix.version) {
        return Err(cursor.unsupported(format_args!("version {}", prefix.version)));
    }
    if prefix.size == 0 {
        return Err(cursor.damaged("a type of no bytes"));
    }
    let size = prefix.size;
    match class_and_version & 0x0f {
        0 => integer(cursor, &prefix),
        1 => float(cursor, &prefix),
        2 => {
            cursor.skip(2)?;
            Ok(Datatype::Other { size, class: "time" })
        }
        3 => string(cursor, &prefix),
        4 => {
            let (bit_offset, precision) = bits_in_use(cursor, size)?;
            let _ = (bit_offset, precision);
            Ok(Datatype::Bitfield { size, order: byte_order(prefix.bits) })
        }
        5 => {
            let tag = cursor.take_u64(u64::from(prefix.bits & 0xff))?;
            // A description for people, by which nothing is looked up.
            let tag = String::from_utf8_lossy(before_nul(tag)).into_owned();
            Ok(Datatype::Opaque { size, tag })
        }
        6 => compound(cursor, &prefix, depth),
        7 => reference(cursor, &prefix),
        8 => enumeration(cursor, &prefix, depth),
        9 => variable(cursor, &prefix, depth),
        10 => array(cursor, &prefix, depth),
        11 => {
            parse(cursor, depth)?;
            Ok(Datatype::Other { size, class: "complex" })
        }
        class => Err(cursor.unsupported(format_args!("class {class}"))),
    }
}

fn byte_order(bits: u32) -> ByteOrder {
    if bits & 1 == 0 { ByteOrder::Little } else { ByteOrder::Big }
}

/// Lowest bit in use and number of bits in use, which must lie in the element.
fn bits_in_use(cursor: &mut Cursor<'_>, size: u32) -> Parse<(u16, u16)> {
    let (bit_offset, precision) = (cursor.u16()?, cursor.u16()?);
    if precision == 0 || u64::from(bit_offset) + u64::from(precision) > 8 * u64::from(size) {
        return Err(cursor.damaged(format_args!("{precision} bits from bit {bit_offset} on in {size} bytes")));
    }
    Ok((bit_offset, precision))
}

fn integer(cursor: &mut Cursor<'_>, prefix: &Prefix) -> Parse<Datatype> {
    let (bit_offset, precision) = bits_in_use(cursor, prefix.size)?;
    let signed = prefix.bits & 8 != 0;
    Ok(Datatype::Integer { size: prefix.size, signed, order: byte_order(prefix.bits), bit_offset, precision })
}

fn float(cursor: &mut Cursor<'_>, prefix: &Prefix) -> Parse<Datatype> {
    let size = prefix.size;
    let (bit_offset, precision) = bits_in_use(cursor, size)?;
    let [exponent_position, exponent_size, mantissa_position, mantissa_size] = cursor.array()?;
    let exponent_bias = cursor.u32()?;
    let order = match prefix.bits & 0x41 {
        0x00 => ByteOrder::Little,
        0x01 => ByteOrder::Big,
        0x41 => ByteOrder::Vax,
        _ => return Err(cursor.damaged("a float of unknown byte order")),
    };
    let implied_msb = match (prefix.bits >> 4) & 3 {
        0 | 1 => false,
        2 => true,
        normalization => return Err(cursor.unsupported(format_args!("mantissa normalization {normalization}"))),
    };
    let [_, sign_position, ..] = prefix.bits.to_le_bytes();
    let format = FloatFormat {
        sign_position,
        exponent_position,
        exponent_size,
        mantissa_position,
        mantissa_size,
        exponent_bias,
        implied_msb,
    };
    let n_bits = u32::from(precision) + u32::from(bit_offset);
    let fits = |position: u8, bits: u8| bits > 0 && u32::from(position) + u32::from(bits) <= n_bits;
    if !(fits(sign_position, 1) && fits(exponent_position, exponent_size) && fits(mantissa_position, mantissa_size)) {
        return Err(cursor.damaged(format_args!("a float of {n_bits} bits with its parts at {format:?}")));
    }
    Ok(Datatype::Float { size, order, bit_offset, precision, format })
}

fn character_set(cursor: &Cursor<'_>, code: u32) -> Parse<CharacterSet> {
    match code {
        0 => Ok(CharacterSet::Ascii),
        1 => Ok(CharacterSet::Utf8),
        _ => Err(cursor.unsupported(format_args!("character set {code}"))),
    }
}

fn string(cursor: &Cursor<'_>, prefix: &Prefix) -> Parse<Datatype> {
    let padding = match prefix.bits & 15 {
        0 => StringPadding::NullTerminated,
        1 => StringPadding::NullPadded,
        2 => StringPadding::SpacePadded,
        padding => return Err(cursor.unsupported(format_args!("string padding {padding}"))),
    };
    let character_set = character_set(cursor, (prefix.bits >> 4) & 15)?;
    Ok(Datatype::FixedString { size: prefix.size, padding, character_set })
}

fn reference(cursor: &Cursor<'_>, prefix: &Prefix) -> Parse<Datatype> {
    // libhdf5 gives those of old these sizes, whatever the file states.
    let expected = match prefix.bits & 15 {
        0 => 8,
        1 => 12,
        _ => prefix.size,
    };
    if prefix.size != expected {
        return Err(cursor.damaged(format_args!("a reference of {} bytes, not {expected}", prefix.size)));
    }
    match prefix.bits & 15 {
        // Object and region references of old, then HDF5 1.12's to objects, regions and attributes.
        kind @ 0..=4 => Ok(Datatype::Reference { size: prefix.size, region: matches!(kind, 1 | 3) }),
        kind => Err(cursor.unsupported(format_args!("reference of type {kind}"))),
    }
}

fn variable(cursor: &mut Cursor<'_>, prefix: &Prefix, depth: u8) -> Parse<Datatype> {
    let base = parse(cursor, depth)?;
    let reference_bytes = 8 + u32::from(cursor.sizes().offset);
    if prefix.size != reference_bytes {
        return Err(cursor.damaged(format_args!("a heap reference of {} bytes, not {reference_bytes}", prefix.size)));
    }
    if reference_bytes != 16 {
        return Err(cursor.unsupported(format_args!(
            "variable-length elements in a file with addresses of {} bytes",
            cursor.sizes().offset
        )));
    }
    match prefix.bits & 15 {
        0 => Ok(Datatype::VariableSequence(Box::new(base))),
        1 => Ok(Datatype::VariableString { character_set: character_set(cursor, (prefix.bits >> 8) & 15)? }),
        kind => Err(cursor.unsupported(format_args!("variable-length type {kind}"))),
    }
}

/// A name that ends with a NUL, padded to a multiple of 8 bytes up to version 2.
fn name(cursor: &mut Cursor<'_>, version: u8) -> Parse<String> {
    let start = cursor.position();
    let name = cursor.c_string()?;
    let name = cursor.text(name)?;
    if version < 3 {
        cursor.align_8(start)?;
    }
    Ok(name)
}

fn enumeration(cursor: &mut Cursor<'_>, prefix: &Prefix, depth: u8) -> Parse<Datatype> {
    let n_members = prefix.bits & 0xffff;
    let base = parse(cursor, depth)?;
    let Datatype::Integer { size, order, .. } = base else {
        return Err(cursor.unsupported("an enum whose values are no integers"));
    };
    if size != prefix.size {
        return Err(cursor.damaged(format_args!("an enum of {} bytes over integers of {size}", prefix.size)));
    }
    let names = (0..n_members).map(|_| name(cursor, prefix.version)).collect::<Parse<Vec<_>>>()?;
    let mut members = Vec::with_capacity(names.len());
    for name in names {
        let mut value = cursor.take_u64(u64::from(size))?.to_vec();
        if order == ByteOrder::Big {
            value.reverse();
        }
        members.push((name, value));
    }
    Ok(Datatype::Enum { base: Box::new(base), members })
}

fn compound(cursor: &mut Cursor<'_>, prefix: &Prefix, depth: u8) -> Parse<Datatype> {
    let n_members = prefix.bits & 0xffff;
    let mut members = Vec::new();
    for _ in 0..n_members {
        let name = name(cursor, prefix.version)?;
        let offset_bytes = if prefix.version < 3 { 4 } else { encoded_size(u64::from(prefix.size)) };
        let offset = cursor.uint(offset_bytes)?;
        let mut dims = Vec::new();
        if prefix.version == 1 {
            let rank = cursor.u8()?;
            cursor.skip(3 + 4 + 4)?; // reserved, dimension permutation, reserved
            let all = [cursor.u32()?, cursor.u32()?, cursor.u32()?, cursor.u32()?];
            let used = all.get(..usize::from(rank));
            dims.extend_from_slice(used.ok_or_else(|| cursor.damaged(format_args!("a member of {rank} dimensions")))?);
        }
        let mut dtype = parse(cursor, depth)?;
        if !dims.is_empty() {
            dtype = array_of(cursor, dtype, dims)?;
        }
        let end = offset.checked_add(dtype.size_bytes());
        if end.is_none_or(|end| end > u64::from(prefix.size)) {
            return Err(cursor.damaged(format_args!(
                "member {name:?} of {} bytes at {offset} in a compound of {}",
                dtype.size_bytes(),
                prefix.size
            )));
        }
        members.push(Member { name, offset, dtype });
    }
    if members.is_empty() {
        return Err(cursor.damaged("a compound without members"));
    }
    Ok(Datatype::Compound { size: prefix.size, members })
}

fn array(cursor: &mut Cursor<'_>, prefix: &Prefix, depth: u8) -> Parse<Datatype> {
    let rank = cursor.u8()?;
    if prefix.version < 3 {
        cursor.skip(3)?;
    }
    let dims = (0..rank).map(|_| cursor.u32()).collect::<Parse<Vec<_>>>()?;
    if prefix.version < 3 {
        cursor.skip(4 * usize::from(rank))?; // dimension permutation
    }
    let base = parse(cursor, depth)?;
    let array = array_of(cursor, base, dims)?;
    if array.size_bytes() != u64::from(prefix.size) {
        return Err(cursor.damaged(format_args!("an array of {} bytes stated as {}", array.size_bytes(), prefix.size)));
    }
    Ok(array)
}

/// An array type whose size is one that an element can have.
fn array_of(cursor: &Cursor<'_>, base: Datatype, dims: Vec<u32>) -> Parse<Datatype> {
    let size = dims.iter().try_fold(base.size_bytes(), |size, &dim| size.checked_mul(u64::from(dim)));
    match size {
        Some(1..=0xffff_ffff) if !dims.is_empty() => Ok(Datatype::Array { base: Box::new(base), dims }),
        _ => {
            Err(cursor.damaged(format_args!("an array of shape {dims:?} over elements of {} bytes", base.size_bytes())))
        }
    }
}
