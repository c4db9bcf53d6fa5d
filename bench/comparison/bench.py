"""The bench: the files, and the servers, each started when it is first needed and stopped at the end."""

import contextlib
import functools

from .peers import Apus, H5grove, InProcess, Nginx, Tiled


class Bench(contextlib.ExitStack):
    """All that works need. `tiled` and `nginx` are None where they are not installed."""

    def __init__(self, files, binary, swift_folder, n_cores, quick):
        super().__init__()
        self.files, self.binary, self.swift_folder, self.n_cores, self.quick = files, binary, swift_folder, n_cores, quick
        self.run_folder = files.folder / "run"

    def fresh_apus(self, *arguments):
        """An Apus that knows nothing yet; a context."""
        return Apus(self.binary, self.files.folder, self.swift_folder, self.run_folder / "fresh", *arguments)

    @functools.cached_property
    def apus(self):
        return self.enter_context(Apus(self.binary, self.files.folder, self.swift_folder, self.run_folder / "apus"))

    @functools.cached_property
    def h5grove(self):
        return self.enter_context(H5grove(self.files.folder, self.run_folder / "h5grove"))

    @functools.cached_property
    def nginx(self):
        return self.enter_context(Nginx(self.files.folder, self.run_folder / "nginx")) if Nginx.installed else None

    @functools.cached_property
    def tiled(self):
        return self.enter_context(Tiled(self.files.folder, self.run_folder / "tiled")) if Tiled.installed else None

    @functools.cached_property
    def worker(self):
        return self.enter_context(InProcess())

    def path(self, name):
        return str(self.files.folder / name)
