"""The model folder: classifier, codebook, decision rule and card, sealed by hashes.

A training run and a shipped model are the same kind of folder; a shipped one holds only what runs
without the `train` extra.
"""

from pipeline.bundle.folder import Bundle, installed, load_bundle, write_bundle
from pipeline.bundle.manifest import BundleFacts, Figure, Manifest

__all__ = [
    "Bundle",
    "BundleFacts",
    "Figure",
    "Manifest",
    "installed",
    "load_bundle",
    "write_bundle",
]
