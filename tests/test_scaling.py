"""The page on many machines: its manifests, and its commands."""

import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.conftest import PROJECT

PAGE = (PROJECT / "docs" / "scaling.md").read_text(encoding="utf-8")
COMMANDS = (PROJECT / "docs" / "commands.md").read_text(encoding="utf-8")
MANIFESTS = sorted((PROJECT / "docs" / "kubernetes").glob("*.yaml"))


def documents(name: str) -> dict[str, dict[str, Any]]:
    """The documents of a manifest, by kind."""
    text = (PROJECT / "docs" / "kubernetes" / name).read_text(encoding="utf-8")
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_manifests_are_what_kubernetes_takes(path: Any) -> None:
    newest = kubernetes_validate.latest_version()
    for document in documents(path.name).values():
        kubernetes_validate.validate(document, newest, strict=True)
        document["spec"]["replica"] = 3
        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(document, newest, strict=True)


def test_the_service_finds_the_servers() -> None:
    deployment, service = documents("serve.yaml")["Deployment"]["spec"], documents("serve.yaml")["Service"]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert service["selector"] == labels == deployment["selector"]["matchLabels"]
    (container,) = deployment["template"]["spec"]["containers"]
    assert service["ports"][0]["targetPort"] == container["ports"][0]["name"]
    probes = {container[name]["httpGet"]["path"] for name in ("readinessProbe", "livenessProbe")}
    assert probes == {"/readyz", "/healthz"}


def test_the_commands_of_page_and_manifests_have_options_that_exist() -> None:
    known = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", COMMANDS))
    for text in (PAGE, *(path.read_text(encoding="utf-8") for path in MANIFESTS)):
        ours = "\n".join(line for line in text.splitlines() if not line.startswith("#"))  # not those of kubectl
        found = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", ours))
        assert found
        assert found <= known
