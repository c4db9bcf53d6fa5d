"""`apus demo`: what it prints is pasted, as a new user would, and works."""

import os
import re
import subprocess
import sys
import textwrap

import h5py
import numpy as np
import pytest

from apus_server import Server, clean_environment
from conftest import REPOSITORY

pytestmark = pytest.mark.demo

SNAPSHOT = REPOSITORY / "demo" / "cosmic_web_0002.hdf5"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    with Server({}, tmp_path_factory.mktemp("demo"), command="demo") as server:
        yield server


@pytest.fixture(scope="module")
def printed(demo):
    """The paragraphs that it prints, by their headings: what stands in them, without the indent."""
    demo.wait_for("print(data.gas.coordinates)\n")
    paragraphs = {}
    for heading, body in re.findall(r"^(In [^\n]*):\n((?:  [^\n]*\n)+)", demo.output, re.MULTILINE):
        paragraphs[heading] = textwrap.dedent(body)
    return paragraphs


def paste(command, text, demo):
    """Runs what was pasted, in a home folder of its own."""
    home = demo.home.with_name("user")
    home.mkdir(exist_ok=True)
    done = subprocess.run([*command, text], env=clean_environment(home), cwd=home, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_in_the_browser(demo, printed):
    address = next(text for heading, text in printed.items() if "browser" in heading).strip()
    with demo.session() as session:
        assert session.get(address).headers["Content-Type"].startswith("text/html")


def test_what_is_pasted_into_a_shell(demo, printed):
    commands = printed["In a shell"].splitlines()
    outputs = [paste(["bash", "-c"], command, demo) for command in commands]
    assert len(outputs) >= 3
    assert "cosmic_web_0002.hdf5" in outputs[0]
    with h5py.File(SNAPSHOT) as f:
        assert np.array_equal(np.array(eval(outputs[-1])), f["PartType0/Coordinates"][:5])


def test_what_is_pasted_into_python(demo, printed):
    pasted = [(heading, text) for heading, text in printed.items() if heading.startswith("In Python")]
    assert pasted
    for heading, text in pasted:
        output = paste([sys.executable, "-c"], text, demo)
        if "numpy" in heading:
            with h5py.File(SNAPSHOT) as f:
                positions = f["PartType0/Coordinates"][()]
            assert output.strip() == f"{positions.shape} {positions.mean(axis=0)}"
        else:
            assert "Mpc" in output, output


def test_the_readme_shows_what_works(demo, tmp_path):
    """The commands and the Python of README.md, with the demo's address in place of the default one."""
    readme = (REPOSITORY / "README.md").read_text().replace("http://127.0.0.1:8000", demo.url.rstrip("/"))
    commands = re.findall(r"^    (curl .*)$", readme, re.MULTILINE)
    assert len(commands) >= 3
    for command in commands:
        assert paste(["bash", "-c"], command.replace("curl ", "curl --fail --silent --show-error "), demo)
    scripts = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    assert scripts
    for script in scripts:
        paste([sys.executable, "-c"], script, demo)
    assert "(2000, 2)" in paste([sys.executable, "-c"], scripts[0] + "\nprint(positions.shape)", demo)


def test_the_demo_touches_nothing(demo):
    assert not os.listdir(demo.home), "files were written"
