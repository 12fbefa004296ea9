"""Which modules and rooms of the library a file imports, read from its code."""

import ast
from pathlib import Path

# of design: a room imports only rooms of lower floors
FLOORS = {
    0: ("storage", "settings", "channels", "lettering"),
    1: (
        *("compute", "audio", "features", "augmentation", "demo", "folds", "networks", "graphs", "probabilities"),
        *("speech", "timelines", "naming", "annotations", "explaining"),
    ),
    2: ("adaptation", "corpora", "models", "evaluation", "streams"),
    3: ("audit", "fetching", "collecting", "encoders", "training", "fusion", "charts", "overview"),
    4: ("reporting", "prediction"),
    5: ("review", "exporting", "clip_pages"),
    6: ("experiments", "serving"),
    7: ("commands",),
}
FLOOR_OF = {room: floor for floor, rooms in FLOORS.items() for room in rooms}


def imported(file: Path, stages: Path) -> set[Path]:
    """Return the modules of ser below `stages` that a file imports, wherever in it, or that a stage names as a text.

    A trainer names the module of its models: where no model is fitted, none is imported.
    """
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif file.parent == stages and isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.add(node.value)
    paths = {stages.joinpath(*name.split(".")).with_suffix(".py") for name in names if name.startswith("ser.")}
    return {path for path in paths if path.is_file()}


def imported_also_indirectly(file: Path, stages: Path) -> set[Path]:
    """Return all modules of ser that a file needs."""
    seen, todo = set(), [file]
    while todo:
        found = imported(todo.pop(), stages) - seen
        seen |= found
        todo += found
    return seen


def room_of(module: Path, stages: Path) -> str | None:
    """Return the room of a module; None of one that lies at the top of ser."""
    parts = module.relative_to(stages / "ser").parts
    return parts[0] if len(parts) > 1 else None


def imports_between_rooms(stages: Path) -> set[tuple[str, str, str]]:
    """Return room, imported room and module of every import that leaves a room; errors.py belongs to all.

    What `ser` itself offers is imported when it is asked for, by name (a test looks): only type checkers see it.
    """
    found = set()
    for module in (stages / "ser").rglob("*/*.py"):
        for other in imported(module, stages):
            here, there = room_of(module, stages), room_of(other, stages)
            if there not in (None, here):
                found.add((here or "", there, str(module.relative_to(stages))))
    return found


def upward_imports(stages: Path) -> list[str]:
    """Name every import of a room that is not on a lower floor."""
    found = imports_between_rooms(stages)
    return sorted(f"{module} imports {there}" for here, there, module in found if FLOOR_OF[here] <= FLOOR_OF[there])


def circles(stages: Path) -> list[str]:
    """Name the rooms that import themselves through others."""
    edges: dict[str, set[str]] = {}
    for here, there, _ in imports_between_rooms(stages):
        edges.setdefault(here, set()).add(there)

    def reached(room: str) -> set[str]:
        seen, todo = set(), [room]
        while todo:
            new = edges.get(todo.pop(), set()) - seen
            seen |= new
            todo += new
        return seen

    return sorted(room for room in edges if room in reached(room))


def code_deps(script: Path, stages: Path) -> set[str]:
    """Return what a stage's deps must name: its script, the rooms it needs, and of settings the modules."""
    deps = {script}
    for module in imported_also_indirectly(script, stages):
        room = room_of(module, stages)
        deps.add(module if room in (None, "settings") else stages / "ser" / room)
    return {str(path.relative_to(stages.parent)) for path in deps}
