"""Apus and those beside it, each as a process on loopback: how it is started, and how it is asked for rows of a dataset."""

from .apus import Apus
from .h5grove import H5grove
from .in_process import InProcess
from .nginx import Nginx
from .tiled import Tiled

__all__ = ["Apus", "H5grove", "InProcess", "Nginx", "Tiled"]
