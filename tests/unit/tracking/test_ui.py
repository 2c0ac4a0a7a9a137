"""The address that `stance ui` prints; the page itself is tested in a browser."""

from __future__ import annotations

import pytest

from pipeline.tracking import Store, ui_address


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "127.0.0.1"), ("localhost", "localhost"), ("::1", "[::1]")],
)
def test_an_address_of_colons_stands_in_brackets(store: Store, host: str, shown: str) -> None:
    assert ui_address(store, None, host=host, port=5099) == f"http://{shown}:5099/"
    known = store.experiment("kitchen")
    found = ui_address(store, "kitchen", host=host, port=5099)
    assert found.startswith(f"http://{shown}:5099/#/experiments/{known}/runs")
