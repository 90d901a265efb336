"""Moved, see `homes`; these names go with the next release"""

from .core import moved

homes = ('vision.models', 'engine')
__getattr__ = moved(__name__, *homes)
