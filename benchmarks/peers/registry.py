"""The peers: what each is called, its module, and whether it needs the environment of its own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
_SHARED = ("methods/regression.py", "exchange.py", "run_peer.py", "requirements.txt")


@dataclass(frozen=True)
class Peer:
    """One method that is compared with the shipped classifier."""

    title: str
    module: str
    own_environment: bool

    def code(self) -> str:
        """Return a hash of what a result depends on, so that those of other code are not reused."""
        sources = [_HERE / "methods" / f"{self.module}.py", *(_HERE / name for name in _SHARED)]
        return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()


PEERS = {
    "tfidf": Peer("TF-IDF, logistic regression", "tfidf", own_environment=False),
    "fasttext": Peer("fastText", "fast_text", own_environment=True),
    "spacy": Peer("spaCy textcat", "spacy_textcat", own_environment=True),
    "static": Peer("static embeddings (model2vec)", "static_embeddings", own_environment=True),
    "setfit": Peer("SetFit", "set_fit", own_environment=True),
    "trainer": Peer("Hugging Face Trainer", "hf_trainer", own_environment=False),
}
