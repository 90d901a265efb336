"""Benchmarks: a grid, its cells, their results. Written by hand: nbdev makes no `__init__` of a room."""

from ..core import moved

# names of the module that this room was, for one release
__getattr__ = moved(
    __name__,
    'bench.scores',
    'bench.grid',
    'bench.cells',
    'bench.planning',
    'bench.running',
    'bench.results',
    'bench.figures',
)
