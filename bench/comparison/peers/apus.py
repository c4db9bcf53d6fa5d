"""Apus: the release binary, serving the made files at the root and the test data under /swift."""

import json
import urllib.parse

from ..process import Process, free_port


class Apus(Process):
    """`apus serve`."""

    name = "apus"

    def __init__(self, binary, files, swift_folder, folder, *arguments):
        port = free_port()
        command = [binary, "serve", f"bench={files}", f"swift={swift_folder}", "--listen", f"127.0.0.1:{port}", "--state", folder / "state", *arguments]
        super().__init__(command, folder, port)

    @staticmethod
    def rows(file, dataset, ranges=None, format="raw"):
        """The request for ranges of rows of a dataset, or for all."""
        query = urllib.parse.urlencode({"object": dataset, "format": format})
        if ranges is None:
            return f"/v1/data/bench/{file}?{query}", None
        return f"/v1/data/bench/{file}", json.dumps({"object": dataset, "format": format, "rows": [[int(a), int(b)] for a, b in ranges]})
