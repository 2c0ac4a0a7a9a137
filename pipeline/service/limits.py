"""What one request, and all requests together, may ask of the service."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.errors import SettingsError
from pipeline.validated_yaml import StrictModel

AtLeastOne = Annotated[int, Field(ge=1)]


class ServiceLimits(StrictModel):
    """Limits of the service; a request beyond one of the first four is refused, whatever the load.

    `seconds` counts from the first byte of the body to the answer. `queue` is the number of
    sentences that may wait or be under way; the queue is held shorter where the machine could not
    label it in time.
    """

    body_bytes: AtLeastOne = Field(default=2_000_000, description="bytes of a request's body")
    characters: AtLeastOne = Field(default=200_000, description="characters of a request's texts")
    sentences: AtLeastOne = Field(default=1_000, description="sentences of a request")
    seconds: Annotated[float, Field(gt=0.0, le=3600.0)] = Field(
        default=30.0, description="seconds from the start of a request to its answer"
    )
    queue: AtLeastOne = Field(default=4_000, description="sentences waiting at one time")

    @property
    def bytes_in_flight(self) -> int:
        """Bytes of bodies that may be held at one time; bounds the memory of the service."""
        return 32 * self.body_bytes

    @property
    def requests_in_flight(self) -> int:
        """Requests that may be under way at one time."""
        return 1_024

    @property
    def grace(self) -> int:
        """Whole seconds that requests under way have to end in when the service is shut down."""
        return int(self.seconds) + 5

    def checked(self) -> ServiceLimits:
        """Return the limits themselves.

        Raises:
            SettingsError: the queue could never take the largest request.
        """
        if self.queue < self.sentences:
            mistake = (
                f"the queue holds {self.queue:,} sentences, but one request may have "
                f"{self.sentences:,}; raise --max-queue or lower --max-sentences"
            )
            raise SettingsError([mistake], where="options")
        return self
