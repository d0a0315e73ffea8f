"""The engine stays readable: short functions, and a decision that reads as an ordered list."""

import ast
from pathlib import Path

import lambdas.rollout

ENGINE = Path(lambdas.rollout.__file__).parent
LONGEST_BODY, SHARE = 20, 0.9


def body_lines(function: ast.FunctionDef) -> int:
    """Return how many lines a function's body has, its docstring apart."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_nine_of_ten_function_bodies_are_short() -> None:
    trees = [ast.parse(path.read_text()) for path in ENGINE.rglob("*.py")]
    lengths = [body_lines(node) for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert len(lengths) > 300
    assert sum(length <= LONGEST_BODY for length in lengths) / len(lengths) >= SHARE
