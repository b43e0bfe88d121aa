"""`/docs`: the OpenAPI document as a page that needs nothing from anywhere."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

HEAD = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>textgen: the API</title>
<h1>The API</h1>
<p>A token is a character. The same as a document for programs: <a href="/openapi.json">OpenAPI</a>.</p>
"""


def shown(document: Mapping[str, Any]) -> str:
    """An OpenAPI document as HTML."""
    schemas = document.get("components", {}).get("schemas", {})
    parts = [HEAD]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts.append(f"<h2><code>{method.upper()} {escape(path)}</code></h2>\n")
            parts.append(f"<p>{escape(operation.get('description') or operation.get('summary', ''))}</p>\n")
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            if name := body.get("$ref", "").rpartition("/")[2]:
                parts += _fields(schemas.get(name, {}))
    return "".join([*parts, "</html>\n"])


def _fields(schema: Mapping[str, Any]) -> Iterator[str]:
    yield "<table>\n<tr><th>field</th><th>type</th><th></th></tr>\n"
    for name, field in schema.get("properties", {}).items():
        needed = " (required)" if name in schema.get("required", ()) else ""
        kinds = " or ".join(dict.fromkeys(_kinds(field)))
        about = escape(field.get("description", ""))
        yield f"<tr><td><code>{escape(name)}</code></td><td>{escape(kinds)}{needed}</td><td>{about}</td></tr>\n"
    yield "</table>\n"


def _kinds(field: Mapping[str, Any]) -> Iterator[str]:
    for option in field.get("anyOf", [field]):
        if "enum" in option:
            yield " or ".join(map(str, option["enum"]))
        elif "$ref" in option:
            yield "object"
        elif option.get("type") == "array":
            yield f"list of {' or '.join(_kinds(option.get('items', {})))}"
        elif option.get("type") != "null":
            yield f"{option.get('type', 'any')}{_range(option)}"


def _range(option: Mapping[str, Any]) -> str:
    low, high = option.get("minimum"), option.get("maximum")
    return f" {low:g} to {high:g}" if low is not None and high is not None else ""
