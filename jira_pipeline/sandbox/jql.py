"""JQL: text to a syntax tree.

Grammar after Atlassian's "Advanced searching": clauses joined with AND, OR, NOT and parentheses, then ORDER BY.
History operators (WAS, CHANGED) are recognised and refused, since nothing that reads a site in bulk sends them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

OperandKind = Literal["word", "quoted", "number", "function", "empty"]
Operator = Literal["=", "!=", ">", ">=", "<", "<=", "~", "!~", "in", "not in", "is", "is not"]


class JqlError(Exception):
    """The query is refused: Jira answers 400 with this message."""


@dataclass(frozen=True)
class Operand:
    """A value to compare with. A number without quotes is not the same as one in quotes: see dates."""

    kind: OperandKind
    text: str


@dataclass(frozen=True)
class Clause:
    """One comparison, for instance `updated >= 1790584137824`."""

    field: str
    operator: Operator
    operands: tuple[Operand, ...]


@dataclass(frozen=True)
class Junction:
    """Conditions joined with `and` or `or`."""

    kind: Literal["and", "or"]
    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Negation:
    """A condition that must not hold."""

    part: Condition


Condition = Clause | Junction | Negation


@dataclass(frozen=True)
class OrderTerm:
    """One field of ORDER BY."""

    field: str
    descending: bool


@dataclass(frozen=True)
class Query:
    """A parsed query; `where` is None when nothing restricts the search."""

    where: Condition | None
    order: tuple[OrderTerm, ...]


_TOKEN = re.compile(
    r"""\s*(?:
      (?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<operator>!=|>=|<=|!~|=|>|<|~|\(|\)|,)
    | (?P<symbol>&&|\|\||!)
    | (?P<word>[^\s()=!<>~,"'&|]+)
    )""",
    re.VERBOSE,
)
_SYMBOLS = {"&&": "and", "||": "or", "!": "not"}
_RESERVED_WORDS = """
abort access add after alias all alter and any are as asc at audit avg be before begin between boolean break
by byte catch cf char character check checkpoint collate collation column commit connect continue count create
current date decimal declare decrement default defaults define delete delimiter desc difference distinct
divide do double drop else empty encoding end equals escape exclusive exec execute exists explain false fetch
file field first float for from function go goto grant greater group having identified if immediate in
increment index initial inner inout input insert int integer intersect intersection into is isempty isnull
join last left less like limit lock long max min minus mode modify modulo more multiply next noaudit not notin
nowait null number object of on option or order outer output power previous prior privileges public raise raw
remainder rename resource return returns revoke right row rowid rownum rows select session set share size sqrt
start strict string subtract sum synonym table then to trans transaction trigger true uid union unique update
user validate values view when whenever where while with
"""
_RESERVED = frozenset(_RESERVED_WORDS.split())
_COMPARISONS = ("!=", ">=", "<=", "!~", "=", ">", "<", "~")
_MAX_ORDER_TERMS = 7


def parse(text: str) -> Query:
    """The tree of a JQL text. Raises JqlError with Jira's kind of message when it is not JQL."""
    return _Parser(_tokens(text)).query()


def is_bare_text(text: str) -> bool:
    """Whether the text holds words only, which Jira Cloud takes for a text search instead of refusing it."""
    return re.fullmatch(r"[\w\s]+", text) is not None and not re.search(r"(?i)\b(and|or|not|in|order by)\s*$", text)


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise JqlError(
                f"Error in the JQL Query: The character '{text[position:].strip()[:1]}' is a reserved JQL "
                "character. You must enclose it in a string or use the escape."
            )
        kind = str(match.lastgroup)
        value = match.group(kind)
        if kind == "quoted":
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        elif kind == "symbol":
            kind, value = "word", _SYMBOLS[value]
        tokens.append((kind, value))
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent over the tokens of one query."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def query(self) -> Query:
        where = None if self._ends() or self._sees_word("order") else self._either()
        order: tuple[OrderTerm, ...] = ()
        if self._takes_word("order"):
            self._must_take_word("by")
            order = self._order_terms()
        if not self._ends():
            raise JqlError(f"Error in the JQL Query: Expecting either 'OR' or 'AND' but got '{self._peek()[1]}'.")
        return Query(where, order)

    def _either(self) -> Condition:
        parts = [self._both()]
        while self._takes_word("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Junction("or", tuple(parts))

    def _both(self) -> Condition:
        parts = [self._negatable()]
        while self._takes_word("and"):
            parts.append(self._negatable())
        return parts[0] if len(parts) == 1 else Junction("and", tuple(parts))

    def _negatable(self) -> Condition:
        if self._takes_word("not"):
            return Negation(self._negatable())
        if self._takes_operator("("):
            inner = self._either()
            self._must_take_operator(")")
            return inner
        return self._clause()

    def _clause(self) -> Condition:
        field = self._field_name()
        kind, value = self._peek()
        if kind == "operator" and value in _COMPARISONS:
            self._at += 1
            return Clause(field, value, (self._operand(),))  # type: ignore[arg-type]
        if self._takes_word("in"):
            return Clause(field, "in", self._operand_list())
        if self._takes_word("not"):
            self._must_take_word("in")
            return Clause(field, "not in", self._operand_list())
        if self._takes_word("is"):
            negated = self._takes_word("not")
            operand = self._operand()
            if operand.kind != "empty":
                raise JqlError("Error in the JQL Query: The operator 'is' can only be used with EMPTY or NULL.")
            return Clause(field, "is not" if negated else "is", (operand,))
        if value.lower() in ("was", "changed"):
            raise JqlError(f"History searches do not support the '{field}' field.")
        raise JqlError(
            f"Error in the JQL Query: Expecting operator but got '{value}'. The valid operators are '=', '!=', '<', "
            "'>', '<=', '>=', '~', '!~', 'IN', 'NOT IN', 'IS' and 'IS NOT'."
        )

    def _field_name(self) -> str:
        kind, value = self._take()
        if kind == "operator":
            raise JqlError(f"Error in the JQL Query: Expecting a field name but got '{value}'.")
        if kind == "word" and value.lower() in _RESERVED:
            raise _reserved(value)
        return value

    def _operand_list(self) -> tuple[Operand, ...]:
        self._must_take_operator("(")
        operands = [self._operand()]
        while self._takes_operator(","):
            operands.append(self._operand())
        self._must_take_operator(")")
        return tuple(operands)

    def _operand(self) -> Operand:
        kind, value = self._take()
        if kind == "quoted":
            return Operand("quoted", value)
        if kind == "operator":
            raise JqlError(f"Error in the JQL Query: Expecting a value, list or function but got '{value}'.")
        if value.lower() in ("empty", "null"):
            return Operand("empty", value)
        if value.lower() in _RESERVED:
            raise _reserved(value)
        if self._takes_operator("("):
            self._must_take_operator(")")
            return Operand("function", value)
        if re.fullmatch(r"-?\d+", value):
            return Operand("number", value)
        return Operand("word", value)

    def _order_terms(self) -> tuple[OrderTerm, ...]:
        terms: list[OrderTerm] = []
        while True:
            field = self._field_name()
            descending = self._takes_word("desc")
            if not descending:
                self._takes_word("asc")
            terms.append(OrderTerm(field, descending))
            if not self._takes_operator(","):
                break
        if len(terms) > _MAX_ORDER_TERMS:
            raise JqlError(f"The maximum number of fields in ORDER BY is {_MAX_ORDER_TERMS}.")
        return tuple(terms)

    def _ends(self) -> bool:
        return self._at >= len(self._tokens)

    def _peek(self) -> tuple[str, str]:
        return ("end", "(end of query)") if self._ends() else self._tokens[self._at]

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        if token[0] == "end":
            raise JqlError("Error in the JQL Query: The query ends where a field, operator or value is expected.")
        self._at += 1
        return token

    def _sees_word(self, word: str) -> bool:
        kind, value = self._peek()
        return kind == "word" and value.lower() == word

    def _takes_word(self, word: str) -> bool:
        taken = self._sees_word(word)
        self._at += taken
        return taken

    def _must_take_word(self, word: str) -> None:
        if not self._takes_word(word):
            raise JqlError(f"Error in the JQL Query: Expecting '{word.upper()}' but got '{self._peek()[1]}'.")

    def _takes_operator(self, operator: str) -> bool:
        taken = self._peek() == ("operator", operator)
        self._at += taken
        return taken

    def _must_take_operator(self, operator: str) -> None:
        if not self._takes_operator(operator):
            raise JqlError(f"Error in the JQL Query: Expecting '{operator}' but got '{self._peek()[1]}'.")


def _reserved(word: str) -> JqlError:
    return JqlError(
        f"Error in the JQL Query: '{word}' is a reserved JQL word. You must surround it in quotation marks to use it "
        "in a query."
    )
