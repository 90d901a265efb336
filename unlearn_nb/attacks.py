"""Until 0.1 the home of membership attacks; now in the room `metrics`. Goes with the next release"""
# Written by hand: nbdev exports only into modules that a notebook defines

from .core import moved

__getattr__ = moved(
    __name__,
    'metrics.attacks',
    'metrics.lira',
    'metrics.challenge',
)
