"""What h5py says of an object, compared with what /v1/object and the JSON form of /v1/data say."""

import h5py
import numpy as np
from h5py import h5d, h5s, h5t

LAYOUTS = {h5d.COMPACT: "compact", h5d.CONTIGUOUS: "contiguous", h5d.CHUNKED: "chunked", h5d.VIRTUAL: "virtual"}
ORDERS = {h5t.ORDER_LE: "little", h5t.ORDER_BE: "big"}
PADDINGS = {h5t.STR_NULLTERM: "null_terminated", h5t.STR_NULLPAD: "null_padded", h5t.STR_SPACEPAD: "space_padded"}
CHARACTER_SETS = {h5t.CSET_ASCII: "ascii", h5t.CSET_UTF8: "utf-8"}

# szip, blosc, bitshuffle, blosc2: datasets that are refused need not tell what they take in the file.
UNKNOWN_FILTERS = {4, 32001, 32008, 32026}


def little_endian(dtype):
    """The type in which elements leave: as h5py has it, little-endian; complex numbers as the records that they are in the file."""
    dtype = dtype.newbyteorder("<")
    if dtype.kind == "c":
        part = f"<f{dtype.itemsize // 2}"
        return np.dtype([("r", part), ("i", part)])
    return dtype


# --------------------------------------------------------------------------------------------------------------- objects


def objects(f, path="/"):
    """The paths of all objects, hard links followed, but for those narrow floats in headers without checksum that current HDF5 refuses (their
    values are compared with digests)."""
    yield path
    if isinstance(f[path], h5py.Group):
        for name in f[path]:
            if isinstance(f[path].get(name, getlink=True), h5py.HardLink):
                inner = f"{path.rstrip('/')}/{name}"
                try:
                    f[inner]
                except KeyError as error:
                    assert "unusually large # of unused bits" in str(error), inner
                    continue
                yield from objects(f, inner)


def assert_same_object(ours, item):
    """Compares the whole of an answer of /v1/object with the h5py object."""
    where = item.name
    assert_same_attributes(ours["attributes"], item.attrs, where)
    if isinstance(item, h5py.Group):
        assert ours["kind"] == "group", where
        assert_same_members(ours["members"], item)
    else:
        assert ours["kind"] == "dataset", where
        assert_same_form(ours, item.dtype, None if item.shape is None else item.shape, item.id.get_type(), where)
        assert_same_storage(ours, item)


def assert_same_members(members, group):
    assert sorted(members) == sorted(group)
    for name, member in members.items():
        where = f"{group.name}/{name}"
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.SoftLink):
            assert (member["link"], member["target"]) == ("soft", link.path), where
        elif isinstance(link, h5py.ExternalLink):
            assert (member["link"], member["file"], member["target"]) == ("external", link.filename, link.path), where
        else:
            assert member["link"] == "hard", where
            try:
                item = group[name]
            except KeyError as error:
                # Narrow floats in headers without checksum: current HDF5 refuses them, older ones and we do not.
                assert "unusually large # of unused bits" in str(error), where
                assert member["kind"] == "dataset", where
                continue
            assert member["kind"] == {h5py.Group: "group", h5py.Dataset: "dataset", h5py.Datatype: "datatype"}[type(item)], where
            if isinstance(item, h5py.Dataset):
                base, inner = element_type(item.dtype)
                assert numpy_dtype(member["dtype"]) == little_endian(base), where
                assert member["shape"] == (None if item.shape is None else list(item.shape + inner)), where


def assert_same_storage(ours, dataset):
    where, properties = dataset.name, dataset.id.get_create_plist()
    assert ours["layout"] == LAYOUTS[properties.get_layout()], where
    assert ours.get("chunks") == (list(dataset.chunks) if dataset.chunks else None), where
    if dataset.shape is not None and dataset.id.get_space().get_simple_extent_type() == h5s.SIMPLE:
        assert ours["max_shape"] == list(dataset.maxshape), where
    stages = [properties.get_filter(i) for i in range(properties.get_nfilters())]
    assert [f["id"] for f in ours["filters"]] == [number for number, *_ in stages], where
    assert [f["parameters"] for f in ours["filters"]] == [list(parameters) for _, _, parameters, _ in stages], where
    assert [f["optional"] for f in ours["filters"]] == [bool(flags & 1) for _, flags, _, _ in stages], where
    if dataset.is_virtual:
        named = dict.fromkeys(source.file_name for source in dataset.virtual_sources())
        assert ours["virtual_files"] == list(named), where
    elif "storage_size_bytes" in ours or not {number for number, *_ in stages} & UNKNOWN_FILTERS:
        assert ours["storage_size_bytes"] == dataset.id.get_storage_size(), where


def assert_same_attributes(ours, attributes, where):
    assert sorted(ours) == sorted(attributes), where
    for name, described in ours.items():
        there = f"{where}@{name}"
        attribute = attributes.get_id(name)
        assert "error" not in described, f"{there}: {described}"
        assert_same_form(described, attribute.dtype, attribute.shape, attribute.get_type(), there)
        assert_same_value(described["value"], attributes[name], there)


def element_type(dtype):
    """A type without the array that each element may be, and the shape of that."""
    return (dtype.subdtype[0], dtype.subdtype[1]) if dtype.subdtype else (dtype, ())


def numpy_dtype(told):
    """A type as it is told: a name, or a list of fields."""
    if isinstance(told, str):
        return np.dtype(told)
    fields = [(f[0] or "", numpy_dtype(f[1]), tuple(f[2]) if len(f) > 2 else ()) for f in told]
    return np.dtype({
        "names": [name for name, _, _ in fields if name],
        "formats": [(dtype, shape) for name, dtype, shape in fields if name],
        "offsets": [sum(np.dtype((d, s)).itemsize for _, d, s in fields[:i]) for i, (name, _, _) in enumerate(fields) if name],
        "itemsize": sum(np.dtype((d, s)).itemsize for _, d, s in fields),
    })


def assert_same_form(ours, dtype, shape, stored, where):
    base, inner = element_type(dtype)
    if base.kind == "O":
        assert ours["dtype"] in ("|O", "|V8", "|V12", "|V16"), where
    else:
        told, expected = numpy_dtype(ours["dtype"]), little_endian(base)
        assert (told.fields or told) == (expected.fields or expected), where
    assert ours["shape"] == (None if shape is None else list(shape + inner)), where
    assert_same_stored_type(ours["stored_type"], stored, where)


def assert_same_stored_type(ours, stored, where):
    """Compares a type as it stands in the file with h5py's low-level view of it."""
    kind = stored.get_class()
    size = stored.get_size()
    if kind in (h5t.INTEGER, h5t.FLOAT):
        assert ours["size_bytes"] == size, where
        assert ours["order"] == ORDERS[stored.get_order()], where
        assert (ours["bit_offset"], ours["precision"]) == (stored.get_offset(), stored.get_precision()), where
        if kind == h5t.INTEGER:
            assert ours["class"] == "integer", where
            assert ours["signed"] == (stored.get_sign() == h5t.SGN_2), where
        else:
            assert ours["class"] == "float", where
            _, _, exponent_bits, _, mantissa_bits = stored.get_fields()
            assert (ours["exponent_bits"], ours["mantissa_bits"]) == (exponent_bits, mantissa_bits), where
            assert ours["exponent_bias"] == stored.get_ebias(), where
    elif kind == h5t.STRING:
        assert ours["class"] == "string", where
        assert ours["size_bytes"] == (None if stored.is_variable_str() else size), where
        assert ours["character_set"] == CHARACTER_SETS[stored.get_cset()], where
        if not stored.is_variable_str():
            assert ours["padding"] == PADDINGS[stored.get_strpad()], where
    elif kind == h5t.COMPOUND:
        assert ours["class"] == "compound", where
        assert len(ours["members"]) == stored.get_nmembers(), where
        is_fixed = not has_variable_text(stored)
        # h5py gives sizes in memory where elements of variable length are within.
        assert not is_fixed or ours["size_bytes"] == size, where
        for i, member in enumerate(ours["members"]):
            assert member["name"] == stored.get_member_name(i).decode(), where
            assert not is_fixed or member["offset_bytes"] == stored.get_member_offset(i), where
            assert_same_stored_type(member["stored_type"], stored.get_member_type(i), f"{where}.{member['name']}")
    elif kind == h5t.ENUM:
        assert ours["class"] == "enum", where
        members = {stored.get_member_name(i).decode(): stored.get_member_value(i) for i in range(stored.get_nmembers())}
        assert dict(ours["members"]) == members, where
        assert_same_stored_type(ours["base"], stored.get_super(), where)
    elif kind in (h5t.ARRAY, h5t.VLEN):
        assert ours["class"] == ("array" if kind == h5t.ARRAY else "sequence"), where
        if kind == h5t.ARRAY:
            assert ours["shape"] == list(stored.get_array_dims()), where
        assert_same_stored_type(ours["base"], stored.get_super(), where)
    elif kind == h5t.OPAQUE:
        assert (ours["class"], ours["size_bytes"]) == ("opaque", size), where
        assert ours["tag"] == stored.get_tag().decode(), where
    elif kind == h5t.BITFIELD:
        assert (ours["class"], ours["size_bytes"]) == ("bitfield", size), where
    elif kind == h5t.REFERENCE:
        assert (ours["class"], ours["size_bytes"]) == ("reference", size), where
        assert ours["region"] == stored.equal(h5t.STD_REF_DSETREG), where
    else:
        raise AssertionError(f"{where}: a type of class {kind} is not compared")


def has_variable_text(stored):
    """Whether a record has strings or sequences of variable length in it."""
    members = (stored.get_member_type(i) for i in range(stored.get_nmembers()))
    return any(isinstance(m, h5t.TypeVlenID) or (isinstance(m, h5t.TypeStringID) and m.is_variable_str()) for m in members)


# ---------------------------------------------------------------------------------------------------------------- values


def assert_same_value(ours, theirs, where=""):
    """Compares a value in JSON with h5py's, to the last bit."""
    if isinstance(theirs, h5py.Empty):
        assert ours is None, where
    elif isinstance(theirs, str | bytes | np.bytes_):
        assert_same_text(ours, theirs, where)
    elif isinstance(theirs, h5py.Reference | h5py.RegionReference):
        assert set(ours) == {"hex"}, where
    elif isinstance(theirs, np.ndarray) and theirs.ndim:
        assert isinstance(ours, list), where
        assert len(ours) == len(theirs), where
        if theirs.dtype.kind in "iufb" and theirs.size:
            assert_same_numbers(ours, theirs, where)
        else:
            for our_item, their_item in zip(ours, theirs, strict=True):
                assert_same_value(our_item, their_item, where)
    elif isinstance(theirs, np.ndarray):
        assert_same_value(ours, theirs[()], where)
    elif isinstance(theirs, np.void) and theirs.dtype.names:
        assert list(ours) == list(theirs.dtype.names), where
        for name in theirs.dtype.names:
            assert_same_value(ours[name], theirs[name], f"{where}.{name}")
    elif isinstance(theirs, np.void):
        assert ours == {"hex": theirs.tobytes().hex()}, where
    elif isinstance(theirs, np.complexfloating | complex):
        assert list(ours) == ["r", "i"], where
        assert_same_value(ours["r"], theirs.real, where)
        assert_same_value(ours["i"], theirs.imag, where)
    elif isinstance(theirs, np.bool_ | bool):
        assert ours is bool(theirs), where
    else:
        assert_same_numbers(ours, np.asarray(theirs), where)


def assert_same_numbers(ours, theirs, where):
    """Numbers come back to the same bits; NaN and the infinities are told by name."""
    theirs = theirs.astype(theirs.dtype.newbyteorder("="))
    if theirs.dtype.kind == "f":
        back = np.array(ours, dtype=object)
        back = np.array([float(x) for x in back.ravel()], "f8").astype(theirs.dtype).reshape(back.shape)
        assert np.array_equal(np.isnan(back), np.isnan(theirs)), where
        numbers = ~np.isnan(theirs)
        assert back[numbers].tobytes() == theirs[numbers].tobytes(), where
    else:
        assert ours == theirs.tolist(), where


def assert_same_text(ours, theirs, where):
    stored = theirs.encode("utf-8", "surrogateescape") if isinstance(theirs, str) else bytes(theirs)
    try:
        assert ours == stored.decode(), where
    except UnicodeDecodeError:
        assert ours == {"hex": stored.hex()}, where


def assert_same_json(ours, dataset):
    """Compares the JSON form of a whole dataset."""
    assert_same_value(ours, dataset[()], dataset.name)
