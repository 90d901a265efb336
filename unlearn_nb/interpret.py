"""Until 0.1 the home of pictures of a request; now `vision.interpret`. Goes with the next release"""
# Written by hand: nbdev exports only into modules that a notebook defines

from .core import moved

__getattr__ = moved(
    __name__,
    'vision.interpret',
)
