"""What /v1/select refuses, and what its errors say."""

import random
import re

import h5py
import pytest

from conftest import TEST_DATA
from select_reference import arrays_of

GAS = TEST_DATA / "cosmo_box_lossy_nogzip.hdf5"
URL = f"/v1/select/data/{GAS.name}"

# Parameters, status, words of the detail.
BAD = [
    ({}, 400, ["say which fields"]),
    ({"fields": ""}, 400, ["say which fields"]),
    ({"fields": "gas.cordinates"}, 404, ["gas.cordinates", "did you mean \"coordinates\""]),
    ({"fields": "gass.coordinates"}, 404, ["no group of fields is called \"gass\"", "gas"]),
    ({"fields": "/PartType0/Coordinate"}, 404, ["Coordinate", "coordinates"]),
    ({"fields": "neutrinos.masses"}, 404, ["neutrinos"]),
    ({"fields": "gas.coordinates.w"}, 404, ["no column \"w\""]),
    ({"fields": "gas.masses,gas.masses"}, 400, ["gas.masses is asked for twice"]),
    ({"fields": "gas.*,gas.masses"}, 400, ["gas.masses is asked for twice"]),
    ({"fields": "gas.masses", "sphere": "1,1,1,-0.5"}, 400, ["radius is -0.5"]),
    ({"fields": "gas.masses", "sphere": "1,1,1,nan"}, 400, ["radius is NaN"]),
    ({"fields": "gas.masses", "sphere": "nan,1,1,1"}, 400, ["centre in x is NaN"]),
    ({"fields": "gas.masses", "sphere": "1,1,1"}, 400, ["3 numbers", "x,y,z,radius"]),
    ({"fields": "gas.masses", "box": "0,1,0,1,0,inf"}, 400, ["upper bound in z is inf"]),
    ({"fields": "gas.masses", "box": "-1e9,1,0,1,0,1"}, 400, ["lower bound in x", "half a box"]),
    ({"fields": "gas.masses", "box": "0,1,0,1"}, 400, ["4 numbers", "xmin,xmax"]),
    ({"fields": "gas.masses", "box": "0,1,0,1,0,1", "region_unit": "kg"}, 400, ["kg", "mass", "length"]),
    ({"fields": "gas.masses", "box": "0,1,0,1,0,1", "region_unit": "furlong"}, 400, ["furlong"]),
    ({"fields": "gas.masses", "region_unit": "kpc"}, 400, ["box and sphere"]),
    ({"fields": "gas.masses", "rows": "cell"}, 400, ["did you mean \"cells\""]),
    ({"fields": "gas.masses", "where": "temperature > 1e5 K"}, 400, ["column 1", "did you mean \"temperatures\""]),
    ({"fields": "gas.masses", "where": "temperatures > 1e5 kpc"}, 400, ["column 16", "length", "temperature"]),
    ({"fields": "gas.masses", "where": "temperatures > 1e5"}, 400, ["temperature"]),
    ({"fields": "gas.masses", "where": "temperatures > 1e5 K and"}, 400, ["ends where a field or a number is expected"]),
    ({"fields": "gas.masses", "where": "temperatures >> 1e5 K"}, 400, ["column 15"]),
    ({"fields": "gas.masses", "where": "masses > 0; temperatures >> 1e5 K"}, 400, ["column 27"]),
    ({"fields": "gas.masses", "where": "(masses > 0"}, 400, ["column 1", "not closed"]),
    ({"fields": "gas.masses", "where": ""}, 400, ["column 1"]),
    ({"fields": "gas.masses", "where": "0" + "+1" * 2040 + ">0"}, 400, ["column 258", "more than 128 arithmetic operations"]),
    ({"fields": "gas.masses", "where": "dark_matter.masses > 0"}, 400, ["dark_matter"]),
    ({"fields": "gas.masses", "where": "coordinates > 0"}, 400, ["3 columns"]),
    ({"fields": "gas.masses", "where": "coordinates[3] > 0"}, 400, ["no column 3"]),
    ({"fields": "gas.masses", "ids": "1,x"}, 400, ["\"x\" is no whole number"]),
    ({"fields": "gas.masses", "sample": "1.5"}, 400, ["between 0 and 1"]),
    ({"fields": "gas.masses", "sample": "nan"}, 400, ["between 0 and 1"]),
    ({"fields": "gas.masses", "stride": "0"}, 400, ["1 or more"]),
    ({"fields": "gas.masses", "stride": "-1"}, 400, ["whole number"]),
    ({"fields": "gas.masses", "limit": "x"}, 400, ["whole number"]),
    ({"fields": "gas.masses", "unit": "parsnip"}, 400, ["parsnip"]),
    ({"fields": "gas.masses", "frame": "absolute"}, 400, ["comoving, physical"]),
    ({"fields": "gas.particle_ids", "format": "hdf"}, 400, ["format"]),
    ({"fields": "gas.masses", "explain": "maybe"}, 400, ["true, false"]),
    ({"fields": "gas.masses", "feilds": "x"}, 400, ["did you mean \"fields\""]),
]


@pytest.mark.parametrize(("params", "status", "words"), BAD, ids=[str(p)[:100] for p, _, _ in BAD])
def test_what_is_wrong_is_refused_with_the_place(http, params, status, words):
    answer = http.get(URL, params=params)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert all(word in problem["detail"] for word in words), problem["detail"]


def test_bodies_that_are_wrong(http):
    def status(**arguments):
        return http.post(URL, **arguments).status_code

    assert status(data="fields=gas.masses") == 415
    assert status(json={}) == 400
    assert status(json={"fields": []}) == 400
    assert status(json={"fields": ["gas.masses"], "box": [1, 2, 3]}) == 400
    assert status(json={"fields": ["gas.masses"], "sphere": [1, 2, 3, None]}) == 400
    assert status(json={"fields": ["gas.masses"], "ids": [-1]}) == 400
    assert status(json={"fields": ["gas.masses"], "ids": [2**64]}) == 400
    assert status(json={"fields": ["gas.masses"], "colour": "red"}) == 400
    assert status(data="[" * 100_000, headers={"Content-Type": "application/json"}) == 400


def test_ten_thousand_regions_are_too_many(http):
    spheres = [[0.1, 0.2, 0.3, 0.01]] * 10_000
    answer = http.post(URL, json={"fields": ["gas.masses"], "sphere": spheres})
    assert answer.status_code == 400 and "10000 shapes are more than 1024" in answer.json()["detail"]
    assert len(arrays_of(http.post(URL, json={"fields": ["gas.masses"], "sphere": spheres[:1024]}))["gas.masses"]) >= 0


def test_other_files(http, scratch):
    assert http.get("/v1/select/data/nothing.hdf5", params={"fields": "gas.masses"}).status_code == 404
    assert http.get("/v1/select/data/MANIFEST.md", params={"fields": "gas.masses"}).status_code == 422
    with h5py.File(scratch / "plain.h5", "w") as f:
        f["x"] = [1.0, 2.0]
    answer = http.get("/v1/select/scratch/plain.h5", params={"fields": "x"})
    assert answer.status_code == 404


def test_no_condition_breaks_the_service(http):
    """Random texts out of the grammar's words: each is answered, or refused with a place in it."""
    rng = random.Random(17)
    words = ["temperatures", "gas.masses", "coordinates", "[0]", ".x", "velocities.y", ">", "<=", "==", "!=", "in", "[", "]", "(", ")", ",", "and", "or", "not", "!",
             "1e5", "0", "7", "K", "km/s", "kpc", "comoving", "physical", "+", "-", "*", "/", "**", "2", "sqrt", "log10", "abs", "é", "'", "\\", "\0", "&&", "||", "1e400"]
    statuses = {200: 0, 400: 0}
    for _ in range(600):
        where = rng.choice(["temperatures > 1e5 K and ", "", "masses >= 0 or "]) + " ".join(rng.choice(words) for _ in range(rng.randint(0, 8)))
        answer = http.get(URL, params={"fields": "gas.particle_ids", "where": where, "explain": "true"})
        assert answer.status_code in statuses, (where, answer.text)
        statuses[answer.status_code] += 1
        if answer.status_code == 400:
            assert "column" in answer.json()["detail"], (where, answer.text)
    assert statuses[400] > 100


# Valid conditions, token by token, that use all of the grammar.
CONDITIONS = [
    "temperatures > 1e5 K and metal_mass_fractions >= 0.01 or masses != 0",
    "densities in [ 1e-29 g/cm**3 physical , 1e-20 g/cm**3 physical )",
    "10 < log10 ( gas.temperatures / ( 1 K ) ) * 2.5 or not velocities.y == 0",
    "coordinates [ 0 ] < 5 Mpc comoving && velocities.x ** 2 + velocities.y ** 2 < 1e9 km**2/s**2 and velocities.z ** - 2 >= 0",
    "! ( 1 < particle_ids <= 2000 || abs ( - /PartType0/Masses ) = 0 )",
]
INSERTED = ["(", ")", "]", ",", "<", "in", "and", "not", "**", "-", "7", "K", "physical", "masses"]


def column_of(answer, where):
    """The column that a refusal of a condition names, which must lie in the text, or just behind it."""
    assert answer.status_code == 400 and answer.headers["Content-Type"] == "application/problem+json", (where, answer.text)
    found = re.search(r"^condition, column (\d+): .", answer.json()["detail"])
    assert found and 1 <= int(found[1]) <= len(where) + 1, (where, answer.text)
    return int(found[1])


@pytest.mark.parametrize("wrong", ["nonsense > 3", "masses > 3 K", "masses >> 3", "gas.masses > 0 and stars.masses > 0"])
def test_columns_count_from_the_start_of_all_conditions(http, wrong):
    alone = column_of(http.get(URL, params={"fields": "gas.particle_ids", "where": wrong}), wrong)
    for before in ("temperatures > 1 K;", "masses > 0;temperatures > 1 K; "):
        where = before + wrong
        assert column_of(http.get(URL, params={"fields": "gas.particle_ids", "where": where}), where) == len(before) + alone


@pytest.mark.parametrize("condition", CONDITIONS)
def test_syntax_errors_at_every_position(server, http, condition):
    """A token cut, added, or put in another's place: the service answers, or says which column is wrong."""
    tokens = condition.split()
    params = {"fields": "gas.particle_ids", "explain": "true"}
    expected = http.get(URL, params=params | {"where": condition})
    assert expected.status_code == 200, expected.text
    n_refused = 0
    for i in range(len(tokens) + 1):
        changed = [tokens[:i] + tokens[i + 1 :]] + [tokens[:i] + [token] + tokens[j:] for token in INSERTED for j in (i, i + 1)]
        for where in map(" ".join, changed):
            answer = http.get(URL, params=params | {"where": where})
            if answer.status_code != 200:
                column_of(answer, where)
                n_refused += 1
        # What is in no condition is wrong just where it stands, or makes the parenthesis before it one that is not closed.
        before = tokens[:i]
        where = " ".join([*before, "µ", *tokens[i:]])
        column = column_of(http.get(URL, params=params | {"where": where}), where)
        at = len("".join(f"{token} " for token in before)) + 1
        if before.count("(") == before.count(")"):
            assert column == at, where
        else:
            assert column in (at, *(m.start() + 1 for m in re.finditer(r"\(", where[:at]))), where
    assert n_refused > 10 * len(tokens)
    assert http.get(URL, params=params | {"where": condition}).json() == expected.json()
    assert "panicked" not in server.output


def test_an_answer_over_the_limit_is_refused_with_the_numbers(start_server, tmp_path):
    config = tmp_path / "apus.toml"
    config.write_text("[limits]\nanswer_bytes = 50000\n")
    server = start_server({"data": TEST_DATA}, "--config", config)
    with server.session() as http, h5py.File(GAS) as f:
        n = len(f["PartType0/Masses"])
        for form in ("npz", "arrow", "csv", "json", "parquet"):
            answer = http.get(URL, params={"fields": "gas.coordinates,gas.masses", "format": form})
            assert answer.status_code == 413, form
            detail = answer.json()["detail"]
            assert f"{n} rows of gas at 28 bytes each" in detail and str(28 * n) in detail and "50000" in detail and "smaller box" in detail
            # Whether it is too large shows only when rows were counted.
            answer = http.get(URL, params={"fields": "gas.coordinates,gas.masses", "where": "particle_ids > 0", "format": form})
            assert answer.status_code == 413, form
            small = http.get(URL, params={"fields": "gas.coordinates,gas.masses", "where": "particle_ids < 1000", "format": form})
            assert small.status_code == 200, small.text
        explained = http.get(URL, params={"fields": "gas.coordinates", "explain": "true"}).json()
        assert (explained["is_allowed"], explained["limit_bytes"], explained["size_bytes_at_most"]) == (False, 50000, 24 * n)
