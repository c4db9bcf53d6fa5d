"""Conditions, units and frames of /v1/select against numpy, unyt and cosmo_array."""

import shutil

import h5py
import numpy as np
import pytest

from conftest import TEST_DATA
from select_reference import arrays_of, same

GAS = TEST_DATA / "cosmo_box_lossy_nogzip.hdf5"
URL = f"/v1/select/data/{GAS.name}"


@pytest.fixture(scope="module")
def gas():
    import swiftsimio

    return swiftsimio.load(str(GAS)).gas


def ids_where(http, where, **more):
    return arrays_of(http.get(URL, params={"fields": "gas.particle_ids", "where": where, **more}))["gas.particle_ids"]


def between(values, *where):
    """Numbers at these quantiles that lie between two values, so that rounding cannot decide."""
    distinct = np.unique(np.asarray(values, "f8"))
    places = [int(q * (len(distinct) - 1)) for q in where]
    return [float((distinct[i] + distinct[i + 1]) / 2) for i in places]


def check(http, gas, where, kept, **more):
    kept = np.asarray(kept)
    expected = np.asarray(gas.particle_ids)[kept]
    assert 0 < kept.sum() < len(kept), f"{where}: the test should keep some rows and not others"
    found = ids_where(http, where, **more)
    assert np.array_equal(found, expected), (where, len(found), len(expected))


def test_thresholds_in_any_unit_and_frame(http, gas):
    import unyt

    u = np.asarray(gas.internal_energies.to_physical().to("km**2/s**2"))
    [middle] = between(u, 0.5)
    check(http, gas, f"internal_energies > {middle!r} km**2/s**2 physical", u > middle)
    in_cgs = float(unyt.unyt_quantity(middle, "km**2/s**2").to("erg/g"))
    check(http, gas, f"internal_energies <= {in_cgs!r} erg/g physical", u <= middle)
    comoving = np.asarray(gas.densities.to_comoving().to("g/cm**3"))
    low, high = between(comoving, 0.2, 0.7)
    check(http, gas, f"densities in [{low!r} g/cm**3 comoving, {high!r} g/cm**3 comoving)", (comoving >= low) & (comoving < high))
    physical = np.asarray(gas.densities.to_physical().to("g/cm**3"))
    low, high = between(physical, 0.2, 0.7)
    check(http, gas, f"gas.densities > {low!r} g/cm**3 and gas.densities < {high!r} g/cm**3", (physical > low) & (physical < high), frame="physical")


def test_arithmetic_and_logic(http, gas):
    v = np.asarray(gas.velocities.to_physical().to("km/s"))
    speed = np.sqrt((v.astype("f8") ** 2).sum(axis=1))
    [middle] = between(speed, 0.5)
    where = f"sqrt(velocities.x**2 + velocities.y**2 + velocities.z**2) > {middle!r} km/s physical"
    check(http, gas, where, speed > middle)
    x = np.asarray(gas.coordinates.to_comoving().to("kpc"))
    [low] = between(x[:, 0], 0.5)
    check(http, gas, f"not (coordinates[0] < {low!r} kpc comoving or velocities.y < 0)", ~((x[:, 0] < low) | (v[:, 1] < 0)))
    check(http, gas, f"coordinates.x >= {low!r} kpc comoving; velocities.y >= 0 km/s", (x[:, 0] >= low) & (v[:, 1] >= 0))


def test_integers_are_exact(http, gas):
    ids = np.asarray(gas.particle_ids)
    middle = int(np.sort(ids)[len(ids) // 2])
    for operator, kept in [("<", ids < middle), (">=", ids >= middle), ("==", ids == middle), ("!=", ids != middle)]:
        assert np.array_equal(ids_where(http, f"particle_ids {operator} {middle}"), ids[kept])


def test_conditions_of_another_type_do_not_count_for_this_one(http):
    arrays = arrays_of(http.post(URL, json={"fields": ["gas.masses", "dark_matter.particle_ids"], "where": ["gas.masses < 0", "dark_matter.particle_ids > 0"]}))
    with h5py.File(GAS) as f:
        assert len(arrays["gas.masses"]) == 0
        assert same(arrays["dark_matter.particle_ids"], f["PartType1/ParticleIDs"][()])


def test_the_answer_in_another_unit_and_frame(http, gas):
    fields = {"gas.coordinates": gas.coordinates, "gas.masses": gas.masses, "gas.velocities": gas.velocities, "gas.densities": gas.densities}
    params = {"fields": ",".join(fields), "unit": "kpc,kg,cm/s,g/cm**3", "frame": "physical"}
    answer = http.get(URL, params=params)
    arrays = arrays_of(answer)
    notes = {note["name"]: note for note in __import__("json").loads(answer.headers["Apus-Fields"])}
    for (name, values), unit in zip(fields.items(), params["unit"].split(",")):
        expected = np.asarray(values.to_physical().to(unit))
        assert (notes[name]["unit"], notes[name]["frame"]) == (unit, "physical")
        assert arrays[name].dtype == values.dtype
        np.testing.assert_allclose(arrays[name], expected, rtol=3e-5, err_msg=name)  # unyt's solar mass differs in its fifth digit
    # In the file's own unit and frame nothing is touched.
    arrays = arrays_of(http.get(URL, params={"fields": "gas.coordinates", "frame": "comoving"}))
    with h5py.File(GAS) as f:
        assert same(arrays["gas.coordinates"], f["PartType0/Coordinates"][()])


@pytest.mark.parametrize(
    ("field", "asked", "meant"),
    [
        ("masses", "1.98e+30 kg", "1.98e30*kg"),
        ("masses", "kg*1e3", "1000*kg"),
        ("masses", "M_sun", "Msun"),
        ("masses", "1e60 amu", "1e60*amu"),
        ("coordinates", "0.5 kpc", "0.5*kpc"),
        ("coordinates", "micron", "um"),
        ("coordinates", "ly", "ly"),
        ("velocities", "km s^-1", "km/s"),
        ("velocities", "km.s-1", "km/s"),
        ("velocities", "(2 km)/(s)", "2*km/s"),
        ("velocities", "c", "c"),
        ("densities", "g cm-3", "g/cm**3"),
        ("densities", "amu/(cm cm^2)", "amu/cm**3"),
        ("internal_energies", "(erg/g)**(1/2) * (J kg-1)**0.5", "sqrt(erg/g)*sqrt(J/kg)"),
    ],
)
def test_units_are_told_as_unyt_and_astropy_parse_them(http, gas, field, asked, meant):
    """However a unit was asked for: as text of the field's in npz's header, in Arrow, and in an explanation."""
    import io
    import json

    import astropy.units
    import pyarrow.ipc
    import unyt

    params = {"fields": f"gas.{field}", "unit": asked}
    answer = http.get(URL, params=params)
    [note] = json.loads(answer.headers["Apus-Fields"])
    with pyarrow.ipc.open_stream(io.BytesIO(http.get(URL, params=params | {"format": "arrow"}).content)) as stream:
        told = stream.schema.field(f"gas.{field}").metadata[b"unit"].decode()
    explained = http.get(URL, params=params | {"explain": "true"}).json()["groups"][0]["fields"][0]["unit"]
    assert told == note["unit"] == explained
    # The constants of nature have more digits in one package than in the other.
    expected = unyt.Unit(meant)
    assert unyt.Unit(told).dimensions == expected.dimensions
    assert unyt.Unit(told).base_value == pytest.approx(expected.base_value, rel=1e-4)
    assert astropy.units.Unit(told).si.scale == pytest.approx(expected.base_value, rel=1e-4)
    stored = getattr(gas, field)
    values = unyt.unyt_array(arrays_of(answer)[f"gas.{field}"].astype("f8"), told)
    assert np.asarray(values.to(stored.units)) == pytest.approx(np.asarray(stored, "f8"), rel=1e-4)


def test_regions_in_another_unit_and_frame(http, gas):
    with h5py.File(GAS) as f:
        side, a = float(f["Header"].attrs["BoxSize"][0]), float(f["Header"].attrs["Scale-factor"][0])
    sphere = [0.3 * side, 0.4 * side, 0.5 * side, 0.25 * side]
    text = ",".join(map(repr, sphere))
    plain = arrays_of(http.get(URL, params={"fields": "gas.particle_ids", "sphere": text}))["gas.particle_ids"]
    in_kpc = ",".join(repr(x * 1e3 * a) for x in sphere)
    kpc = arrays_of(http.get(URL, params={"fields": "gas.particle_ids", "sphere": in_kpc, "region_unit": "kpc", "region_frame": "physical"}))["gas.particle_ids"]
    assert len(plain) and len(np.setxor1d(plain, kpc)) <= 1


def test_conditions_on_enums_and_booleans(start_server, tmp_path):
    """They are compared as the numbers that they stand for, each time the same, however much is remembered of them."""
    path = tmp_path / "x.hdf5"
    shutil.copy(TEST_DATA / "cosmo_box_gzip_v1.0.0.hdf5", path)
    with h5py.File(path, "a") as f:
        ids = f["PartType0/ParticleIDs"]
        numbers = np.arange(len(ids))
        flags, kinds = numbers % 3 == 0, (numbers * 4 // len(ids)).astype("i4")
        kind = h5py.enum_dtype({"VOID": 0, "SHEET": 1, "FILAMENT": 2, "KNOT": 3}, basetype="i4")
        for name, values, dtype in (("IsHot", flags, bool), ("Kinds", kinds, kind)):
            f.create_dataset(f"PartType0/{name}", data=values, dtype=dtype, chunks=(1000,)).attrs.update(ids.attrs)
        ids = ids[...]
    with start_server({"": tmp_path}).session() as session:
        for where, kept in (("is_hot == 1", flags), ("is_hot == 0", ~flags), ("kinds > 1", kinds > 1), ("kinds = 3 and is_hot != 0", (kinds == 3) & flags)):
            for _ in range(2):
                answer = session.get("v1/select/x.hdf5", params={"fields": "gas.particle_ids", "where": where})
                assert np.array_equal(arrays_of(answer)["gas.particle_ids"], ids[kept]), where
