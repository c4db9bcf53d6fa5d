"""Fields of the Python package apus as arrays: indexed as numpy indexes, used as swiftsimio's, compared with both on the same file."""

import operator

import apus
import apus.field
import apus.server
import h5py
import numpy as np
import pytest
import swiftsimio
import unyt
from astropy import units

from conftest import SWIFT_FILES, TEST_DATA, compared, is_read_by_swiftsimio, swift_files_where
from faulty_proxy import FaultyProxy

GAS = TEST_DATA / "cosmo_box_lossy_nogzip.hdf5"
TRUE = {"coordinates": "PartType0/Coordinates", "masses": "PartType0/Masses", "particle_ids": "PartType0/ParticleIDs"}


@pytest.fixture(scope="module")
def proxy(server):
    with FaultyProxy(server.url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def gas(proxy):
    return apus.connect(proxy.url).open(f"data/{GAS.name}").gas


@pytest.fixture(scope="module")
def truth():
    with h5py.File(GAS) as f:
        return {name: f[path][()] for name, path in TRUE.items()}


@pytest.fixture(scope="module")
def local():
    return swiftsimio.load(str(GAS)).gas


@pytest.fixture
def requests(proxy):
    """Those that come from now on."""
    proxy.requests.clear()
    return proxy.requests


def same(left, right):
    left, right = np.asarray(left), np.asarray(right)
    return (left.dtype, left.shape, left.tobytes()) == (right.dtype, right.shape, right.tobytes())


def same_with_units(left, right):
    """Equal to the last digit of what files say of their units, of which swiftsimio and Apus make names."""
    assert type(left) is type(right)
    assert left.units.dimensions == right.units.dimensions
    assert (left.comoving, left.cosmo_factor) == (right.comoving, right.cosmo_factor)
    return np.allclose(left.to_value(right.units), right.value, rtol=1e-5, atol=0)


# ------------------------------------------------------------------------------------------------------------------ indexing

I = np.s_
ROWS = [
    I[:], I[...], I[()], I[5:100], I[-10:], I[100:5], I[:-1], I[-3:10**9], I[::2], I[::-1], I[::-7], I[3:900:11], I[900:3:-11], I[5000::1000], I[7:8:5],
    0, -1, 17, np.int64(3), np.uint8(200), np.array(5), [5], [], [3, 1, 2], [7, 7, 7], [-1, 0, -2], (np.array([4, 9]),), np.array([[1, 2], [3, 1]]),
    np.arange(0, 4000, 3), np.arange(4000)[::-1], range(10, 0, -3), np.array([], "i8"), I[None], I[None, 3:5], I[..., None],
]  # fmt: skip
BOTH = [
    I[:, 0], I[:, -1], I[5:9, 1], I[-5:, ::-1], I[..., 2], I[3, ...], I[3, 1], I[-1, -1], I[:, [0]], I[:, [2, 0]], I[:, [1, 1, -1]], I[::5, 1:], I[:, :0],
    I[[1, 5, 3], 0], I[[1, 5, 3], [0, 2, 1]], I[[4, 4], 1:], I[[[1], [9]], [0, 2]], I[10:20, [True, False, True]], I[None, :4, 0], I[:4, None, 1],
    I[3, [0, 2]], I[:, []], I[5:8, np.array(2)], I[::-1, ::-1],
]  # fmt: skip


def masks(n_rows):
    """Boolean indices of every kind for so many rows."""
    random = np.random.default_rng(3)
    return [np.zeros(n_rows, bool), np.ones(n_rows, bool), random.random(n_rows) < 0.01, random.random(n_rows) < 0.9, list(np.arange(n_rows) == 5)]


@pytest.mark.parametrize("name", TRUE)
def test_indices_are_numpys(gas, truth, name):
    field, expected = gas[name], truth[name]
    n_rows = len(expected)
    keys = ROWS + masks(n_rows)
    if expected.ndim == 2:
        keys += BOTH + [(mask, 1) for mask in masks(n_rows)] + [expected > np.median(expected), (masks(n_rows)[2], slice(1))]
    for key in keys:
        assert same(field[key], expected[list(key) if isinstance(key, range) else key]), key


def random_key(random, n_rows):
    """An index of some rows of every kind."""
    kind = random.integers(6)
    if kind == 0:
        return int(random.integers(-n_rows, n_rows))
    if kind == 1:
        bounds = [None if random.random() < 0.2 else int(random.integers(-n_rows - 5, n_rows + 5)) for _ in range(2)]
        return slice(*bounds, int(random.choice([-1000, -50, -3, -1, 1, 2, 5, 40, 3000])))
    if kind == 2:
        return random.integers(-n_rows, n_rows, random.integers(300))
    if kind == 3:
        return random.random(n_rows) < random.choice([0.001, 0.3, 0.99])
    if kind == 4:
        return np.sort(random.integers(0, n_rows, 50)).tolist()
    return random.integers(0, n_rows, (3, 2))


@pytest.mark.parametrize("seed", range(60))
def test_random_indices_are_numpys(gas, truth, seed, requests):
    random = np.random.default_rng(seed)
    for name in TRUE:
        expected = truth[name]
        key = random_key(random, len(expected))
        if expected.ndim == 2 and random.random() < 0.6:
            key = (key, [0, -1, slice(None), slice(None, None, -2), slice(1, 3)][random.integers(5)])
        assert same(gas[name][key], expected[key]), key
    assert len(requests) == len(TRUE)


@pytest.mark.parametrize("key", [10**9, -(10**9), [0, 10**9], [-(10**9)], 1.5, "x", [1.5], np.zeros(3, bool), I[0, 0], I[..., ...], True, object()])
def test_what_numpy_refuses_is_refused_unasked(gas, truth, key, requests):
    if key is not True:  # which numpy takes for another axis
        with pytest.raises(IndexError):
            truth["masses"][key]
    with pytest.raises(IndexError):
        gas.masses[key]
    assert requests == []


@pytest.mark.parametrize("key", [I[:, 3], I[:, -4], I[:, [0, 3]], I[0, 0, 0], I[:, 1.5], I[:, [True]]])
def test_columns_that_there_are_not(gas, truth, key):
    with pytest.raises(IndexError):
        truth["coordinates"][key]
    with pytest.raises(IndexError):
        gas.coordinates[key]


def test_as_few_requests_as_possible(gas, truth, requests, monkeypatch):
    """One request each, for just these rows and columns; rows that lie close together are one range."""
    n_rows = len(truth["masses"])
    everything = np.arange(n_rows)
    for key in (I[::1000], I[::2], everything[::500], everything % 100 == 0, I[5:10, 1]):
        requests.clear()
        gas.coordinates[key]
        assert len(requests) == 1
    for key, is_range in ((I[10:90:2], True), (I[10:90:60], False), (np.arange(10, 90, 3), True), ([10, 4000], False)):
        requests.clear()
        gas.masses[key]
        ((_, path, _),) = requests
        assert (path.partition("rows=")[2].count("%3A") == 1) is is_range, path
    requests.clear()
    assert gas.masses[[]].shape == (0,)
    assert len(requests) == 1
    # More ranges than one request takes are split; one more request makes sure that all are of one state of the file.
    monkeypatch.setattr(apus.server, "MAX_RANGES_IN_BODY", 60)
    requests.clear()
    assert same(gas.masses[::30], truth["masses"][::30])
    assert len(requests) == -(-len(truth["masses"][::30]) // 60) + 1


def test_a_file_that_changes_between_requests(server, proxy, scratch, monkeypatch):
    with h5py.File(scratch / "parts.hdf5", "w") as f:
        f["values"] = np.arange(5000.0)
    connection = apus.connect(proxy.url)
    monkeypatch.setattr(apus.server, "MAX_RANGES_IN_BODY", 10)
    rows = [(i, i + 1) for i in range(0, 5000, 250)]
    assert same(connection.data("scratch/parts.hdf5", "/values", rows), np.arange(0, 5000.0, 250))

    def changed():
        with h5py.File(scratch / "other.hdf5", "w") as f:
            f["values"] = np.arange(5000.0) + 1
        (scratch / "other.hdf5").replace(scratch / "parts.hdf5")

    answered = proxy.answer
    proxy.requests.clear()
    monkeypatch.setattr(proxy, "answer", lambda handler: (answered(handler), len(proxy.requests) == 1 and changed()))
    with pytest.raises(apus.Broken, match="was changed while it was read"):
        connection.data("scratch/parts.hdf5", "/values", rows)


# ---------------------------------------------------------------------------------------------------------- as an array is used


def test_what_it_is_without_reading(gas, truth, requests):
    for name, expected in truth.items():
        field = getattr(gas, name)
        assert field is gas[name]
        assert (field.dtype, field.shape, field.ndim, field.size, field.nbytes) == (expected.dtype, expected.shape, expected.ndim, expected.size, expected.nbytes)
        assert len(field) == len(expected)
        assert (np.shape(field), np.ndim(field), np.size(field)) == (expected.shape, expected.ndim, expected.size)
    assert (gas.coordinates.unit, gas.coordinates.units) == ("Mpc", unyt.Mpc)
    assert "coordinates" in dir(gas) and "gas" in dir(gas.file) and {"max", "to_physical", "shape"} <= set(dir(gas.coordinates))
    assert gas.file._ipython_key_completions_() == list(gas.file.groups)
    assert gas._ipython_key_completions_() == list(gas)
    for name in ("_repr_html_", "_ipython_display_", "__array_interface__"):
        assert not hasattr(gas.coordinates, name)
    repr(gas.coordinates)
    assert gas == gas.file.gas
    assert gas != gas.file.dark_matter
    with pytest.raises(AttributeError, match="gas: no field 'coordinate'; did you mean 'coordinates'"):
        gas.coordinate
    with pytest.raises(AttributeError, match="no attribute 'maxx'; did you mean 'max'"):
        gas.coordinates.maxx
    assert requests == []


FUNCTIONS = [
    np.max, np.min, np.sum, np.mean, lambda x: np.median(x, axis=0), np.sqrt, lambda x: x * 2, lambda x: 2 / x, lambda x: x + x, lambda x: -x, lambda x: abs(x),
    lambda x: x[:10] - x[5], lambda x: np.concatenate([x, x]), lambda x: x.max(), lambda x: x.mean(axis=0), lambda x: x.to_physical(), lambda x: x.cosmo_factor,
    lambda x: x.T, lambda x: np.linalg.norm(x, axis=-1), lambda x: np.percentile(x, [5, 50]), lambda x: np.cumsum(x), lambda x: x.to(x.units * 1000),
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_take_it_as_swiftsimios_array(gas, local, function):
    for name in ("coordinates", "masses"):
        got, expected = function(getattr(gas, name)), function(getattr(local, name))
        if isinstance(expected, swiftsimio.cosmo_array):
            assert same_with_units(got, expected)
        else:
            assert got == expected


@pytest.mark.parametrize("compare", [operator.gt, operator.le, operator.eq, operator.ne])
def test_comparisons(gas, local, compare):
    threshold = np.median(local.masses)
    assert np.array_equal(compare(gas.masses, np.median(gas.masses)), compare(local.masses, threshold))
    hot = gas.masses >= np.median(gas.masses)
    assert same(gas.particle_ids[hot], np.asarray(local.particle_ids)[np.asarray(hot)])


def test_it_is_read_once_for_them(server, proxy, truth):
    masses = apus.connect(proxy.url).open(f"data/{GAS.name}").gas.masses
    proxy.requests.clear()
    np.max(masses), masses.mean(), masses * 2, np.histogram(masses, bins=5)
    assert len(proxy.requests) == 1
    with pytest.raises(ValueError, match="read-only"):
        masses.ndview[0] = 0
    # What is indexed or converted is one's own.
    own = [masses[:], np.asarray(masses), np.array(masses), masses.read()]
    for array in own:
        array[0] = 0
    assert same(masses[:], truth["masses"])


def test_conversion_to_arrays(gas, truth):
    for name, expected in truth.items():
        field = gas[name]
        assert type(np.asarray(field)) is np.ndarray
        assert same(np.asarray(field), expected)
        assert same(np.array(field, "f4"), expected.astype("f4"))
        assert same(np.stack([np.asarray(field)]), expected[None])
    with pytest.raises(ValueError, match="always a copy"):
        np.array(gas.masses, copy=False)


def test_single_values_are_swiftsimios(gas, local):
    for key in (0, -1):
        assert same_with_units(gas.masses[key], local.masses[key])
        assert same_with_units(gas.coordinates[key, 1], local.coordinates[key, 1])
    assert same_with_units(gas.coordinates[5], local.coordinates[5])


def test_iteration_reads_block_by_block(gas, truth, requests, monkeypatch):
    positions = truth["coordinates"]
    monkeypatch.setattr(apus.field, "ITERATED_BYTES", 1000 * 24)
    rows = list(gas.coordinates)
    assert same(np.array(rows), positions)
    assert rows[3].units == unyt.Mpc
    assert len(requests) == -(-len(positions) // 1000)
    requests.clear()
    next(iter(gas.coordinates))
    assert len(requests) == 1


def test_other_kinds_of_arrays(server, truth):
    for kind, expected in (("unyt", unyt.unyt_quantity), ("astropy", units.Quantity), ("numpy", np.float32)):
        masses = apus.connect(server.url, arrays=kind).open(f"data/{GAS.name}").gas.masses
        assert type(masses[3]) is expected
        assert same(masses[::3], truth["masses"][::3])
        assert same(np.asarray(np.max(masses)), truth["masses"].max())
        assert isinstance(masses.max(), expected)
        assert {"unyt": unyt.Unit, "astropy": units.UnitBase, "numpy": str}[kind] in type(masses.units).__mro__


def test_named_columns_are_fields(server):
    """As in swiftsimio: `gas.element_mass_fractions.carbon`."""
    connection = apus.connect(server.url)
    n_columns = 0
    for mount, path in SWIFT_FILES:
        if not is_read_by_swiftsimio(path):
            continue
        local = swiftsimio.load(str(path))
        for group in connection.open(f"{mount}/{path.name}").groups.values():
            for field in group.values():
                for name in field.columns:
                    expected = getattr(getattr(getattr(local, group.name), field.name), name)
                    column = getattr(field, name)
                    assert (column.shape, column.name) == (expected.shape, f"{field.name}.{name}")
                    assert same(column[:], expected) and same(column[::-3], expected[::-3]) and same(np.asarray(column), expected)
                    assert column.units.dimensions == expected.units.dimensions
                    n_columns += 1
                if field.columns:
                    assert set(field.columns) <= set(dir(field))
                    with pytest.raises(AttributeError, match="no attribute 'unobtainium'"):
                        field.unobtainium
    assert n_columns > 0


# ------------------------------------------------------------------------------------------------------------------ metadata


@swift_files_where(is_read_by_swiftsimio)
def test_metadata_are_swiftsimios(server, mount, path):
    file = apus.connect(server.url).open(f"{mount}/{path.name}")
    expected = swiftsimio.load(str(path)).metadata
    assert np.allclose(file.boxsize.to_value(expected.boxsize.units), expected.boxsize.value, rtol=1e-5, atol=0)
    assert type(file.boxsize) is type(expected.boxsize)
    assert (file.boxsize.comoving, file.boxsize.cosmo_factor) == (expected.boxsize.comoving, expected.boxsize.cosmo_factor)
    assert np.isclose(file.scale_factor, expected.scale_factor, rtol=1e-12)
    metadata = file.metadata
    assert np.isclose(metadata.redshift, expected.redshift, rtol=1e-12, atol=1e-15)
    assert (metadata.a, metadata.z, file.redshift) == (metadata.scale_factor, metadata.redshift, metadata.redshift)
    assert metadata.present_group_names == expected.present_group_names or set(metadata.present_group_names) == set(expected.present_group_names)
    for name in ("run_name", "output_type", "dimension"):
        assert getattr(metadata, name) == getattr(expected, name), name
    assert np.isclose(float(metadata.t.in_cgs()), float(expected.t.in_cgs()), rtol=1e-5)
    for name in ("mass", "length", "time", "current", "temperature"):
        unit, theirs = getattr(file.units, name), getattr(expected.units, name)
        assert np.isclose(float((1 * unit).in_cgs()), float((1 * theirs).in_cgs()), rtol=1e-5), name
    if expected.cosmology is None:
        assert file.cosmology is None
    else:
        for name in ("H0", "Om0", "Ode0", "w0", "wa", "Tcmb0", "Ob0", "Neff"):
            ours, theirs = getattr(file.cosmology, name), getattr(expected.cosmology, name)
            assert np.isclose(getattr(ours, "value", ours), theirs.to_value(ours.unit) if hasattr(theirs, "unit") else theirs, rtol=1e-5, atol=1e-9), name
        ages = [cosmology.age(0.5).to_value("Gyr") for cosmology in (file.cosmology, expected.cosmology)]
        assert np.isclose(*ages, rtol=1e-5)
        compared["cosmologies through the package apus, with swiftsimio's"] += 1
    for name in ("header", "parameters"):
        theirs = getattr(expected, name, None)
        if isinstance(theirs, dict):
            assert set(getattr(metadata, name)) == set(theirs)
    if "gas" in file.groups:
        assert metadata.n_gas == expected.n_gas
    with pytest.raises(AttributeError, match="no 'boxsizes'; there are a, boxsize"):
        metadata.boxsizes
