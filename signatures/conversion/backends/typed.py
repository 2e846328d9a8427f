"""For languages in which a column has the type that the vocabulary gives its field, and `==` compares."""

from typing import ClassVar

from sigma.conversion.state import ConversionState
from sigma.types import SigmaBool, SigmaNumber

from signatures.conversion.backends.exact import Comparison, ExactBackend
from signatures.vocabulary import VOCABULARY, FieldType


class TypedBackend(ExactBackend):
    """Numbers and truth values are compared as such; `text_function` makes text of them."""

    text_function: ClassVar[str]

    def convert_condition_field_eq_val_num(self, cond: Comparison, state: ConversionState) -> str:
        """A number."""
        assert isinstance(cond.value, SigmaNumber)
        return f"{self.escape_and_quote_field(cond.field)} == {cond.value}"

    def convert_condition_field_eq_val_bool(self, cond: Comparison, state: ConversionState) -> str:
        """A truth value."""
        assert isinstance(cond.value, SigmaBool)
        return f"{self.escape_and_quote_field(cond.field)} == {str(cond.value.boolean).lower()}"

    def as_text(self, field: str) -> str:
        """A column that is no text is read as one."""
        known = VOCABULARY.fields.get(field)
        column = str(self.escape_and_quote_field(field))
        return column if known is None or known.type is FieldType.STRING else f"{self.text_function}({column})"
