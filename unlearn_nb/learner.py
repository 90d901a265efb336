"""Moved, see `homes`; these names go with the next release"""

from .core import moved

homes = ('unlearn', 'method', 'outcome', 'engine', 'recipe', 'step_size', 'task', 'vision.learner')
__getattr__ = moved(__name__, *homes)
