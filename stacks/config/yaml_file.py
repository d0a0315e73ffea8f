"""YAML as its authors meant it: only true and false are booleans, 10:00 is no number, and no key stands twice."""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from stacks.config.problems import ConfigError, Problem

_BOOLEAN, _INTEGER = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:int"


class _StrictLoader(yaml.SafeLoader):
    """PyYAML follows YAML 1.1, in which `off` is false and 10:00 is 600: traps for `capture: off` and for windows."""

    yaml_implicit_resolvers = {  # noqa: RUF012 (declared so by the base class)
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in (_BOOLEAN, _INTEGER)]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except ConfigError:
            raise
        except (TypeError, ValueError) as error:  # of a date that is none, say
            raise yaml.constructor.ConstructorError(None, None, str(error), node.start_mark) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.constructor.ConstructorError(None, None, "this is no name of a field", key_node.start_mark)
            if key in seen:
                where = f"line {key_node.start_mark.line + 1}"
                raise ConfigError([Problem(where, key, "this field stands twice", "remove one of them")])
            seen.add(key)
        return super().construct_mapping(node, deep)


_StrictLoader.add_implicit_resolver(_BOOLEAN, re.compile(r"^(?:true|false)$"), list("tf"))
_StrictLoader.add_implicit_resolver(_INTEGER, re.compile(r"^[-+]?(?:0|[1-9][0-9_]*)$"), list("-+0123456789"))


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file.

    Raises
    ------
    ConfigError
        When it is not YAML, or says something twice.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        where, which = f"byte {error.start + 1}", f"0x{error.object[error.start]:02x}"
        raise ConfigError([Problem(where, which, "the file is not UTF-8", "save it as UTF-8")]) from None
    try:
        return yaml.load(content, _StrictLoader)
    except yaml.MarkedYAMLError as error:
        raise ConfigError([_broken(error, content)]) from None
    except yaml.reader.ReaderError as error:
        where, which = f"character {error.position + 1}", f"#x{error.character:04x}"
        raise ConfigError([Problem(where, which, f"it is not YAML: {error.reason}", "remove it")]) from None


def _broken(error: yaml.MarkedYAMLError, content: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    said = ", ".join(text for text in (error.context, error.problem) if text)
    way_out = "mend this line, or the one before it"
    if mark is None:
        return Problem("content", None, f"it is not YAML: {said}", way_out)
    lines = content.splitlines()
    line = lines[mark.line].strip() if mark.line < len(lines) else ""
    return Problem(f"line {mark.line + 1}, column {mark.column + 1}", line, f"it is not YAML: {said}", way_out)
