"""A CloudFormation template with its references resolved: as much of the language as ours uses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]
_NOTHING = object()  # what AWS::NoValue becomes; whoever holds it drops the property


@dataclass(frozen=True)
class Template:
    """A template as it is written."""

    body: Json

    @classmethod
    def load(cls, path: Path) -> Template:
        return cls(yaml.safe_load(path.read_text(encoding="utf-8")))

    @property
    def resources(self) -> dict[str, Json]:
        return dict(self.body["Resources"])

    def resolved(self, names: Names) -> dict[str, Json]:
        """Every resource's properties with all references replaced, by logical id."""
        parameters = self.body.get("Parameters", {})
        defaults = {name: one["Default"] for name, one in parameters.items() if "Default" in one}
        known = Names({**defaults, **names.refs}, names.attributes)
        read = _Reader(self.body.get("Conditions", {}), known)
        return {
            logical_id: read(resource.get("Properties", {}))
            for logical_id, resource in self.resources.items()
        }


@dataclass(frozen=True)
class Names:
    """What references stand for.

    ``refs`` are parameters, pseudo parameters and resources (as ``Ref`` gives them);
    ``attributes`` are written ``Bucket.Arn``.
    """

    refs: Mapping[str, str]
    attributes: Mapping[str, str]

    def of(self, name: str) -> str:
        """The value of ``Name`` or ``Name.Attribute``; :exc:`KeyError` for what the template never said."""
        return self.attributes[name] if "." in name else self.refs[name]


class _Reader:
    def __init__(self, conditions: Json, names: Names) -> None:
        self._conditions = conditions
        self._names = names

    def __call__(self, value: Any) -> Any:
        if isinstance(value, list):
            read = [self(one) for one in value]
            return [one for one in read if one is not _NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(key, argument)] = value.items()
            if key == "Ref" or key.startswith("Fn::"):
                return self._intrinsic(key, argument)
        read_pairs = {key: self(one) for key, one in value.items()}
        return {key: one for key, one in read_pairs.items() if one is not _NOTHING}

    def _intrinsic(self, function: str, argument: Any) -> Any:
        match function:
            case "Ref":
                return _NOTHING if argument == "AWS::NoValue" else self._names.of(argument)
            case "Fn::GetAtt":
                return self._names.of(".".join(argument))
            case "Fn::Sub":
                return re.sub(r"\$\{([^}!]+)\}", lambda found: self._names.of(found[1]), argument)
            case "Fn::If":
                condition, then, otherwise = argument
                return self(then if self(self._conditions[condition]) else otherwise)
            case "Fn::Equals":
                left, right = argument
                return self(left) == self(right)
        raise ValueError(f"The offline stack does not know the intrinsic {function}.")
