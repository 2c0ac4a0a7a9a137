"""Statements into sentences: blocks first, then the sentences inside each block."""

from pipeline.segmentation.blocks import Block, find_blocks
from pipeline.segmentation.sentences import split_sentences
from pipeline.segmentation.statement import segment

__all__ = ["Block", "find_blocks", "segment", "split_sentences"]
