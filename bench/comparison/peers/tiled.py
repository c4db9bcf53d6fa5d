"""Tiled, serving two of the files from a configuration, open to this machine alone."""

import importlib.util
import json
import sys
import urllib.parse

from ..process import Process, free_port


class Tiled(Process):
    """`tiled serve config`; `installed` tells whether there is one."""

    name = "tiled"
    installed = importlib.util.find_spec("tiled") is not None

    def __init__(self, files, folder):
        port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "trees.py").write_text(
            "from tiled.adapters.hdf5 import HDF5Adapter\n"
            f"def serve(name):\n    return HDF5Adapter.from_uris('file://localhost{files}/' + name + '.hdf5')\n"
        )
        trees = [{"path": f"/{name}", "tree": "trees:serve", "args": {"name": name}} for name in ("field", "plain")]
        configuration = {"authentication": {"allow_anonymous_access": True}, "trees": trees, "response_bytesize_limit": 1 << 30}
        (folder / "config.json").write_text(json.dumps(configuration))
        launcher = folder / "launch.py"
        launcher.write_text("from tiled.commandline.main import main\nmain()\n")
        command = [sys.executable, launcher, "serve", "config", "--host", "127.0.0.1", "--port", port, folder / "config.json"]
        super().__init__(command, folder, port, {"TILED_SINGLE_USER_API_KEY": "0123456789abcdef", "PYTHONPATH": str(folder)})

    @staticmethod
    def rows(file, dataset, begin=None, end=None):
        """The request for a slice of a dataset."""
        part = {} if begin is None else {"slice": f"{begin}:{end},:"}
        query = urllib.parse.urlencode({"format": "application/octet-stream"} | part)
        return f"/api/v1/array/full/{file.removesuffix('.hdf5')}{dataset}?{query}", None
