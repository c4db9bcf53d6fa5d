#!/usr/bin/env python3
"""Say as JSON what h5py finds at paths of a file: "group", "dataset", "named type", or null where it finds nothing.

usage: follow_links.py FILE PATH...
"""
import json
import os
import sys

import h5py

KINDS = {h5py.Group: "group", h5py.Dataset: "dataset", h5py.Datatype: "named type"}


def kind(file, path):
    try:
        return KINDS[type(file[path])]
    except (KeyError, OSError, RuntimeError):
        return None


os.chdir(os.path.dirname(os.path.abspath(sys.argv[1])))
with h5py.File(os.path.basename(sys.argv[1]), "r") as f:
    json.dump({path: kind(f, path) for path in sys.argv[2:]}, sys.stdout)
