"""Read off a module's text with which checks it can refuse."""

from __future__ import annotations

import ast


def refusals_in(source: str) -> set[str]:
    """Return the names of the checks that a module refuses with outside of its list of checks."""
    tree = ast.parse(source)
    makers = {"Rejected"} | {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and ast.unparse(node.returns or node) == "Rejected"
    }
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in makers
    ]
    first = [[a.value for a in call.args if isinstance(a, ast.Constant)][:1] for call in calls]
    return {str(name) for names in first for name in names if str(name).isidentifier()}
