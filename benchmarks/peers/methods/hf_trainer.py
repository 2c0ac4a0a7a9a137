"""Fine-tuning with Hugging Face's Trainer and its default arguments, one model a task.

AutoModelForSequenceClassification on the project's encoder: 3 passes, batches of 8, AdamW with a
learning rate of 5e-5 falling to zero. Nothing is chosen here but what the task needs.
"""

from __future__ import annotations

import tempfile

import numpy as np
import torch
from datasets import Dataset, disable_progress_bars
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    PreTrainedTokenizerBase,
    Trainer,
    TrainingArguments,
    set_seed,
)
from transformers.utils import logging

from benchmarks.peers.exchange import Array, PeerTask, Predictor, Work

TOKENS = 128
"""The shipped model reads as many."""


def fit(work: Work) -> Predictor:
    """Train one model a task."""
    disable_progress_bars()
    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(work.encoder)
    trainers = {name: _train(work, name, tokenizer) for name in work.tasks}

    def predict(texts: list[str]) -> dict[str, Array]:
        rows = _tokenised(texts, tokenizer)
        return {
            name: _probabilities(trainers[name].predict(rows).predictions, task)
            for name, task in work.tasks.items()
        }

    return predict


def _train(work: Work, name: str, tokenizer: PreTrainedTokenizerBase) -> Trainer:
    set_seed(work.seed)
    task = work.tasks[name]
    texts, given = work.known(name)
    labels = given.astype(np.float32).tolist() if task.several else given.argmax(axis=1).tolist()
    model = AutoModelForSequenceClassification.from_pretrained(
        work.encoder,
        num_labels=len(task.labels),
        problem_type="multi_label_classification"
        if task.several
        else "single_label_classification",
    )
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            output_dir=scratch,
            seed=work.seed,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
        )
        trainer = Trainer(
            model=model,
            args=arguments,
            train_dataset=_tokenised(texts, tokenizer).add_column("labels", labels),
            data_collator=DataCollatorWithPadding(tokenizer),
            processing_class=tokenizer,
        )
        trainer.train()
    return trainer


def _tokenised(texts: list[str], tokenizer: PreTrainedTokenizerBase) -> Dataset:
    return Dataset.from_dict(dict(tokenizer(texts, truncation=True, max_length=TOKENS)))


def _probabilities(logits: Array, task: PeerTask) -> Array:
    scores = torch.from_numpy(np.asarray(logits, dtype=np.float64))
    return (scores.sigmoid() if task.several else scores.softmax(dim=1)).numpy()
