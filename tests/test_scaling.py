"""The page on many machines: its manifests, and its commands."""

import re
from dataclasses import astuple
from typing import Any

import kubernetes_validate
import pytest
import yaml

from scripts.scaling import BLOCK, Figures, figures, report, window, written
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


def test_the_workers_of_a_job_are_those_that_their_options_name() -> None:
    job, service = documents("train.yaml")["Job"], documents("train.yaml")["Service"]
    name, spec = job["metadata"]["name"], job["spec"]
    assert service["spec"]["selector"] == {"job-name": name}
    assert service["metadata"]["name"] == spec["template"]["spec"]["subdomain"]
    (container,) = spec["template"]["spec"]["containers"]
    port = container["ports"][0]["containerPort"]
    addresses = [f"{name}-{index}.{service['metadata']['name']}:{port}" for index in range(spec["completions"])]
    assert f"--workers {','.join(addresses)} --worker-index" in container["args"][0]
    assert spec["parallelism"] == spec["completions"]


def test_what_more_machines_bring_follows_from_what_a_step_is_made_of() -> None:
    found = Figures(sequence=0.002, fixed=0.01, message=0.001, byte=1e-9, size=4_000_000)
    assert found.step(64, 1) == pytest.approx(0.138)
    assert found.step(32, 2) == pytest.approx(0.074 + 2 * (0.001 + 2_000_000 * 1e-9))
    assert found.gain(64, 2) == pytest.approx(0.138 / 0.08)
    slow = 0.074 + 2 * (0.001 + 50e-6 + 2_000_000 * (1e-9 + 8e-9))  # 1 Gbit/s
    assert found.gain(64, 2, 1e9, 50e-6) == pytest.approx(0.138 / slow)
    assert found.gain(64, 64, 1e9, 50e-6) < found.gain(64, 16, 1e9, 50e-6)  # the messages take longer than the rest


def test_figures_follow_from_what_is_measured_and_stand_in_the_page() -> None:
    speeds = {64: (64 * window() / 0.138, 40_000.0), 128: (128 * window() / 0.266, 42_000.0)}
    found = figures(speeds, 1_000_000, (0.006, 0.002))
    assert astuple(found) == pytest.approx((0.002, 0.01, 0.001, 1e-9, 4_000_000))
    told = report(speeds, 1_000_000, (0.006, 0.002))
    assert "A step takes 2.00 ms for each sequence and 10.0 ms besides." in told
    page = written(PAGE, told)
    assert told in page
    assert BLOCK.sub("", page) == BLOCK.sub("", PAGE)


def test_the_commands_of_page_and_manifests_have_options_that_exist() -> None:
    known = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", COMMANDS))
    for text in (PAGE, *(path.read_text(encoding="utf-8") for path in MANIFESTS)):
        ours = "\n".join(line for line in text.splitlines() if not line.startswith("#"))  # not those of kubectl
        found = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", ours))
        assert found
        assert found <= known
