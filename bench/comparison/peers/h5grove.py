"""h5grove behind uvicorn, as its documentation starts it: what h5web and Jupyter's viewers talk to."""

import sys
import urllib.parse

from ..process import Process, free_port


class H5grove(Process):
    """`uvicorn` with h5grove's FastAPI router and one worker."""

    name = "h5grove"

    def __init__(self, files, folder):
        port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "service.py").write_text(
            "from fastapi import FastAPI\nfrom h5grove.fastapi_utils import router, settings\n"
            f"settings.base_dir = {str(files)!r}\napp = FastAPI()\napp.include_router(router)\n"
        )
        command = [sys.executable, "-m", "uvicorn", "service:app", "--host", "127.0.0.1", "--port", port, "--log-level", "warning", "--no-access-log"]
        super().__init__(command, folder, port)

    @staticmethod
    def rows(file, dataset, ranges=None, format="bin"):
        """The requests for ranges of rows, one for each: it takes one slice at a time."""
        query = {"file": file, "path": dataset, "format": format}
        slices = [{}] if ranges is None else [{"selection": f"{a}:{b}"} for a, b in ranges]
        return [("/data?" + urllib.parse.urlencode(query | one), None) for one in slices]
