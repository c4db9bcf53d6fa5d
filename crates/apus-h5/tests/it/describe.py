"""Prints one JSON line for each HDF5 file given: everything in it, as h5py's low-level interface shows it.

Elements of fixed size come as the hexadecimal digits of their bytes in the file, untouched by any conversion.
"""

import json
import sys

import h5py
import numpy as np

ORDERS = {h5py.h5t.ORDER_LE: "little", h5py.h5t.ORDER_BE: "big", h5py.h5t.ORDER_VAX: "vax"}


def describe_type(tid):
    if isinstance(tid, h5py.h5t.TypeIntegerID):
        signed = tid.get_sign() == h5py.h5t.SGN_2
        return ["integer", tid.get_size(), signed, ORDERS[tid.get_order()], tid.get_offset(), tid.get_precision()]
    if isinstance(tid, h5py.h5t.TypeFloatID):
        implied = tid.get_norm() == h5py.h5t.NORM_IMPLIED
        parts = [tid.get_offset(), tid.get_precision(), list(tid.get_fields()), tid.get_ebias(), implied]
        return ["float", tid.get_size(), ORDERS[tid.get_order()], *parts]
    if isinstance(tid, h5py.h5t.TypeBitfieldID):
        return ["bitfield", tid.get_size(), ORDERS[tid.get_order()]]
    if isinstance(tid, h5py.h5t.TypeStringID):
        if tid.is_variable_str():
            return ["variable string", tid.get_cset()]
        return ["fixed string", tid.get_size(), tid.get_strpad(), tid.get_cset()]
    if isinstance(tid, h5py.h5t.TypeVlenID):
        return ["variable sequence", describe_type(tid.get_super())]
    if isinstance(tid, h5py.h5t.TypeEnumID):
        members = range(tid.get_nmembers())
        names = [[tid.get_member_name(i).decode(), tid.get_member_value(i)] for i in members]
        return ["enum", describe_type(tid.get_super()), names]
    if isinstance(tid, h5py.h5t.TypeCompoundID):
        members = [
            [tid.get_member_name(i).decode(), tid.get_member_offset(i), describe_type(tid.get_member_type(i))]
            for i in range(tid.get_nmembers())
        ]
        return ["compound", tid.get_size(), members]
    if isinstance(tid, h5py.h5t.TypeArrayID):
        return ["array", list(tid.get_array_dims()), describe_type(tid.get_super())]
    if isinstance(tid, h5py.h5t.TypeOpaqueID):
        return ["opaque", tid.get_size(), tid.get_tag().decode()]
    raise TypeError(f"a type of class {tid.get_class()}")


def describe_shape(space):
    if space.get_simple_extent_type() == h5py.h5s.NULL:
        return None
    return list(space.get_simple_extent_dims())


def describe_value(tid, space, read_raw, read):
    if describe_shape(space) is None:
        return None
    if isinstance(tid, h5py.h5t.TypeStringID) and tid.is_variable_str():
        values = np.atleast_1d(np.asarray(read(), dtype=object)).ravel()
        return [(v.encode() if isinstance(v, str) else v).hex() for v in values]
    if isinstance(tid, h5py.h5t.TypeVlenID):
        # A scalar comes as the one sequence itself.
        values = read()
        return [v.tobytes().hex() for v in (values.ravel() if values.dtype == object else [values])]
    if space.get_simple_extent_npoints() == 0:
        return ""
    raw = np.zeros(describe_shape(space), dtype=f"V{tid.get_size()}")
    read_raw(raw, tid)
    return raw.tobytes().hex()


def describe_attributes(obj):
    out = {}
    for i in range(h5py.h5a.get_num_attrs(obj.id)):
        attribute = h5py.h5a.open(obj.id, index=i)
        tid, space = attribute.get_type(), attribute.get_space()
        name = attribute.name.decode()
        value = describe_value(tid, space, lambda raw, t: attribute.read(raw, mtype=t), lambda: obj.attrs[name])
        out[name] = [describe_type(tid), describe_shape(space), value]
    return out


def describe_dataset(dataset):
    tid, space = dataset.id.get_type(), dataset.id.get_space()
    everything = h5py.h5s.ALL
    value = describe_value(
        tid, space, lambda raw, t: dataset.id.read(everything, everything, raw, mtype=t), lambda: dataset[()]
    )
    return {"type": describe_type(tid), "shape": describe_shape(space), "value": value}


def describe_group(group, seen):
    out = {}
    for name in group:
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.SoftLink):
            out[name] = {"soft": link.path}
        elif isinstance(link, h5py.ExternalLink):
            out[name] = {"external": [link.filename, link.path]}
        else:
            out[name] = describe(group[name], seen)
    return out


def describe(obj, seen):
    address = h5py.h5o.get_info(obj.id).addr
    if address in seen:
        return {"same as": seen[address]}
    seen[address] = obj.name
    out = {"attributes": describe_attributes(obj)}
    references = h5py.h5o.get_info(obj.id).rc
    if references != 1:
        out["hard links"] = references
    if isinstance(obj, h5py.Group):
        out["members"] = describe_group(obj, seen)
    else:
        out["dataset"] = describe_dataset(obj)
    return out


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with h5py.File(name, "r") as file:
            print(json.dumps(describe(file, {})))
