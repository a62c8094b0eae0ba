"""No code from data: nothing in the package runs what a file holds, or prints and exits by itself."""

from __future__ import annotations

import ast

from tests.house.source import FILES, PACKAGE, called, imported, name, tree

FORBIDDEN_MODULES = ("pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "jsonpickle", "telnetlib")
FORBIDDEN_CALLS = (
    "eval",
    "exec",
    "compile",
    "__import__",
    "torch.load",
    "torch.save",
    "torch.jit.load",
    "yaml.load",
    "yaml.unsafe_load",
    "yaml.full_load",
    "pd.read_pickle",
    "pandas.read_pickle",
    "os.system",
    "os.popen",
    "np.random.seed",
    "torch.manual_seed",
    "random.seed",
)


def test_nothing_runs_code_from_data() -> None:
    modules = [
        f"{name(path, node)} {module}"
        for path in FILES
        for module, node in imported(path)
        if module.split(".")[0] in FORBIDDEN_MODULES
    ]
    calls = [
        f"{name(path, node)} {call}" for path in FILES for call, node in called(path) if call in FORBIDDEN_CALLS
    ]
    assert modules == [] and calls == []


def test_pickles_and_shells_are_never_allowed() -> None:
    for path in FILES:
        for call, node in called(path):
            words = {word.arg: word.value for word in node.keywords}
            allowed = words.get("allow_pickle")
            assert allowed is None or (isinstance(allowed, ast.Constant) and allowed.value is False), name(
                path, node
            )
            assert allowed is not None or call not in ("np.load", "numpy.load"), (
                f"{name(path, node)}: allow_pickle?"
            )
            assert "shell" not in words, name(path, node)


def test_only_the_command_line_prints_and_exits() -> None:
    loud = ("print", "sys.exit", "exit", "quit", "os._exit", "sys.stdout.write", "warnings.simplefilter")
    below = [path for path in FILES if not path.is_relative_to(PACKAGE / "cli")]
    assert [f"{name(path, node)} {call}" for path in below for call, node in called(path) if call in loud] == []


def test_random_numbers_come_from_named_generators() -> None:
    loose = ("np.random.", "numpy.random.", "random.")
    found = [
        f"{name(path, node)} {call}"
        for path in FILES
        for call, node in called(path)
        if call.startswith(loose) and path != PACKAGE / "base" / "rng.py"
    ]
    assert found == []


def test_asserts_only_tell_the_type_checker_what_is_known() -> None:
    """``assert isinstance(x, T)`` and ``assert x is not None`` narrow a type; faults of users are raised."""
    asserts = [(path, node) for path in FILES for node in ast.walk(tree(path)) if isinstance(node, ast.Assert)]
    assert [name(path, node) for path, node in asserts if not _narrows(node.test)] == []


def _narrows(test: ast.expr) -> bool:
    if isinstance(test, ast.BoolOp):
        return all(_narrows(part) for part in test.values)
    if isinstance(test, ast.Call):
        return ast.unparse(test.func) == "isinstance"
    return isinstance(test, ast.Compare) and [type(operator) for operator in test.ops] == [ast.IsNot]
