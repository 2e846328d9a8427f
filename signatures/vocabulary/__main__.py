"""Prints the vocabulary as the page docs/vocabulary.md: `python -m signatures.vocabulary`."""

from __future__ import annotations

import sys

from signatures.vocabulary.document import document
from signatures.vocabulary.reading import VOCABULARY

sys.stdout.write(document(VOCABULARY))
