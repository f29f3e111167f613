"""What Vapi's API finds wrong with a body, in the words of its validator, by Vapi's own schema.

`vapi_schema.json` is cut from Vapi's OpenAPI document; the words are those of NestJS's ValidationPipe with
class-validator, as users and Vapi's own tools report them: `voice.property enableSsmlParsing should not
exist`. What may be left out may also be null.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

Schema = Mapping[str, Any]

SCHEMAS: Final[Mapping[str, Schema]] = json.loads(
    Path(__file__).with_name("vapi_schema.json").read_text(encoding="utf-8")
)["schemas"]
_KINDS: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "string": ((str,), "a string"),
    "boolean": ((bool,), "a boolean value"),
    "number": ((int, float), "a number conforming to the specified constraints"),
    "integer": ((int,), "an integer number"),
    "array": ((list,), "an array"),
    "object": ((dict,), "an object"),
}
_TELLS_APART: Final = ("provider", "type")


def faults_of(name: str, body: Any) -> list[str]:
    """All that is wrong with a body of this schema; empty for a sound one."""
    return list(_faults({"$ref": name}, body, ""))


def _faults(schema: Schema, value: Any, path: str) -> Iterator[str]:
    if "$ref" in schema:
        yield from _faults(SCHEMAS[schema["$ref"]], value, path)
    elif "oneOf" in schema:
        yield from _faults_of_one(schema["oneOf"], value, path)
    elif "type" in schema:
        if not _is_kind(schema["type"], value):
            yield f"{path} must be {_KINDS[schema['type']][1]}"
        else:
            yield from _faults_within(schema, value, path)


def _is_kind(kind: str, value: Any) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _KINDS[kind][0])


def _faults_within(schema: Schema, value: Any, path: str) -> Iterator[str]:
    """Of a value of the right kind."""
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path} must be one of the following values: {', '.join(map(str, schema['enum']))}"
    match value:
        case str():
            yield from _faults_of_length(schema, value, path)
        case int() | float():
            yield from _faults_of_size(schema, value, path)
        case list():
            for place, each in enumerate(value):
                yield from _faults(schema.get("items", {}), each, _below(path, str(place)))
        case dict():
            yield from _faults_of_object(schema, value, path)


def _faults_of_length(schema: Schema, value: str, path: str) -> Iterator[str]:
    if len(value) > schema.get("maxLength", len(value)):
        yield f"{path} must be shorter than or equal to {schema['maxLength']} characters"
    if len(value) < schema.get("minLength", 0):
        yield f"{path} must be longer than or equal to {schema['minLength']} characters"


def _faults_of_size(schema: Schema, value: float, path: str) -> Iterator[str]:
    if value < schema.get("minimum", value):
        yield f"{path} must not be less than {schema['minimum']}"
    if value > schema.get("maximum", value):
        yield f"{path} must not be greater than {schema['maximum']}"


def _faults_of_object(schema: Schema, value: Mapping[str, Any], path: str) -> Iterator[str]:
    if "additionalProperties" in schema:
        for key, each in value.items():
            yield from _faults(schema["additionalProperties"], each, _below(path, key))
    if "properties" not in schema:
        return
    required = schema.get("required", ())
    for key, each in value.items():
        if key not in schema["properties"]:
            yield _below(path, f"property {key} should not exist")
        elif each is not None or key in required:
            yield from _faults(schema["properties"][key], each, _below(path, key))
    for key in required:
        if key not in value:
            yield f"{_below(path, key)} should not be empty"


def _faults_of_one(choices: list[Schema], value: Any, path: str) -> Iterator[str]:
    """By what tells the kinds of an object apart; for anything else it is enough to be one of the choices."""
    objects = {name: each for each in choices for name in _names(each)}
    if isinstance(value, dict) and objects:
        told = next((str(value[key]) for key in _TELLS_APART if key in value), "")
        if told in objects:
            yield from _faults(objects[told], value, path)
        else:
            where = _below(path, _telling(choices))
            yield f"{where} must be one of the following values: {', '.join(objects)}"
    elif all(any(_faults(each, value, path)) for each in choices):
        yield next(_faults(choices[0], value, path))


def _names(choice: Schema) -> list[str]:
    """By which an object of this schema says that it is one."""
    properties = _resolved(choice).get("properties", {})
    return [name for key in _TELLS_APART for name in properties.get(key, {}).get("enum", ())][:1]


def _telling(choices: list[Schema]) -> str:
    properties = [_resolved(each).get("properties", {}) for each in choices]
    return next(key for key in _TELLS_APART for each in properties if key in each)


def _resolved(schema: Schema) -> Schema:
    return SCHEMAS[schema["$ref"]] if "$ref" in schema else schema


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
