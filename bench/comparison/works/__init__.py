"""The works, in the order in which they run. Each module has `works(bench)`, a list of `Work`."""

from . import clients, first_byte, hot_rows, json_doubles, lossy_chains, many_chunks, ranges, scaling, swiftsimio_open, whole_field

MODULES = (whole_field, lossy_chains, ranges, hot_rows, first_byte, many_chunks, clients, json_doubles, swiftsimio_open, scaling)


def all_works(bench):
    return [work for module in MODULES for work in module.works(bench)]
