"""Answers as the tools read them that their forms are for: values, and where the tool has a place for them, units."""

import io
import json
import pathlib
import shutil
import subprocess
import warnings
import xml.etree.ElementTree

import astropy.table
import astropy.units as u
import duckdb
import fsspec
import h5py
import numpy as np
import pandas
import polars
import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest
import requests

from conftest import TEST_DATA
from select_reference import same

GAS = TEST_DATA / "cosmo_box_lossy_nogzip.hdf5"
URL = f"/v1/select/data/{GAS.name}"
FIELDS = {"gas.coordinates": "Coordinates", "gas.masses": "Masses", "gas.particle_ids": "ParticleIDs", "gas.velocities": "Velocities"}
UNITS = {"gas.coordinates": u.Mpc, "gas.masses": 1e10 * u.Msun, "gas.particle_ids": None, "gas.velocities": u.km / u.s}
LIMIT = 1000


@pytest.fixture(scope="module")
def expected():
    with h5py.File(GAS) as f:
        return {asked: f["PartType0"][name][:LIMIT] for asked, name in FIELDS.items()}


@pytest.fixture(scope="module")
def fetched(http, tmp_path_factory):
    """The answers as files, each under the name that the server gives it."""
    folder, paths = tmp_path_factory.mktemp("forms"), {}
    for form in ("arrow", "feather", "parquet", "csv", "ecsv", "votable", "npz"):
        answer = http.get(URL, params={"fields": ",".join(FIELDS), "limit": LIMIT, "format": form})
        assert answer.status_code == 200, answer.text
        name = answer.headers["Content-Disposition"].partition("filename=")[2].strip('"')
        paths[form] = folder / name
        paths[form].write_bytes(answer.content)
    return paths


def check(table, expected, get):
    for name, values in expected.items():
        assert same(np.ascontiguousarray(get(table, name)), values), name


def lists(column):
    return np.array([np.asarray(row) for row in column])


def of_frame(frame, name):
    """A column of pandas, of lists where rows have several values."""
    values = frame[name].to_numpy()
    return lists(values) if values.dtype == object else values


def test_each_form_has_its_own_name(fetched):
    endings = {form: path.suffix for form, path in fetched.items()}
    assert endings == {
        "arrow": ".arrows", "feather": ".arrow", "parquet": ".parquet", "csv": ".csv", "ecsv": ".ecsv", "votable": ".vot", "npz": ".npz",
    }


def test_media_types_of_arrow(http):
    types = {form: http.head(URL, params={"fields": "gas.masses", "format": form}).headers["Content-Type"] for form in ("arrow", "feather")}
    assert types == {"arrow": "application/vnd.apache.arrow.stream", "feather": "application/vnd.apache.arrow.file"}


def test_pandas_reads_feather(fetched, expected):
    check(pandas.read_feather(fetched["feather"]), expected, of_frame)


def test_pandas_reads_parquet_with_units(fetched, expected):
    frame = pandas.read_parquet(fetched["parquet"])
    check(frame, expected, of_frame)
    units = {name: u.Unit(unit) for name, unit in frame.attrs["units"].items()}
    assert units == {name: u.one if unit is None else unit for name, unit in UNITS.items()}
    assert frame.attrs["particle_type"] == "gas"


def test_pandas_reads_csv(fetched, expected):
    frame = pandas.read_csv(fetched["csv"])
    for name, values in expected.items():
        columns = [name] if values.ndim == 1 else [f"{name}.{axis}" for axis in "xyz"]
        read = frame[columns].to_numpy().astype(values.dtype)
        assert same(read[:, 0] if values.ndim == 1 else read, values), name


def test_pyarrow_maps_a_file_into_memory(fetched, expected):
    with pyarrow.memory_map(str(fetched["feather"])) as source:
        reader = pyarrow.ipc.open_file(source)
        assert reader.num_record_batches >= 1
        table = reader.read_all()
        assert table.schema.field("gas.coordinates").metadata[b"unit"] == b"Mpc"
        check(table.to_pandas(), expected, of_frame)
    # And the other form is a stream, as scripts expect that read it while it comes.
    stream = pyarrow.ipc.open_stream(fetched["arrow"].read_bytes())
    check(stream.read_all().to_pandas(), expected, of_frame)


def test_polars_reads_arrow_and_parquet(fetched, expected):
    def get(frame, name):
        return frame[name].to_numpy()

    check(polars.read_ipc(fetched["feather"]), expected, get)
    check(polars.read_ipc_stream(fetched["arrow"]), expected, get)
    check(polars.read_parquet(fetched["parquet"]), expected, get)
    metadata = polars.read_parquet_metadata(fetched["parquet"])
    assert metadata["unit:gas.coordinates"] == "Mpc"


def test_polars_reads_over_http(server, scratch, fetched, expected):
    """polars asks with HEAD how long a file is, and took what was told to be empty for an empty file. It does without no length."""
    base = server.url.rstrip("/")
    with pytest.raises(OSError, match="Content-Length"):
        polars.read_csv(f"{base}{URL}?fields=gas.masses&limit={LIMIT}&format=csv")
    shutil.copy(fetched["parquet"], scratch / "polars.parquet")
    frame = polars.read_parquet(f"{base}/v1/download/scratch/polars.parquet")
    check(frame, expected, lambda frame, name: frame[name].to_numpy())


def test_duckdb_reads_parquet_with_units(fetched, expected):
    with duckdb.connect() as database:
        path = str(fetched["parquet"])
        arrays = database.sql(f"SELECT * FROM '{path}'").to_arrow_table().to_pandas()
        check(arrays, expected, of_frame)
        rows = database.execute(f"SELECT key, value FROM parquet_kv_metadata('{path}')").fetchall()
    told = {bytes(key).decode(): bytes(value).decode() for key, value in rows}
    for name, unit in UNITS.items():
        if unit is not None:
            assert u.Unit(told[f"unit:{name}"]) == unit, name
    with h5py.File(GAS) as f:
        assert float(told["redshift"]) == f["Header"].attrs["Redshift"][0]
    assert told["frame:gas.coordinates"] == "comoving"


@pytest.mark.parametrize("form", ["ecsv", "votable"])
def test_astropy_reads_tables_with_units(fetched, expected, form):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = astropy.table.Table.read(fetched[form], format={"ecsv": "ascii.ecsv"}.get(form, form))
    assert table.colnames == list(expected)
    for name, values in expected.items():
        column = table[name]
        assert same(np.asarray(column).astype(values.dtype), values), name
        assert column.unit == UNITS[name], name
        assert np.asarray(column).dtype.kind == values.dtype.kind or values.dtype.kind == "u", name
    with h5py.File(GAS) as f:
        a = f["Header"].attrs["Scale-factor"][0]
        description = f["PartType0/Coordinates"].attrs["Description"].decode()
    told = table["gas.coordinates"].description
    assert description.rstrip(".") in told and f"comoving: physical = value * a**1, a = {a}" in told


@pytest.mark.skipif(shutil.which("stilts") is None, reason="no stilts here (Debian: stilts)")
def test_stilts_reads_a_votable_with_units(fetched, expected):
    def stilts(*arguments):
        return subprocess.run(["stilts", *arguments], check=True, capture_output=True, text=True, timeout=300).stdout

    told = stilts("tpipe", f"in={fetched['votable']}", "ifmt=votable", "cmd=meta name units", "ofmt=csv")
    assert told.split() == ["Name,Units", "gas.coordinates,Mpc", "gas.masses,1e10solMass", "gas.particle_ids,", "gas.velocities,km.s**-1"]
    sums = stilts("tpipe", f"in={fetched['votable']}", "ifmt=votable", 'cmd=keepcols "gas.particle_ids"', "omode=out", "ofmt=csv")
    assert [int(line) for line in sums.split()[1:]] == expected["gas.particle_ids"].tolist()
    assert stilts("votlint", f"votable={fetched['votable']}") == ""


def test_astropy_makes_quantities_of_ecsv(fetched, expected):
    table = astropy.table.QTable.read(fetched["ecsv"], format="ascii.ecsv")
    assert np.allclose(table["gas.coordinates"].to_value(u.kpc), 1000 * expected["gas.coordinates"])
    assert table.meta["particle_type"] == "gas" and isinstance(table.meta["redshift"], float)
    assert table["gas.masses"].info.meta["frame"] == "comoving"


def test_converted_units_are_those_of_the_table(http):
    for form in ("ecsv", "votable"):
        answer = http.get(URL, params={"fields": "gas.coordinates,gas.densities", "limit": 5, "unit": "1e3 km,g/cm**3", "format": form})
        table = astropy.table.Table.read(io.BytesIO(answer.content), format={"ecsv": "ascii.ecsv"}.get(form, form))
        assert table["gas.coordinates"].unit == 1000 * u.km
        assert table["gas.densities"].unit == u.g / u.cm**3


@pytest.mark.parametrize("form", ["ecsv", "votable", "feather", "parquet"])
def test_a_table_of_no_rows(http, form):
    # astropy cannot read back an ECSV table without rows that it has written itself, if a column holds vectors.
    fields = ["gas.masses"] if form == "ecsv" else ["gas.coordinates", "gas.masses"]
    answer = http.get(URL, params={"fields": ",".join(fields), "where": "masses < 0", "format": form})
    assert answer.status_code == 200
    read = {
        "feather": pandas.read_feather, "parquet": pandas.read_parquet,
        "ecsv": lambda body: astropy.table.Table.read(body, format="ascii.ecsv"), "votable": lambda body: astropy.table.Table.read(body, format="votable"),
    }
    table = read[form](io.BytesIO(answer.content))
    assert len(table) == 0
    assert list(table.columns) == fields


def test_numbers_that_a_votable_lacks(server, http, scratch):
    with h5py.File(GAS) as source, h5py.File(scratch / "great_ids.hdf5", "w") as f:
        for name in ("Header", "Units", "Cosmology", "Cells", "PartType0"):
            if name in source:
                source.copy(name, f)
        ids = f["PartType0/ParticleIDs"][()].astype("u8")
        ids[3] = 2**64 - 1
        attributes = dict(f["PartType0/ParticleIDs"].attrs)
        del f["PartType0/ParticleIDs"]
        f["PartType0/ParticleIDs"] = ids
        f["PartType0/ParticleIDs"].attrs.update(attributes)
    url, params = "/v1/select/scratch/great_ids.hdf5", {"fields": "gas.particle_ids", "limit": 10}
    # It is no table that a client could take for whole.
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        http.get(url, params=params | {"format": "votable"})
    server.wait_for(f"column gas.particle_ids holds {2**64 - 1}, and votable has no numbers over {2**63 - 1}; try format=ecsv")
    table = astropy.table.Table.read(io.BytesIO(http.get(url, params=params | {"format": "ecsv"}).content), format="ascii.ecsv")
    assert same(np.asarray(table["gas.particle_ids"]), ids[:10])


def test_a_votable_is_valid_xml_whatever_a_file_says(http, scratch):
    with h5py.File(GAS) as source, h5py.File(scratch / "odd_description.hdf5", "w") as f:
        for name in ("Header", "Units", "Cosmology", "Cells", "PartType0"):
            if name in source:
                source.copy(name, f)
        f["PartType0/Masses"].attrs["Description"] = np.bytes_('<b>"5 & 6"</b>\x01 ]]>'.encode())
    answer = http.get("/v1/select/scratch/odd_description.hdf5", params={"fields": "gas.masses", "limit": 2, "format": "votable"})
    root = xml.etree.ElementTree.fromstring(answer.content)
    [description] = root.iter("{http://www.ivoa.net/xml/VOTable/v1.3}DESCRIPTION")
    assert description.text.startswith('<b>"5 & 6"</b>\ufffd ]]>')


def test_fsspec_reads_parts_of_files(server):
    filesystem = fsspec.filesystem("http")
    base = server.url.rstrip("/")
    with filesystem.open(f"{base}/v1/download/data/{GAS.name}", block_size=1 << 16) as remote, h5py.File(remote) as f, h5py.File(GAS) as truth:
        assert f.id.get_filesize() == GAS.stat().st_size
        assert same(f["PartType0/Coordinates"][5:50], truth["PartType0/Coordinates"][5:50])
    # An answer whose length nobody knows is read whole, not taken for an empty one.
    url = f"{base}{URL}?fields=gas.masses&limit={LIMIT}&format=csv"
    info = filesystem.info(url)
    assert info["size"] is None
    with fsspec.open(url, "rt") as lines:
        assert len(lines.readlines()) == LIMIT + 1
    npz = f"{base}{URL}?fields=gas.masses&limit={LIMIT}&format=npz"
    with fsspec.open(npz, "rb") as remote, np.load(remote) as archive, h5py.File(GAS) as truth:
        assert same(archive["gas.masses"], truth["PartType0/Masses"][:LIMIT])


def test_head_of_a_form_of_unknown_length_announces_none(http):
    for form in ("csv", "arrow", "feather", "parquet", "ecsv", "votable", "json"):
        head = http.head(URL, params={"fields": "gas.masses", "format": form})
        assert head.status_code == 200 and "Content-Length" not in head.headers, form
    npz = http.head(URL, params={"fields": "gas.masses", "limit": 5, "format": "npz"})
    body = http.get(URL, params={"fields": "gas.masses", "limit": 5, "format": "npz"}).content
    assert int(npz.headers["Content-Length"]) == len(body)


def test_a_page_of_another_origin_may_read_what_answers_say(start_server, tmp_path):
    """What a browser's fetch does: it asks beforehand, then shows the page what is exposed."""
    server = start_server({"data": TEST_DATA}, "--cors-origin", "https://example.org")
    with server.session() as http:
        origin = {"Origin": "https://example.org"}
        asked = http.options(URL, headers=origin | {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization,range"})
        assert asked.status_code == 200 and asked.headers["Access-Control-Allow-Origin"] == "https://example.org"
        assert {"authorization", "range"} <= {name.strip() for name in asked.headers["Access-Control-Allow-Headers"].split(",")}
        answer = http.get(URL, params={"fields": "gas.masses", "limit": 3}, headers=origin)
        exposed = {name.strip() for name in answer.headers["Access-Control-Expose-Headers"].split(",")}
        assert {"apus-fields", "apus-rows", "apus-dtype", "apus-shape", "apus-padding", "etag", "content-range", "content-disposition", "retry-after"} <= exposed
        assert "Apus-Rows" in answer.headers and json.loads(answer.headers["Apus-Fields"])
        elsewhere = http.get(URL, params={"fields": "gas.masses", "limit": 3}, headers={"Origin": "https://example.com"})
        assert "Access-Control-Allow-Origin" not in elsewhere.headers


def test_files_are_read_where_they_are_named(fetched):
    """pyarrow's own readers, by path alone."""
    for form, read in {"feather": pyarrow.feather.read_table, "parquet": pyarrow.parquet.read_table}.items():
        assert read(pathlib.Path(fetched[form])).num_rows == LIMIT
