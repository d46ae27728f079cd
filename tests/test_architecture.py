"""The house as docs/architecture.md draws it: imports only go down, no circles, sizes that read well."""

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "gradgan"
_STOREYS = (
    ("core",),
    ("alarm",),
    ("losses", "penalties", "control", "networks", "data", "metrics", "report", "testing", "engine"),
    ("training",),
    ("systems",),
    ("experiment",),
    ("bench",),
    ("comparison", "tuning"),
    ("cli",),
)
FLOOR = {room: floor for floor, rooms in enumerate(_STOREYS) for room in rooms}
FILES = sorted(SOURCE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0] if path.parent != SOURCE else ""


def imports(path: Path) -> set[tuple[str, str]]:
    """(room, dotted module) of every import of gradgan in a file, also those within functions."""
    found = set()
    package = ("gradgan", *path.relative_to(SOURCE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "gradgan" and len(parts) > 1 and parts[1] in FLOOR:
                found.add((parts[1], name))
    return found


@pytest.mark.parametrize("path", [p for p in FILES if room_of(p)], ids=lambda p: str(p.relative_to(SOURCE)))
def test_imports_only_go_down_and_rooms_of_one_floor_do_not_meet(path):
    here = room_of(path)
    for room, name in imports(path):
        assert room == here or FLOOR[room] < FLOOR[here], f"{here} imports {name}"


def test_training_and_engine_know_no_part():
    parts = {"losses", "penalties", "control", "networks", "data", "metrics", "report"}
    for path in FILES:
        if room_of(path) in ("training", "engine", "core"):
            assert not {room for room, _ in imports(path)} & parts, path


def test_no_file_imports_itself_in_a_circle():
    modules = {".".join(("gradgan", *p.relative_to(SOURCE).with_suffix("").parts)): p for p in FILES}
    arrows = {}
    for name, path in modules.items():
        if name.endswith("__init__"):
            continue
        targets = {full for _, full in imports(path)} | {full.rpartition(".")[0] for _, full in imports(path)}
        arrows[name] = {t for t in targets if t in modules and t != name}

    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        if name not in done:
            for target in arrows.get(name, ()):
                visit(target, (*trail, name))
            done.add(name)

    for name in arrows:
        visit(name, ())


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_sizes_and_first_lines(path):
    text = path.read_text()
    tree = ast.parse(text)
    assert ast.get_docstring(tree) and text.startswith('"""'), "the first line says what the file is for"
    assert len(text.splitlines()) <= 400
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno - node.lineno < 60, node.name  # type: ignore


def test_create_graph_is_written_once():
    holders = [p for p in FILES if "create_graph=True" in "".join(code_lines(p))]
    # The loop by hand is what others write; it is measured, never used.
    assert [str(p.relative_to(SOURCE)) for p in holders] == ["bench/by_hand.py", "core/gradients.py"]


def code_lines(path: Path) -> list[str]:
    """The lines without docstrings and comments."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            node.value.value = ""
    return [ast.unparse(tree)]


def test_every_room_and_every_module_is_in_the_picture():
    picture = (SOURCE.parents[1] / "docs" / "architecture.md").read_text().split("```")[1]
    drawn = {
        room: set(re.findall(r"\w+", text)) for room, text in re.findall(r"^(\w+)/((?:.*\n(?=\s))*.*)", picture, re.M)
    }
    missing = [
        str(path.relative_to(SOURCE))
        for path in FILES
        if room_of(path) and path.stem != "__init__" and path.stem not in drawn.get(room_of(path), ())
    ]
    assert missing == []
