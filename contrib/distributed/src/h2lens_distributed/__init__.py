"""Capture points × parts as Dask tasks: each part is one h2lens process, each capture point one merged result."""

from .points import Point, expand
from .run import Plan, Summary, run

__all__ = ["Plan", "Point", "Summary", "expand", "run"]
