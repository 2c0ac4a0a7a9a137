"""Compare our fine-tuning loop with Hugging Face's Trainer on the same sentences, in turns.

    python -m benchmarks.speed.training [--sentences 1500] [--rounds 2]

Both fine-tune the packaged encoder with the same heads, loss, precision and learning rate for one
pass over the same sentences of the training corpus; the Trainer groups by length as well. Prints
sentences a second and the median of the ratios; nothing is kept.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from transformers import AutoConfig, AutoModel, Trainer, TrainingArguments

from pipeline.classifiers.encoder import resolve_encoder
from pipeline.classifiers.finetuning import finetune, preferred_dtype
from pipeline.classifiers.network import MultitaskConfig, MultitaskNetwork
from pipeline.classifiers.protocol import QUIET
from pipeline.classifiers.targets import Targets, encode_targets
from pipeline.classifiers.tokenization import SentenceTokenizer, pad
from pipeline.codebook import Codebook, TaskType, load_codebook
from pipeline.labelling import read_labelled
from pipeline.settings.classifiers import TransformerSettings

BATCH = 32
"""Sentences a batch of the Trainer: about what 1,200 tokens hold."""


class MultitaskTrainer(Trainer):
    """The Trainer with the loss of our loop."""

    codebook: Codebook

    def compute_loss(self, model, inputs, return_outputs=False, **_):  # type: ignore[no-untyped-def]
        """Return the sum over labels of the stances' loss plus that of the claims."""
        targets = inputs.pop("targets")
        logits = model(**inputs).float()
        loss = logits.new_zeros(())
        for name, task in self.codebook.tasks.items():
            part = self.codebook.slice_of(name)
            if task.type is TaskType.MULTILABEL:
                each = torch.nn.functional.binary_cross_entropy_with_logits(
                    logits[:, part], targets[:, part], reduction="none"
                )
                loss = loss + each.sum(dim=1).mean()
            else:
                wanted = targets[:, part].argmax(dim=1)
                loss = loss + torch.nn.functional.cross_entropy(logits[:, part], wanted)
        return (loss, logits) if return_outputs else loss


def new_network(folder: Path, codebook: Codebook) -> MultitaskNetwork:
    """Return the packaged encoder with untrained heads."""
    torch.manual_seed(0)
    heads = [(name, len(task.labels)) for name, task in codebook.tasks.items()]
    configuration = AutoConfig.from_pretrained(folder).to_dict()
    network = MultitaskNetwork(MultitaskConfig(encoder=configuration, heads=heads))
    encoder = AutoModel.from_pretrained(folder, dtype=torch.float32)
    network.encoder.load_state_dict(encoder.state_dict(), strict=False)
    network.encoder.get_input_embeddings().requires_grad_(False)
    return network


def with_trainer(network, encodings, targets: Targets, codebook: Codebook, scratch: str) -> None:  # type: ignore[no-untyped-def]
    """Fine-tune with the Trainer for one pass."""
    rows = [{"input_ids": e.ids, "length": len(e.ids), "row": i} for i, e in enumerate(encodings)]

    def collate(batch: list[dict[str, int]]) -> dict[str, torch.Tensor]:
        picked = [row["row"] for row in batch]
        arrays = pad([encodings[i] for i in picked])
        return {
            **{name: torch.from_numpy(array) for name, array in arrays.items()},
            "targets": torch.from_numpy(targets[picked]),
        }

    arguments = TrainingArguments(
        output_dir=scratch,
        num_train_epochs=1,
        per_device_train_batch_size=BATCH,
        learning_rate=2e-4,
        bf16=preferred_dtype(TransformerSettings()) is torch.bfloat16,
        use_cpu=True,
        train_sampling_strategy="group_by_length",
        remove_unused_columns=False,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        logging_strategy="no",
    )
    trainer = MultitaskTrainer(
        model=network, args=arguments, train_dataset=rows, data_collator=collate
    )
    trainer.codebook = codebook
    trainer.train()


def main() -> None:
    """Run both in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    codebook = load_codebook(Path("configs/codebook.yaml"))
    documents, _ = read_labelled(Path("seeds/corpus/register.jsonl"), codebook)
    labelled = [one for document in documents for one in document.sentences]
    picked = np.random.default_rng(0).permutation(len(labelled))[: options.sentences]
    rows = [labelled[i] for i in picked]
    settings = TransformerSettings(epochs=1)
    folder = resolve_encoder(settings.encoder)
    tokenizer = SentenceTokenizer.from_folder(folder, max_tokens=128, context=False)
    encodings = tokenizer.encode([one.sentence for one in rows])
    targets = encode_targets(rows, codebook)
    pairs = []
    for _ in range(options.rounds):
        network = new_network(folder, codebook)
        begun = time.perf_counter()
        finetune(network, [encodings], targets, codebook, settings, seed=0, monitor=QUIET)
        ours = time.perf_counter() - begun
        network = new_network(folder, codebook)
        with tempfile.TemporaryDirectory() as scratch:
            begun = time.perf_counter()
            with_trainer(network, encodings, targets, codebook, scratch)
        pairs.append((ours, time.perf_counter() - begun))
    n = len(rows)
    print(f"{n} sentences, {options.rounds} rounds in turns")
    print(f"{'our loop':20}{n / min(a for a, _ in pairs):8.0f} sentences/s")
    print(f"{'Trainer':20}{n / min(b for _, b in pairs):8.0f} sentences/s")
    print(f"ratio, median of rounds: {statistics.median(b / a for a, b in pairs):.2f}")


if __name__ == "__main__":
    main()
