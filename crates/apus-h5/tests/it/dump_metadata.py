#!/usr/bin/env python3
"""Print as JSON what h5py finds in HDF5 files: every object with its links, attributes, types and extents.

usage: dump_metadata.py FILE...

The form is made for comparison, see it/metadata.rs: types as text, values as the hexadecimal digits of packed, little-endian
bytes. Objects are named by the first path that leads to them along hard links.
"""
import json
import sys

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5l, h5o, h5s, h5t, h5z

ORDERS = {h5t.ORDER_LE: "le", h5t.ORDER_BE: "be", h5t.ORDER_VAX: "vax", h5t.ORDER_NONE: "none"}
PADDINGS = {h5t.STR_NULLTERM: "nullterm", h5t.STR_NULLPAD: "nullpad", h5t.STR_SPACEPAD: "spacepad"}
CHARACTER_SETS = {h5t.CSET_ASCII: "ascii", h5t.CSET_UTF8: "utf8"}
LAYOUTS = {h5d.COMPACT: "compact", h5d.CONTIGUOUS: "contiguous", h5d.CHUNKED: "chunked", h5d.VIRTUAL: "virtual"}


def text(name: bytes) -> str:
    return name.decode("utf-8", "replace")


def stored_type(t: h5t.TypeID) -> str:
    """The type as it stands in the file."""
    kind, size = t.get_class(), t.get_size()
    if kind == h5t.INTEGER:
        signed = "signed" if t.get_sign() == h5t.SGN_2 else "unsigned"
        return f"int({size},{signed},{ORDERS[t.get_order()]},{t.get_offset()},{t.get_precision()})"
    if kind == h5t.FLOAT:
        parts = ",".join(map(str, (*t.get_fields(), t.get_ebias())))
        implied = t.get_norm() == h5t.NORM_IMPLIED
        return f"float({size},{ORDERS[t.get_order()]},{t.get_offset()},{t.get_precision()};{parts},{implied})"
    if kind == h5t.STRING:
        character_set = CHARACTER_SETS[t.get_cset()]
        return f"vstring({character_set})" if t.is_variable_str() else f"string({size},{PADDINGS[t.get_strpad()]},{character_set})"
    if kind == h5t.BITFIELD:
        return f"bitfield({size},{ORDERS[t.get_order()]})"
    if kind == h5t.OPAQUE:
        return f"opaque({size},{text(t.get_tag())})"
    if kind == h5t.COMPOUND:
        members = (f"{text(t.get_member_name(i))}@{t.get_member_offset(i)}:{stored_type(t.get_member_type(i))}" for i in range(t.get_nmembers()))
        return f"compound({size})" + "{" + ",".join(members) + "}"
    if kind == h5t.REFERENCE:
        return f"reference({size},{'region' if t.equal(h5t.STD_REF_DSETREG) else 'object'})"
    if kind == h5t.ENUM:
        base = t.get_super()
        values = (int(t.get_member_value(i)).to_bytes(base.get_size(), "little", signed=base.get_sign() == h5t.SGN_2).hex() for i in range(t.get_nmembers()))
        members = (f"{text(t.get_member_name(i))}={value}" for i, value in enumerate(values))
        return f"enum({stored_type(base)})" + "{" + ",".join(members) + "}"
    if kind == h5t.VLEN:
        return f"vlen({stored_type(t.get_super())})"
    if kind == h5t.ARRAY:
        return f"array({stored_type(t.get_super())})[{','.join(map(str, t.get_array_dims()))}]"
    return f"other({size})"


def sizes_are_those_of_the_file(t: h5t.TypeID) -> bool:
    """Variable-length members and the references of HDF5 1.12 take other sizes in memory, which is all that h5py tells."""
    def variable(t):
        return t.get_class() == h5t.VLEN or (t.get_class() == h5t.STRING and t.is_variable_str())

    if t.get_class() == h5t.REFERENCE:
        return t.equal(h5t.STD_REF_OBJ) or t.equal(h5t.STD_REF_DSETREG)
    if t.get_class() == h5t.COMPOUND:
        members = [t.get_member_type(i) for i in range(t.get_nmembers())]
        return not any(variable(m) for m in members) and all(map(sizes_are_those_of_the_file, members))
    return sizes_are_those_of_the_file(t.get_super()) if t.get_class() in (h5t.ARRAY, h5t.VLEN) else True


def native_type(dtype: np.dtype) -> str:
    """The type that numpy has it as."""
    if h5py.check_string_dtype(dtype) is not None and dtype.kind == "O":
        return "vstring"
    if (base := h5py.check_vlen_dtype(dtype)) is not None:
        return f"vlen({native_type(base)})"
    if h5py.check_ref_dtype(dtype) is not None:
        return "reference"
    if (enum := h5py.check_enum_dtype(dtype)) is not None or dtype.kind == "b":
        base = np.dtype("i1") if enum is None else dtype
        return f"enum({base.newbyteorder('<').str})"
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return f"{native_type(base)}[{','.join(map(str, shape))}]"
    if dtype.names is not None:
        members = (f"{name}@{dtype.fields[name][1]}:{native_type(dtype.fields[name][0])}" for name in dtype.names)
        return f"compound({dtype.itemsize})" + "{" + ",".join(members) + "}"
    if dtype.kind == "c":  # stored as a compound of this form
        half = dtype.itemsize // 2
        return f"compound({dtype.itemsize}){{r@0:<f{half},i@{half}:<f{half}}}"
    return dtype.newbyteorder("<").str


def packed(dtype: np.dtype) -> np.dtype:
    """The same without gaps, little-endian."""
    if dtype.subdtype is not None:
        return np.dtype((packed(dtype.subdtype[0]), dtype.subdtype[1]))
    if dtype.names is not None:
        return np.dtype([(name, packed(dtype.fields[name][0])) for name in dtype.names])
    return dtype.newbyteorder("<")


def has_objects(dtype: np.dtype) -> bool:
    return dtype.hasobject


def fixed(array: np.ndarray) -> str:
    if array.dtype.names is None:
        return np.ascontiguousarray(array.astype(packed(array.dtype))).tobytes().hex()
    out = np.zeros(array.shape, packed(array.dtype))
    copy_members(out, array)
    return out.tobytes().hex()


def copy_members(target: np.ndarray, source: np.ndarray) -> None:
    for name in source.dtype.names:
        if source[name].dtype.names is None:
            target[name] = source[name]
        else:
            copy_members(target[name], source[name])


def value_of(attribute: h5a.AttrID, dtype: np.dtype):
    """The value; None where it cannot be compared byte by byte."""
    t = attribute.get_type()
    if attribute.get_space().get_simple_extent_type() == h5s.NULL:
        return ""
    shape = attribute.shape
    if t.get_class() == h5t.REFERENCE:
        raw = np.zeros(shape, f"V{t.get_size()}")
        attribute.read(raw, mtype=t)
        return raw.tobytes().hex()
    if t.get_class() == h5t.STRING and t.is_variable_str():
        out = np.empty(shape, dtype=h5py.string_dtype("ascii"))
        attribute.read(out, mtype=h5t.py_create(out.dtype))
        return [(b"" if s in (None, 0) else s.encode() if isinstance(s, str) else s).hex() for s in out.ravel()]
    if t.get_class() == h5t.VLEN:
        if has_objects(h5py.check_vlen_dtype(dtype)):
            return None
        out = np.empty(shape, dtype=dtype)
        attribute.read(out)
        base = h5py.check_vlen_dtype(dtype)
        return ["" if v is None or len(v) == 0 else fixed(np.asarray(v, dtype=base)) for v in out.ravel()]
    if has_objects(dtype):
        return None
    if dtype.subdtype is not None:
        out = np.empty(shape + dtype.subdtype[1], dtype=dtype.subdtype[0])
        raw = np.empty(shape, dtype=dtype) if shape == () else None
        out = raw if raw is not None else out
    else:
        out = np.empty(shape, dtype=dtype)
    attribute.read(out, mtype=h5t.py_create(dtype))
    return fixed(out)


def readings(dtype: np.dtype, value) -> dict:
    """The same values as numbers or as text, where they are that."""
    if isinstance(value, list) and h5py.check_string_dtype(dtype) is not None:
        return {"text": [bytes.fromhex(v).decode("utf-8", "replace") for v in value]}
    if not isinstance(value, str) or dtype.kind not in "iufS" or dtype.itemsize > 8 and dtype.kind != "S":
        return {}
    array = np.frombuffer(bytes.fromhex(value), packed(dtype))
    if dtype.kind == "S":
        return {"text": [v.decode("utf-8", "replace") for v in array]}
    numbers = {"floats": array.astype("<f8").tobytes().hex()}
    return numbers if dtype.kind == "f" else numbers | {"integers": [str(v) for v in array]}


def extent(space: h5s.SpaceID):
    kind = space.get_simple_extent_type()
    if kind == h5s.NULL:
        return "null"
    if kind == h5s.SCALAR:
        return "scalar"
    return [list(space.shape), [None if m == h5s.UNLIMITED else m for m in space.get_simple_extent_dims(True)]]


def attributes(obj) -> dict:
    out = {}
    names = []
    h5a.iterate(obj, lambda name, *_: names.append(name))
    for name in names:
        a = h5a.open(obj, name)
        entry = {"extent": extent(a.get_space())}
        if sizes_are_those_of_the_file(a.get_type()):
            entry["type"] = stored_type(a.get_type())
        try:
            if "type" in entry:
                entry["dtype"] = native_type(a.dtype)
            entry["value"] = value_of(a, a.dtype)
            entry |= readings(a.dtype, entry["value"])
        except Exception as error:  # types that numpy has no word for
            entry["error"] = str(error)
        out[text(a.name)] = entry
    return out


def link_of(group: h5g.GroupID, name: bytes):
    info = group.links.get_info(name)
    if info.type == h5l.TYPE_HARD:
        return ["hard"]
    if info.type == h5l.TYPE_SOFT:
        return ["soft", text(group.links.get_val(name))]
    if info.type == h5l.TYPE_EXTERNAL:
        return ["external", *map(text, group.links.get_val(name))]
    return ["user", int(info.type)]


def describe(obj) -> dict:
    out = {"attributes": attributes(obj), "address": int(h5o.get_info(obj).addr)}
    if isinstance(obj, h5g.GroupID):
        names = []
        obj.links.iterate(lambda name: names.append(name))
        out |= {"kind": "group", "links": {text(n): link_of(obj, n) for n in names}}
    elif isinstance(obj, h5d.DatasetID):
        dcpl = obj.get_create_plist()
        layout = LAYOUTS[dcpl.get_layout()]
        filters = [dcpl.get_filter(i) for i in range(dcpl.get_nfilters())]
        out |= {"kind": "dataset", "extent": extent(obj.get_space()), "layout": layout,
                "chunks": list(dcpl.get_chunk()) if layout == "chunked" else None,
                "filters": [[code, list(values)] for code, _, values, _ in filters]}
        if sizes_are_those_of_the_file(obj.get_type()):
            out["type"] = stored_type(obj.get_type())
            try:
                out["dtype"] = native_type(obj.dtype)
            except Exception as error:
                out["error"] = str(error)
    else:
        out |= {"kind": "named type"}
    return out


def dump(path: str) -> dict:
    objects, seen = {}, set()
    with h5py.File(path, "r") as f:
        stack = [("/", h5o.open(f.id, b"/"))]
        while stack:
            name, obj = stack.pop()
            address = h5o.get_info(obj).addr
            if address in seen:
                continue
            seen.add(address)
            objects[name] = describe(obj)
            for child, link in objects[name].get("links", {}).items():
                if link[0] != "hard":
                    continue
                child_path = f"{name.rstrip('/')}/{child}"
                try:
                    stack.append((child_path, h5o.open(obj, child.encode())))
                except Exception as error:  # what this libhdf5 refuses
                    objects[child_path] = {"kind": "refused", "error": str(error)}
    return objects


if __name__ == "__main__":
    json.dump({path: dump(path) for path in sys.argv[1:]}, sys.stdout)
