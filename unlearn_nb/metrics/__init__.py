"""How much was forgotten; the names that were here until 0.1 are in the modules of this room"""
# Written by hand: nbdev exports only into modules that a notebook defines

from ..core import moved

__getattr__ = moved(
    __name__,
    'metrics.accuracy',
    'metrics.likeness',
    'metrics.relearn',
    'metrics.scores',
)
