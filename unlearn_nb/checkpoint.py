"""Moved, see `homes`; these names go with the next release"""

from .core import moved

homes = ('vision.checkpoint',)
__getattr__ = moved(__name__, *homes)
