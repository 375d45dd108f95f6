"""Signatures can be read: short, without addresses in memory, and with the shape of every tensor."""

import ast
import inspect
import re
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest

import workbench
from workbench.credit import BACKPROPAGATION, READOUT_ONLY, summed_cross_entropy
from workbench.faces import short_repr
from workbench.kernels import NUMBA
from workbench.networks import Cells
from workbench.neurons import Factors, Neuron, hard_reset
from workbench.rules import BPTT, STLLR
from workbench.rules import __all__ as rules

FILES = [name for name in rules if inspect.ismodule(getattr(import_module("workbench.rules"), name))]

PARAMETERS = "neurons compression continual continual.methods credit data networks rules training"
FACES = [f"workbench.{room}" for room in PARAMETERS.split(" ")]


def shown(function) -> str:
    """The signature as it is written in the file: names without their modules."""
    return re.sub(r"\b(?:[a-z_]\w*\.)+(?=\w)", "", f"{function.__name__}{inspect.signature(function)}")


@pytest.mark.parametrize("name", FILES)
def test_the_signatures_of_a_rule_can_be_read(name):
    module = import_module(f"workbench.rules.{name}")
    for function in (module.gradients, getattr(module, "online", module.gradients)):
        assert len(shown(function)) < 200, shown(function)
        assert " at 0x" not in str(inspect.signature(function))


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        (STLLR(), "STLLR()"),
        (Neuron(0.8), "Neuron(decay=0.8)"),
        (Neuron(0.5, threshold=1), "Neuron(threshold=1)"),
        (STLLR(Factors(alpha_post=0.0), last_steps=5), "STLLR(factors=Factors(alpha_post=0.0), last_steps=5)"),
        (BPTT(loss=max), "BPTT(loss=max)"),
        (STLLR(signal=READOUT_ONLY), "STLLR(signal=Signal(teach=backpropagate, cut=True))"),
        (BPTT(loss=partial(summed_cross_entropy, y=1)), "BPTT(loss=partial(summed_cross_entropy, y=1))"),
        (Cells(Neuron(), reset=hard_reset), "Cells(neuron=Neuron(), reset=hard_reset)"),
    ],
)
def test_parameters_show_what_differs_from_the_defaults(parameters, text):
    assert repr(parameters) == text


def test_parameters_show_no_address():
    assert " at 0x" not in repr((BACKPROPAGATION, NUMBA, STLLR(kernels=NUMBA), Cells()))


def test_every_tuple_that_needs_no_argument_has_the_short_form():
    """It is a tuple of parameters, or says here why it is none."""
    others = {
        "EventCamera": "its text is the name of a file of simulated recordings, so every field stands in it",
        "Locality": "a claim in words",
        "Place": "where a run was when it was saved",
    }
    for name, each in (
        (name, getattr(module, name)) for module in map(import_module, FACES) for name in module.__all__
    ):
        if inspect.isclass(each) and getattr(each, "_fields", ()) and set(each._fields) == set(each._field_defaults):
            assert each.__repr__ is short_repr or name in others, f"write `__repr__ = short_repr` into {name}"


TENSORS = {"Tensor", "torch.Tensor", "np.ndarray"}
SOURCES = sorted(Path(workbench.__file__).parent.rglob("*.py"))


def without_shape(annotation: ast.expr | None) -> bool:
    """Whether a tensor stands in an annotation without its shape; what a `Callable` takes is said in its own words."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return without_shape(ast.parse(annotation.value, mode="eval").body)
    if annotation is None or ast.unparse(annotation) in TENSORS:
        return annotation is not None
    if isinstance(annotation, ast.Subscript):
        parts = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        has_shape = len(parts) == 2 and isinstance(parts[1], ast.Constant) and isinstance(parts[1].value, str)
        called = ast.unparse(annotation.value) == "Callable"
        return not (has_shape or called) and any(map(without_shape, parts))
    return any(without_shape(child) for child in ast.iter_child_nodes(annotation) if isinstance(child, ast.expr))


def shapeless(tree: ast.Module | ast.ClassDef, place: str = "") -> Iterator[str]:
    """Public arguments, results and fields of a module that hold a tensor and do not say its shape."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from shapeless(node, f"{node.name}.")
        elif isinstance(node, ast.AnnAssign) and isinstance(tree, ast.ClassDef) and without_shape(node.annotation):
            yield f"{place}{ast.unparse(node.target)}"
        elif isinstance(node, ast.FunctionDef) and (not node.name.startswith("_") or node.name == "__init__"):
            arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            arguments += [each for each in (node.args.vararg, node.args.kwarg) if each]
            yield from (f"{place}{node.name}({each.arg})" for each in arguments if without_shape(each.annotation))
            if without_shape(node.returns):
                yield f"the result of {place}{node.name}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(SOURCES[0].parent)))
def test_every_public_tensor_says_its_shape(path):
    found = list(shapeless(ast.parse(path.read_text("utf-8"))))
    assert not found, f'write Float[Tensor, "time batch n"] or the like, "..." where any shape will do: {found}'


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f(x: Tensor): ...", ["f(x)"]),
        ('def f(x: Float[Tensor, "batch n"]) -> Tensor: ...', ["the result of f"]),
        ('def f(x: "Tensor | None", *y: Shaped[Tensor, "..."]): ...', ["f(x)"]),
        ("def f(x: list[tuple[np.ndarray, int]]): ...", ["f(x)"]),
        ("def f(x: Callable[[Tensor], Tensor]): ...", []),
        ("def _f(x: Tensor): ...", []),
        ("class A:\n    x: Tensor\n    def g(self, *y: Tensor | None): ...", ["A.x", "A.g(y)"]),
        ("class _A:\n    x: Tensor", []),
    ],
)
def test_a_tensor_without_shape_is_found_wherever_it_stands(source, found):
    assert list(shapeless(ast.parse(source))) == found
