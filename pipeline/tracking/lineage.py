"""What a run says of the data it used."""

from __future__ import annotations

from pipeline.tracking.store import Store


def data_digests(store: Store, run_id: str) -> dict[str, str]:
    """Return the digest of each data set that a run logged, by its use; see `digest_of`.

    Raises:
        OutputError: there is no such run or the store does not answer.
    """
    with store.reported(f"read the data of run {run_id}"):
        inputs = store.client.get_run(run_id).inputs
    found = inputs.dataset_inputs if inputs else []
    return {entry.dataset.name: entry.dataset.digest for entry in found}
