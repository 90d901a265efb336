"""Moved to `unlearn_nb.bench.stats`; this name stays for one release. Written by hand, see nbs/05_moved_bench.ipynb"""

from .core import moved

__getattr__ = moved(__name__, 'bench.stats')
