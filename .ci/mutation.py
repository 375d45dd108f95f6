"""Mutants: one operator, comparison, number, truth value or sign of a source changed."""

import ast
import random
from collections.abc import Sequence
from inspect import CO_NEWLOCALS
from itertools import islice
from pathlib import Path
from types import CodeType
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


class Mutant(NamedTuple):
    """A file of the checkout, the number of the change in it, the line it stands in, and the line after the change."""

    path: str
    number: int
    line: int
    before: str
    after: str

    @property
    def name(self) -> str:
        return f"{self.path}: {self.before} -> {self.after}"


class Changer(ast.NodeTransformer):
    """Counts the places that can be changed, and changes number `wanted`."""

    def __init__(self, wanted: int = -1):
        self.wanted, self.seen, self.line = wanted, 0, 0

    def turn(self, node: ast.AST, line: int) -> bool:
        """Whether this is the place."""
        self.seen += 1
        if self.seen - 1 == self.wanted:
            self.line = line
            return True
        return False

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if type(node.op) in SWAPS and not is_text(node.left) and self.turn(node, node.lineno):
            node.op = SWAPS[type(node.op)]()  # pyright: ignore
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if type(node.op) in SWAPS and not is_text(node.value) and self.turn(node, node.lineno):
            node.op = SWAPS[type(node.op)]()  # pyright: ignore
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        self.generic_visit(node)
        if self.turn(node, node.lineno):
            node.op = SWAPS[type(node.op)]()  # pyright: ignore
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        for place, op in enumerate(node.ops):
            if type(op) in SWAPS and self.turn(node, node.lineno):
                node.ops[place] = SWAPS[type(op)]()  # pyright: ignore
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.USub | ast.Not) and self.turn(node, node.lineno):
            return node.operand
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        value = node.value
        if isinstance(value, bool) and self.turn(node, node.lineno):
            return ast.copy_location(ast.Constant(not value), node)
        if isinstance(value, int | float) and not isinstance(value, bool) and self.turn(node, node.lineno):
            return ast.copy_location(ast.Constant(value + 1 if isinstance(value, int) else value * 2 or 1.0), node)
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        return node if node.arg == "strict" else self.generic_visit(node)  # a guard of `zip` that never acts

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return node  # words

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id in ("Float", "Int", "Int64", "Bool", "Literal"):
            return node
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST:
        return node if "TYPE_CHECKING" in ast.unparse(node.test) else self.generic_visit(node)


def is_text(node: ast.AST) -> bool:
    """Whether something is put together of words."""
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def places_of(path: Path) -> int:
    """How many places of a file can be changed."""
    counter = Changer()
    counter.visit(ast.parse(path.read_text("utf-8")))
    return counter.seen


def mutant_of(path: Path, number: int) -> Mutant | None:
    """The mutant that changes place `number` of a file; None where the source reads the same after it."""
    tree, changer = ast.parse(path.read_text("utf-8")), Changer(number)
    plain = ast.unparse(tree).splitlines()
    changed = ast.unparse(changer.visit(tree)).splitlines()
    pairs = [(a.strip(), b.strip()) for a, b in zip(plain, changed, strict=False) if a != b]
    return Mutant(str(path.relative_to(ROOT)), number, changer.line, *pairs[0]) if pairs else None


def mutated(mutant: Mutant) -> str:
    """The source with the change."""
    tree = Changer(mutant.number).visit(ast.parse((ROOT / mutant.path).read_text("utf-8")))
    return ast.unparse(ast.fix_missing_locations(tree))


def unchanged(path: str) -> str:
    """The source as Python writes it, which differs from the mutated one in the change alone."""
    return ast.unparse(ast.parse((ROOT / path).read_text("utf-8")))


def at_import(mutant: Mutant) -> bool:
    """Whether what changes is executed when the module is imported: constants, defaults, fields."""

    def outside(code: CodeType) -> list:
        """What is executed of a code object and of the classes in it, without the functions."""
        inner = [each for each in code.co_consts if isinstance(each, CodeType) and not each.co_flags & CO_NEWLOCALS]
        plain = [repr(each) for each in code.co_consts if not isinstance(each, CodeType)]
        return [code.co_code, code.co_names, plain, *map(outside, inner)]

    return outside(compile(unchanged(mutant.path), "", "exec")) != outside(compile(mutated(mutant), "", "exec"))


def chosen_mutants(rooms: Sequence[str], wanted: int, seed: int) -> list[Mutant]:
    """So many mutants, drawn from all that there are in these rooms."""
    paths = [path for room in rooms for path in sorted((ROOT / "workbench" / room).rglob("*.py"))]
    places = [(path, number) for path in paths if path.name != "__init__.py" for number in range(places_of(path))]
    random.Random(seed).shuffle(places)
    every = (mutant for place in places if (mutant := mutant_of(*place)))
    return list(islice(every, wanted))
