"""The options of `stance serve` show the limits that hold without them."""

from __future__ import annotations

import inspect

from pipeline.cli.commands.serve import serve
from pipeline.service import ServiceLimits


def test_the_defaults_of_the_options_are_those_of_the_limits() -> None:
    options = inspect.signature(serve).parameters
    shown = {
        "body_bytes": options["max_body"].default,
        "characters": options["max_characters"].default,
        "sentences": options["max_sentences"].default,
        "seconds": options["max_seconds"].default,
        "queue": options["max_queue"].default,
    }
    assert ServiceLimits.model_validate(shown) == ServiceLimits()
    assert set(shown) == set(ServiceLimits.model_fields)
