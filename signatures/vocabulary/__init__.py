"""The vocabulary of LLM gateway logs: one data file, and what reads it."""

from signatures.vocabulary.reading import VOCABULARY, Field, FieldType, Privacy, Vocabulary, read_vocabulary

__all__ = ["VOCABULARY", "Field", "FieldType", "Privacy", "Vocabulary", "read_vocabulary"]
