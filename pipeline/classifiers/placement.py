"""Which device a classifier computes on."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol, runtime_checkable

from pipeline.errors import SettingsError


class Device(StrEnum):
    """`AUTO` is the first CUDA device where there is one, else the processor."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"

    def uses_cuda(self, available: bool, missing: str) -> bool:
        """Return whether CUDA is used.

        Args:
            available: whether the runtime can use it here.
            missing: what the runtime lacks otherwise, for the message.

        Raises:
            SettingsError: CUDA is asked for and not available.
        """
        if self is Device.CUDA and not available:
            raise SettingsError([f"device is 'cuda', but {missing}"], where="options")
        return available and self is not Device.CPU


@runtime_checkable
class Placeable(Protocol):
    """A classifier that can compute on more than one device; loaded ones begin with `AUTO`."""

    def place(self, device: Device) -> None:
        """Compute on `device` from now on.

        Raises:
            SettingsError: the device is not there.
        """
