"""The folder is the registry: a part is named by its file's name, or from outside the package by its dotted path.

"filter"                   the class in webscale_rl/stages/filter.py
"my_stages:NoPaywalls"     the class NoPaywalls of the importable module my_stages
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
import sys
from pathlib import Path
from typing import Any

from webscale_rl.errors import ConfigError


def names(package: str, attribute: str) -> list[str]:
    """The names of all parts in one of our packages: its modules that define a part."""
    folder = Path(__file__).parent.joinpath(*package.split("."))
    modules = [module.name for module in pkgutil.iter_modules([str(folder)]) if not module.name.startswith("_")]
    return sorted(name for name in modules if _part(package, name, attribute) is not None)


def load(package: str, name: str, attribute: str) -> Any:
    """The class that `name` means. `attribute` is what every part of that package has, such as a stage's `takes`.

    Raises ConfigError: names the nearest part, or says why a dotted path cannot be imported.
    """
    if ":" in name or "." in name:
        return _load_dotted(name, attribute)
    part = _part(package, name, attribute) if name.isidentifier() else None
    if part is None:
        known = names(package, attribute)
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
        raise ConfigError(f"{package}: there is no {name!r}; {hint} (or name your own as 'module:Class')")
    return part


def _part(package: str, name: str, attribute: str) -> Any:
    qualified = f"webscale_rl.{package}.{name}"
    if importlib.util.find_spec(qualified) is None:
        return None
    module = importlib.import_module(qualified)
    for value in vars(module).values():
        if isinstance(value, type) and _is_within(value.__module__, qualified) and hasattr(value, attribute):
            return value
    return None


def _is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _load_dotted(path: str, attribute: str) -> Any:
    module_name, _, class_name = path.partition(":") if ":" in path else path.rpartition(".")
    here = str(Path.cwd())
    if here not in sys.path:  # a user's module stands beside the configuration that names it
        sys.path.insert(0, here)
    if not module_name or module_name.startswith("."):
        raise ConfigError(f"{path}: names no module; write 'module:Class'")
    try:
        module = importlib.import_module(module_name)
    except (ImportError, SyntaxError) as error:
        raise ConfigError(f"{path}: cannot import {module_name!r} ({error}); run where it is importable") from error
    part = getattr(module, class_name, None)
    if part is None:
        raise ConfigError(f"{path}: module {module_name!r} has no {class_name!r}")
    if not hasattr(part, attribute):
        raise ConfigError(f"{path}: lacks {attribute!r}; see the docs for what such a class must have")
    return part
