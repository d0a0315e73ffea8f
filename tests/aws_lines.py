"""Lines of the AWS command line, as pages show them, carried out by boto3: it need not be installed for that."""

import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from botocore import xform_name

MakeClient = Callable[[str], Any]

_BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<lines>.*?)^```$", re.DOTALL | re.MULTILINE)


def shown(text: str) -> list[str]:
    """Return every command of the text's blocks that are in no other language, each as one line."""
    blocks = (block["lines"] for block in _BLOCK.finditer(text) if not block["language"])
    lines = (line for block in blocks for line in block.replace("\\\n", " ").splitlines())
    return [" ".join(line.split()) for line in lines if line.startswith("aws ")]


def run(make: MakeClient, line: str) -> dict[str, Any]:
    """Carry a command out; what is listed comes whole, as the command line has it.

    Parameters
    ----------
    make
        Returns the boto3 client of a service.
    line
        Such as ``aws sagemaker describe-endpoint --endpoint-name rain``.

    Raises
    ------
    ValueError
        When there is no such service's operation, or the operation has no such option.
    """
    _, service, command, *words = shlex.split(line)
    client = make(service)
    method = command.replace("-", "_")
    if method not in client.meta.method_to_api_mapping:
        raise ValueError(f"aws {service} has no {command}")
    members = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape.members
    options = {f"--{xform_name(name, '-')}": name for name in members}
    request = {}
    for option, value in _pairs(words):
        if option not in options:
            raise ValueError(f"aws {service} {command} has no {option}")
        request[options[option]] = _read(value, members[options[option]].type_name)
    if client.can_paginate(method):
        return dict(client.get_paginator(method).paginate(**request).build_full_result())
    return dict(getattr(client, method)(**request))


def _pairs(words: Iterable[str]) -> Iterator[tuple[str, str]]:
    each = iter(words)
    return zip(each, each, strict=True)


def _read(value: str, kind: str) -> Any:
    return value if kind == "string" else json.loads(value)
