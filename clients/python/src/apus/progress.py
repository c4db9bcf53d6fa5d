"""A bar for long transfers, by tqdm where it is installed."""

from __future__ import annotations

import sys
from typing import Any

# Shorter transfers have no bar; nor have those that are over before that many seconds.
MIN_BYTES = 4 << 20
DELAY_S = 1.0


class Progress:
    """How far a transfer is. `wanted` is None for a bar where one pays and somebody looks, True for one always, False for none."""

    def __init__(self, name: str, size_bytes: int | None, position: int, wanted: bool | None) -> None:
        self._bar: Any = None
        if wanted is False or (wanted is None and not _is_watched()):
            return
        if wanted is None and size_bytes is not None and size_bytes - position < MIN_BYTES:
            return
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return
        self._bar = tqdm(
            desc=name, total=size_bytes, initial=position, unit="B", unit_scale=True, unit_divisor=1024, leave=False,
            delay=0.0 if wanted else DELAY_S,
        )  # fmt: skip

    def add(self, n_bytes: int) -> None:
        """So many bytes more are there."""
        if self._bar is not None:
            self._bar.update(n_bytes)

    def close(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.close()


def _is_watched() -> bool:
    return "ipykernel" in sys.modules or sys.stderr.isatty()
