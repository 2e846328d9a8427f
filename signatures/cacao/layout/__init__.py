"""Layered drawing of directed graphs without circles, from above to below (Sugiyama's method in four steps).

Pure and deterministic: the same graph in the same order is placed the same. Knows no playbooks and no SVG.
"""

from signatures.cacao.layout.graph import GraphTooLargeError, Layout, Size
from signatures.cacao.layout.placing import lay_out

__all__ = ["GraphTooLargeError", "Layout", "Size", "lay_out"]
