"""Requests that are made up from the OpenAPI document are answered as it says, and none breaks the server."""

from pathlib import Path

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.generation.modes import GenerationMode

from tests.serving.conftest import error_of, serving
from textgen.serving.app import create_app

EXAMPLES = 25  # of each route, valid ones, and as many others


def test_no_request_breaks_the_server(run_folder: Path) -> None:
    with serving(run_folder, timeout=5.0, max_tokens=1000, hosts=()) as (_, service):
        schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(service))
        statuses: dict[str, set[int]] = {}
        for result in schema.get_all_operations():
            operation = result.ok()
            made_up = GenerationMode if operation.method == "post" else [GenerationMode.POSITIVE]
            for mode in made_up:

                @given(case=operation.as_strategy(generation_mode=mode))
                @settings(
                    max_examples=EXAMPLES,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                    phases=[Phase.explicit, Phase.generate],
                    database=None,
                )
                def ask(case: schemathesis.Case) -> None:
                    if isinstance(case.body, dict) and len(case.body) % 2:
                        case.body["model"] = "play"
                    answer = case.call()
                    statuses.setdefault(case.operation.path, set()).add(answer.status_code)
                    assert answer.status_code in (200, 400, 404, 405), (case, answer.text)
                    if answer.status_code != 200:
                        error_of(answer)

                ask()
        assert statuses["/v1/completions"] >= {200, 400, 404}
        assert statuses["/v1/models"] >= {200}
