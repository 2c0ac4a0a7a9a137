"""Write the network of an int8 ensemble anew as `stance promote` exports today, and compare both.

    mkdir OLD && git archive 45449b7 models/default | tar -x -C OLD
    python experiments/quality/exported_anew.py OLD/models/default LABELLED...

The network shipped until 029963d was made in this way from the one before, whose trained checkpoint
was not kept (check that commit out to see it equal; today's comes out of training):
the int8 matrices are turned back into floats, which round to the same bytes again. Printed are
whether the result is the network in models/default byte for byte, and on the sentences of the
labelled files which share of the decisions (one a sentence and task) differ between the two
bundles, and the processor seconds that each takes, in turns.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from transformers import AutoConfig

from pipeline.bundle import Bundle, load_bundle
from pipeline.bundle.export import export_int8, measure_parity
from pipeline.classifiers.encoder import resolve_encoder
from pipeline.classifiers.network import MultitaskConfig, MultitaskNetwork
from pipeline.classifiers.onnx import MODEL_FILE
from pipeline.codebook import Codebook
from pipeline.records import Sentence
from pipeline.settings.classifiers import EncoderSettings
from pipeline.workflows.scoring import read_documents, sentences_of
from pipeline.workflows.watcher import Silent

SHIPPED, NETWORK = Path("models/default"), Path("classifier/1-onnx") / MODEL_FILE
ROUNDS = 3


def turned_back(path: Path, codebook: Codebook) -> MultitaskNetwork:
    """Return the float network whose int8 export is at `path`."""
    graph = onnx.load(path).graph
    stored = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    maker = {name: node for node in graph.node for name in node.output}
    weights = {name: one for name, one in stored.items() if name.startswith(("encoder.", "heads."))}
    for name in [name for name in weights if name.endswith(".rows")]:
        scale = weights.pop(f"{name.removesuffix('.rows')}.row_scale")
        weights[name.removesuffix(".rows")] = weights.pop(name).astype(np.float32) * scale
    for node in graph.node:  # a layer is a product, times the scale of its rows, plus a bias
        bias = next((name for name in node.input if name.endswith(".bias")), None)
        if node.op_type != "Add" or bias not in stored:
            continue
        (scaled,) = (name for name in node.input if name != bias)
        product = maker[maker[scaled].input[0]]
        matrix = stored[product.input[1]].astype(np.float32) * stored[product.input[3]]
        weights[f"{bias.removesuffix('.bias')}.weight"] = matrix.T
    weights.pop("encoder.embeddings.position_ids")
    encoder = AutoConfig.from_pretrained(resolve_encoder(EncoderSettings())).to_dict()
    heads = [(name, len(task.labels)) for name, task in codebook.tasks.items()]
    network = MultitaskNetwork(MultitaskConfig(encoder=encoder, heads=heads))
    tensors = {name: torch.from_numpy(np.array(one)) for name, one in weights.items()}
    network.load_state_dict(tensors)
    return network.eval()


def seconds(bundles: list[Bundle], sentences: list[Sentence]) -> list[float]:
    """Return the median processor time of each."""
    taken: list[list[float]] = [[] for _ in bundles]
    for _ in range(ROUNDS):
        for bundle, times in zip(bundles, taken, strict=True):
            begun = time.process_time()
            bundle.classifier.predict_logits(sentences)
            times.append(time.process_time() - begun)
    return [statistics.median(times) for times in taken]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("labelled", type=Path, nargs="+")
    options = parser.parse_args()
    old, new = load_bundle(options.old), load_bundle(SHIPPED)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / MODEL_FILE
        export_int8(turned_back(options.old / NETWORK, old.codebook), made, "logits")
        same = made.read_bytes() == (SHIPPED / NETWORK).read_bytes()
    print(f"{SHIPPED / NETWORK}: {'the same bytes' if same else 'other bytes'}")
    documents = read_documents(options.labelled, new.codebook, Silent())
    sentences = [one.sentence for one in sentences_of(documents)]
    parity = measure_parity(old.classifier, new.classifier, sentences, new.rule, new.codebook)
    print(f"{parity.sentences:,} sentences, {parity.flipped:.2%} of the decisions differ")
    before, now = seconds([old, new], sentences)
    print(f"processor seconds: {before:.1f} before, {now:.1f} now, {now / before:.2f} times")


if __name__ == "__main__":
    main()
