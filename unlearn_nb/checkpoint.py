"""Moved; these names go with the next release. Written by hand, as nbdev exports only what a notebook defines"""

from .core import moved

__getattr__ = moved(
    __name__,
    'model_file',
    'vision.checkpoint',
)
