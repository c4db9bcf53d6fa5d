"""Pictures, histograms and statistics: against swiftsimio's project_gas, numpy's histograms and quantiles, and brute force on what h5py reads."""

import io
import zlib

import h5py
import numpy as np
import pytest
import swiftsimio
import unyt
from swiftsimio.visualisation.projection import project_gas
from swiftsimio.visualisation.rotation import rotation_matrix_from_vector

from conftest import PACKS, REPOSITORY, TEST_DATA, compared

# Snapshots with gas, in three dimensions and in two.
SNAPSHOTS = [("data", "cosmo_box_gzip_v1.0.0.hdf5"), ("data", "cosmo_box_lossy_v2025.01.hdf5"), ("data", "kelvin_helmholtz_2d.hdf5")]
SNAPSHOTS += [("pack", "sedov_3d.hdf5"), ("pack", "zoom_box.hdf5"), ("pack", "cosmo_box_virtual_0001.hdf5")] if "pack" in PACKS else []
GAS = "data/cosmo_box_gzip_v1.0.0.hdf5"
FOF = "data/fof_catalogue_v1.0.0.hdf5"
AXES = {"x": (1, 2, 0), "y": (2, 0, 1), "z": (0, 1, 2)}

snapshots = pytest.mark.parametrize(("mount", "name"), SNAPSHOTS, ids=[name for _, name in SNAPSHOTS])


def picture(http, path, **params):
    answer = http.get(f"/v1/image/{path}", params={"format": "npy"} | params)
    assert answer.status_code == 200, answer.text
    return np.load(io.BytesIO(answer.content)), answer.headers


def histogram(http, path, **params):
    answer = http.get(f"/v1/histogram/{path}", params=params)
    assert answer.status_code == 200, answer.text
    with np.load(io.BytesIO(answer.content)) as members:
        return dict(members), answer.headers


def stripped(image, data):
    """An image of swiftsimio's as Apus has it: transposed, in the file's units."""
    units = data.metadata.units
    return np.asarray(image.to_value(units.mass / units.length**2)).T


def agree(found, expected, what, tolerance=1e-5):
    assert found.dtype == np.float64 and found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * 1e-6 * np.nanmax(expected))
    compared[what] += 1


def permuted(path, axis, tmp_path):
    """The file with its axes turned, so that swiftsimio, which projects along z, looks along another."""
    turned = tmp_path / f"{axis}.hdf5"
    turned.write_bytes(path.read_bytes())
    with h5py.File(turned, "r+") as f:
        order = list(AXES[axis])
        f["PartType0/Coordinates"][...] = f["PartType0/Coordinates"][...][:, order]
        f["Header"].attrs["BoxSize"] = np.broadcast_to(f["Header"].attrs["BoxSize"], 3)[order]
    return turned


def region(data, *numbers):
    return swiftsimio.cosmo_array(
        numbers, data.gas.coordinates.units, comoving=True, scale_factor=data.metadata.a, scale_exponent=1
    )


@snapshots
def test_a_picture_of_the_box_is_swiftsimios(http, mount, name):
    data = swiftsimio.load(PACKS[mount] / name)
    sides = data.metadata.boxsize.value
    for n in (32, 200):
        found, headers = picture(http, f"{mount}/{name}", pixels=n)
        square = max(sides[:2]) ** 2 / (sides[0] * sides[1])
        # swiftsimio divides by the area of the region where it should by that of its longer side, squared.
        agree(found, stripped(project_gas(data, n), data) / square, "pictures with swiftsimio")
        extent = [float(number) for number in headers["Apus-Extent"].split(",")]
        assert extent == pytest.approx([0, sides[0], 0, sides[1]])
        unit = unyt.unyt_quantity(1, headers["Apus-Unit"])
        units = data.metadata.units
        assert float((1 * units.mass / units.length**2) / unit) == pytest.approx(1, rel=1e-4)
        assert headers["Apus-Frame"] == "comoving"


@snapshots
def test_pictures_of_regions_are_swiftsimios(http, mount, name):
    data = swiftsimio.load(PACKS[mount] / name)
    side, depth = float(min(data.metadata.boxsize.value[:2])), float(data.metadata.boxsize.value[2])
    for lower, width, near, far in [((0.2, 0.3), 0.4, 0, 1), ((-0.2, 0.7), 0.5, 0.25, 0.75), ((0.61, 0.13), 0.02, 0, 1)]:
        x, y = (fraction * side for fraction in lower)
        bounds = (x, x + width * side, y, y + width * side, near * depth, far * depth)
        found, headers = picture(http, f"{mount}/{name}", pixels=64, box=",".join(map(repr, bounds)))
        agree(found, stripped(project_gas(data, 64, region=region(data, *bounds)), data), "pictures with swiftsimio")
        extent = [float(number) for number in headers["Apus-Extent"].split(",")]
        assert extent == pytest.approx(bounds[:4])


@pytest.mark.parametrize("axis", ["x", "y"])
def test_a_picture_along_another_axis_is_that_of_the_turned_box(http, axis, tmp_path):
    data = swiftsimio.load(permuted(TEST_DATA / GAS.partition("/")[2], axis, tmp_path))
    found, _ = picture(http, GAS, pixels=100, axis=axis)
    agree(found, stripped(project_gas(data, 100), data), "pictures with swiftsimio")


def halo(data):
    """A group of the catalogue with many particles about it: its id, centre and a radius."""
    with h5py.File(TEST_DATA / FOF.partition("/")[2]) as f:
        largest = int(np.argmax(f["Groups/Sizes"][...]))
        return int(f["Groups/GroupIDs"][largest]), f["Groups/Centres"][largest].astype(float)


def about(data, centre, radius):
    """Which particles of gas are in the sphere, and where they are beside its centre."""
    side = data.metadata.boxsize.value
    offset = data.gas.coordinates.value - centre
    offset -= side * np.round(offset / side)
    return (offset**2).sum(axis=1) <= radius**2, offset


@pytest.mark.parametrize("along", [None, (1, 2, 3), (-0.3, 0.1, -1), (0, 1, 0)])
def test_a_picture_of_a_halo_is_swiftsimios(http, along):
    data = swiftsimio.load(TEST_DATA / GAS.partition("/")[2])
    group, centre = halo(data)
    radius = 0.2 * float(data.metadata.boxsize.value[0])
    params = {"group": group, "catalogue": FOF, "aperture": repr(radius), "pixels": 64}
    found, headers = picture(http, GAS, **params, **({"along": ",".join(map(str, along))} if along else {}))
    inside, offset = about(data, centre, radius)
    # As if the halo were far from any side of the box, which swiftsimio cannot have both periodic and rotated.
    data.gas.coordinates = region(data, *(offset + centre).ravel()).reshape(-1, 3)
    rotation = {}
    if along:
        rotation = {"rotation_matrix": rotation_matrix_from_vector(np.array(along, float)), "rotation_center": region(data, *centre)}
    square = region(data, *(centre[axis] + sign * radius for axis in (0, 1) for sign in (-1, 1)))
    image = project_gas(data, 64, region=square, mask=inside, periodic=False, **rotation)
    agree(found, stripped(image, data), "pictures with swiftsimio", tolerance=2e-5)
    assert [float(number) for number in headers["Apus-Extent"].split(",")] == pytest.approx(square.value.tolist())


def test_a_mean_is_the_ratio_of_two_pictures(http):
    data = swiftsimio.load(TEST_DATA / GAS.partition("/")[2])
    data.gas.products = data.gas.masses * data.gas.temperatures
    found, headers = picture(http, GAS, pixels=64, field="temperatures")
    expected = project_gas(data, 64, project="products").value.T / project_gas(data, 64).value.T
    np.testing.assert_allclose(found, expected, rtol=2e-5)
    assert headers["Apus-Unit"] == "K"
    # The mean of what does not change is that, whatever the weight.
    found, _ = picture(http, GAS, pixels=64, field="temperatures / temperatures", weight="densities")
    np.testing.assert_allclose(found[np.isfinite(found)], 1, rtol=1e-12)
    # In another unit, in the other frame.
    with h5py.File(TEST_DATA / GAS.partition("/")[2]) as f:
        a = float(f["Header"].attrs["Scale-factor"][0])
    comoving, _ = picture(http, GAS, pixels=16, unit="Msun/kpc**2")
    physical, headers = picture(http, GAS, pixels=16, unit="Msun/kpc**2", frame="physical")
    np.testing.assert_allclose(physical, comoving / a**2, rtol=1e-12)
    assert (headers["Apus-Unit"], headers["Apus-Frame"]) == ("Msun/kpc**2", "physical")


@snapshots
def test_mass_is_kept(http, mount, name):
    with h5py.File(PACKS[mount] / name) as f:
        sides = np.broadcast_to(f["Header"].attrs["BoxSize"], 3)
        masses = {kind: f[f"PartType{n}/Masses"][...].astype(float).sum() for n, kind in enumerate(("gas", "dark_matter")) if f"PartType{n}/Masses" in f}
    for kind, mass in masses.items():
        for n in (33, 256):
            backends = ("renormalised", "histogram") if kind == "gas" else ("fast", "histogram")
            for backend in backends:
                found, headers = picture(http, f"{mount}/{name}", type=kind, pixels=n, backend=backend)
                x0, x1, y0, y1 = (float(number) for number in headers["Apus-Extent"].split(","))
                pixel = (x1 - x0) * (y1 - y0) / found.size
                # Where the box is no whole number of pixels, what lies beyond its side is there twice.
                if (x1 - x0, y1 - y0) == pytest.approx((sides[0], sides[1])):
                    assert found.sum() * pixel == pytest.approx(mass, rel=1e-6), (kind, n, backend)
                    compared["masses of pictures"] += 1


def test_dark_matter_is_cloud_in_cell(http):
    n = 40
    with h5py.File(TEST_DATA / GAS.partition("/")[2]) as f:
        side = float(np.broadcast_to(f["Header"].attrs["BoxSize"], 3)[0])
        positions, masses = f["PartType1/Coordinates"][...][:, :2] / side * n - 0.5, f["PartType1/Masses"][...].astype(float)
    lower = np.floor(positions).astype(int)
    upper = positions - lower
    expected = np.zeros((n, n))
    for dx in (0, 1):
        for dy in (0, 1):
            weights = np.abs(1 - dx - upper[:, 0]) * np.abs(1 - dy - upper[:, 1])
            np.add.at(expected, ((lower[:, 1] + dy) % n, (lower[:, 0] + dx) % n), masses * weights)
    found, _ = picture(http, GAS, type="dark_matter", pixels=n)
    np.testing.assert_allclose(found, expected * (n / side) ** 2, rtol=1e-6, atol=1e-9 * expected.max())
    # A part of it: what lies just outside reaches in.
    part, _ = picture(http, GAS, type="dark_matter", pixels=n // 4, box=f"0,{side / 4!r},{side / 2!r},{0.75 * side!r},,")
    np.testing.assert_allclose(part, found[n // 2 : 3 * n // 4, : n // 4], rtol=1e-6, atol=1e-9 * found.max())


def colours(png):
    """The pixels of a PNG of three colours, from its bytes, without a library."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, data = 8, b""
    while at < len(png):
        size, name = int.from_bytes(png[at : at + 4]), png[at + 4 : at + 8]
        chunk = png[at + 8 : at + 8 + size]
        assert zlib.crc32(name + chunk) == int.from_bytes(png[at + 8 + size : at + 12 + size])
        if name == b"IHDR":
            width, height = int.from_bytes(chunk[:4]), int.from_bytes(chunk[4:8])
            assert chunk[8:] == bytes([8, 2, 0, 0, 0])
        data += chunk if name == b"IDAT" else b""
        at += 12 + size
    rows = np.frombuffer(zlib.decompress(data), "u1").reshape(height, 1 + 3 * width)
    assert (rows[:, 0] == 1).all()
    return np.cumsum(rows[:, 1:].reshape(height, width, 3), axis=1, dtype="u1")


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_colours_go_by_the_table(http, scale):
    table = np.fromfile(REPOSITORY / "crates/apus-data/src/encode/colours/magma.rgb", "u1").reshape(256, 3)
    values, _ = picture(http, GAS, pixels="40,30")
    answer = http.get(f"/v1/image/{GAS}", params={"pixels": "40,30", "scale": scale, "colormap": "magma"})
    assert answer.headers["Content-Type"] == "image/png"
    lower, upper = (float(number) for number in answer.headers["Apus-Range"].split(","))
    assert (lower, upper) == (values[values > 0].min() if scale == "log" else values.min(), values.max())
    of = np.log10 if scale == "log" else np.asarray
    place = (of(values) - of(lower)) / (of(upper) - of(lower)) * 256
    found, expected = colours(answer.content), table[np.clip(place, 0, 255).astype(int)][::-1]
    # A value at the border of two colours may fall on either side.
    at_border = np.abs(place - np.round(place))[::-1] < 1e-9
    assert ((found == expected).all(axis=2) | at_border).all()


def columns(path, *names):
    with h5py.File(TEST_DATA / path.partition("/")[2]) as f:
        return [f[f"PartType0/{name}"][...].astype(float) for name in names]


def test_counts_are_numpys(http):
    densities, temperatures, masses = columns(GAS, "Densities", "Temperatures", "Masses")
    found, headers = histogram(http, GAS, x="densities")
    counts, edges = np.histogram(densities, 100)
    assert (found["counts"] == counts).all() and (found["x_edges"] == edges).all() and found["counts"].dtype == np.int64
    assert headers["Apus-Unit"] == "1"
    params = {"x": "densities", "y": "temperatures", "x_log": "true", "y_log": "true", "x_bins": 31, "y_bins": 17}
    found, _ = histogram(http, GAS, **params)
    edges = [found["x_edges"], found["y_edges"]]
    assert (found["counts"] == np.histogram2d(densities, temperatures, edges)[0]).all()
    assert found["counts"].sum() == len(densities)
    np.testing.assert_allclose(found["x_edges"], np.geomspace(densities.min(), densities.max(), 32), rtol=1e-12)
    found, _ = histogram(http, GAS, **params, weight="masses")
    np.testing.assert_allclose(found["counts"], np.histogram2d(densities, temperatures, edges, weights=masses)[0], rtol=1e-12)
    found, _ = histogram(http, GAS, x="log10(temperatures / (1 K))", x_range="2,5", x_bins=7, where="densities < 0")
    assert found["counts"].sum() == 0
    found, _ = histogram(http, GAS, x="log10(temperatures / (1 K))", x_range="2,5", x_bins=7)
    assert (found["counts"] == np.histogram(np.log10(temperatures), 7, (2, 5))[0]).all()
    compared["histograms with numpy"] += 5


def test_histograms_say_the_same_in_every_form(http):
    params = {"x": "densities", "y": "temperatures", "x_bins": 5, "y_bins": 3, "weight": "masses"}
    found, _ = histogram(http, GAS, **params)
    told = http.get(f"/v1/histogram/{GAS}", params=params | {"format": "json"}).json()
    for name in ("counts", "x_edges", "y_edges"):
        assert (np.array(told[name]) == found[name]).all()
    lines = http.get(f"/v1/histogram/{GAS}", params=params | {"format": "csv"}).text.split()
    assert lines[0] == "x_lower,x_upper,y_lower,y_upper,counts"
    table = np.array([line.split(",") for line in lines[1:]], float)
    assert (table[:, 4].reshape(5, 3) == found["counts"]).all() and (table[::3, 0] == found["x_edges"][:-1]).all()
    drawn = colours(http.get(f"/v1/histogram/{GAS}", params=params | {"format": "png"}).content)
    assert drawn.shape[:2] == (3 * 102, 5 * 102)


def test_a_profile_is_that_of_the_shells(http):
    data = swiftsimio.load(TEST_DATA / GAS.partition("/")[2])
    group, centre = halo(data)
    radius = 0.2 * float(data.metadata.boxsize.value[0])
    inside, offset = about(data, centre, radius)
    distances, masses = np.sqrt((offset**2).sum(axis=1))[inside], data.gas.masses.value[inside].astype(float)
    temperatures = data.gas.temperatures.value[inside].astype(float)
    params = {"radial": "halo", "group": group, "catalogue": FOF, "aperture": repr(radius), "x_bins": 8}
    found, headers = histogram(http, GAS, **params)
    assert found["x_edges"][0] == 0 and found["x_edges"][-1] == pytest.approx(radius)
    sums = np.histogram(distances, found["x_edges"], weights=masses)[0]
    np.testing.assert_allclose(found["profile"], sums / (4 / 3 * np.pi * np.diff(found["x_edges"] ** 3)), rtol=1e-9)
    assert (found["counts"] == np.histogram(distances, found["x_edges"])[0]).all()
    found, headers = histogram(http, GAS, **params, field="temperatures")
    means = np.histogram(distances, found["x_edges"], weights=masses * temperatures)[0] / sums
    np.testing.assert_allclose(found["profile"], means, rtol=1e-9)
    assert headers["Apus-Unit"] == "K"
    compared["profiles"] += 2


BAD = {
    "image": [
        ("pixels=0", 400, "pixels=0: expected the pixels of the longer side, or WIDTH,HEIGHT, each from 1 to 4096"),
        ("pixels=10,4097", 400, "each from 1 to 4096"),
        ("axis=w", 400, 'unknown value of axis "w"'),
        ("axis=x&along=1,1,1", 400, "axis and along"),
        ("along=0,0,0", 400, "along=0,0,0: expected the three numbers of a direction"),
        ("field=temperature", 400, 'did you mean "temperatures"'),
        ("field=masses +", 400, "field, column 9"),
        ("weight=coordinates", 400, "coordinates has 3 columns: say which"),
        ("unit=K", 400, "unit: "),
        ("scale=ln", 400, "known are log, linear"),
        ("colormap=jet", 400, "known are viridis, magma, inferno, cividis, twilight"),
        ("vmin=3&vmax=2", 400, "vmin=3 must be below vmax=2"),
        ("vmin=-1", 400, "scale=linear"),
        ("type=dark_matter&backend=renormalised", 400, "dark_matter has no smoothing lengths"),
        ("type=neutrinos", 404, "the file has no such type; it has gas"),
        ("box=1,1,2,3,,", 400, "no size along the picture's x"),
        ("format=jpg", 400, "known are png, npy, json"),
        ("pixel=3", 400, 'did you mean "pixels"?'),
    ],
    "histogram": [
        ("", 400, "say what is counted"),
        ("x=densities&x_bins=0", 400, "x_bins=0: expected a number from 1 to 4096"),
        ("x=densities&x_range=3,1", 400, "x_range: the lower end, 3, must be below the upper one, 1"),
        ("x=densities&x_range=0,1&x_log=true", 400, "must be above 0"),
        ("x=densities&y_bins=3", 400, "about y, which is missing"),
        ("radial=halo", 400, "group, catalogue and aperture"),
        ("x=densities&field=masses", 400, "say radial"),
        ("x=densities&unit=K", 400, "say weight"),
        ("x=densities&x_unit=K", 400, "x_unit: K"),
        ("x=log10(densities)", 400, "divide it by a unit first"),
    ],
    "statistics": [
        ("", 400, "say which fields, at most 16"),
        ("fields=temperature", 400, 'did you mean "temperatures"'),
        ("fields=masses,masses +", 400, "fields (masses +), column 9"),
        ("fields=masses&quantiles=1.5", 400, "quantiles: 1.5 is not between 0 and 1"),
        ("fields=masses&quantiles=a", 400, "quantiles=a: expected a number"),
        ("fields=masses&unit=Msn", 400, 'unit "Msn"'),
    ],
}


@pytest.mark.parametrize(("route", "query", "status", "words"), [(route, *case) for route, cases in BAD.items() for case in cases])
def test_what_is_wrong_is_said(http, route, query, status, words):
    answer = http.get(f"/v1/{route}/{GAS}?{query.replace('+', '%2B').replace(' ', '%20')}")
    assert answer.status_code == status and words in answer.json()["detail"], answer.text


def test_work_and_memory_are_limited(start_server, tmp_path):
    config = tmp_path / "apus.toml"
    config.write_text("[limits]\npicture_operations = 100000\npictures_bytes = 20000000\n")
    with start_server({"data": TEST_DATA}, "--config", config).session() as http:
        answer = http.get(f"/v1/image/{GAS}", params={"pixels": 1000})
        assert answer.status_code == 413 and "over the limit of 100000" in answer.json()["detail"] and "fewer" in answer.json()["detail"]
        answer = http.get(f"/v1/image/{GAS}", params={"pixels": 2000, "backend": "histogram"})
        assert answer.status_code == 413 and "over the limit of 20000000" in answer.json()["detail"]
        assert http.get(f"/v1/image/{GAS}", params={"pixels": 1000, "backend": "histogram"}).status_code == 200


def statistics(http, path, **params):
    answer = http.get(f"/v1/statistics/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_statistics_are_numpys(http):
    temperatures, densities, masses = columns(GAS, "Temperatures", "Densities", "Masses")
    quantiles = [0, 0.05, 0.5, 0.9, 1]
    params = {"fields": "temperatures,log10(temperatures / (1 K)),densities", "quantiles": ",".join(map(str, quantiles)), "weight": "masses"}
    told = statistics(http, GAS, **params)
    assert (told["type"], told["n_rows"]) == ("gas", len(temperatures))
    for name, values in zip(params["fields"].split(","), (temperatures, np.log10(temperatures), densities)):
        found = told["statistics"][name]
        assert (found["count"], found["n_nan"]) == (len(values), 0)
        assert (found["min"], found["max"]) == pytest.approx((values.min(), values.max()), rel=1e-15)
        assert found["sum"] == pytest.approx(values.sum(), rel=1e-13)
        assert found["mean"] == pytest.approx(values.mean(), rel=1e-13)
        assert found["std"] == pytest.approx(values.std(), rel=1e-12)
        assert found["weighted_mean"] == pytest.approx(np.average(values, weights=masses), rel=1e-12)
        assert list(map(float, found["quantiles"])) == quantiles
        assert list(found["quantiles"].values()) == pytest.approx(np.quantile(values, quantiles), rel=1e-15)
    assert told["statistics"]["temperatures"]["unit"] == "K"
    told = statistics(http, GAS, fields="temperatures", where="temperatures < 0", quantiles="0.5")
    found = told["statistics"]["temperatures"]
    assert (told["n_rows"], found["count"], found["mean"], found["min"], found["quantiles"]) == (0, 0, None, None, {"0.5": None})
    compared["statistics with numpy"] += 4


def tile(http, place, **params):
    answer = http.get(f"/v1/tiles/{GAS}/{place}.png", params=params)
    assert answer.status_code == 200, answer.text
    return colours(answer.content), answer.headers


def test_tiles_are_pictures_of_their_parts(http):
    with h5py.File(TEST_DATA / GAS.partition("/")[2]) as f:
        side = float(np.broadcast_to(f["Header"].attrs["BoxSize"], 3)[0])
    whole = http.get(f"/v1/image/{GAS}", params={"pixels": "256,256"})
    found, headers = tile(http, "0/0/0")
    assert (found == colours(whole.content)).all() and headers["Content-Type"] == "image/png"
    lower, upper = whole.headers["Apus-Range"].split(",")
    # The uppermost row of tiles is that of the greatest y.
    for level, column, row in [(1, 0, 0), (1, 1, 1), (3, 5, 2)]:
        width = side / 2**level
        box = (column * width, (column + 1) * width, side - (row + 1) * width, side - row * width)
        params = {"pixels": "256,256", "box": ",".join(map(repr, box)) + ",,", "vmin": lower, "vmax": upper}
        expected = colours(http.get(f"/v1/image/{GAS}", params=params).content)
        found, headers = tile(http, f"{level}/{column}/{row}")
        assert (found == expected).mean() > 0.999
        again = http.get(f"/v1/tiles/{GAS}/{level}/{column}/{row}.png", headers={"If-None-Match": headers["ETag"]})
        assert again.status_code == 304
        assert (tile(http, f"{level}/{column}/{row}")[0] == found).all()
    compared["tiles with pictures"] += 4


@pytest.mark.parametrize(
    ("place", "status", "words"),
    [
        ("1/2/0.png", 404, "there are 2 by 2 tiles at z=1, and none at 2, 0"),
        ("13/0/0.png", 404, "z is at most 12"),
        ("a/0/0.png", 404, "expected PATH/Z/X/Y.png"),
        ("0/0/0.jpg", 404, "expected PATH/Z/X/Y.png"),
        ("0/0/0.png?depth=3", 400, "depth=3: expected two numbers, LOWER,UPPER"),
        ("0/0/0.png?sample=0", 400, "above 0, at most 1"),
        ("0/0/0.png?sample=2", 400, "between 0 and 1"),
        ("0/0/0.png?box=1", 400, 'unknown parameter "box"'),
        ("0/0/0.png?type=neutrinos", 404, "the file has no such type"),
    ],
)
def test_what_is_no_tile_is_said(http, place, status, words):
    answer = http.get(f"/v1/tiles/{GAS}/{place}")
    assert answer.status_code == status and words in answer.json()["detail"], answer.text
