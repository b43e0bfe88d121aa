"""Completions as OpenAI's reference has them, and what other servers got wrong with them."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.serving.conftest import Ask, Serve, error_of, events, model_file, serving
from textgen import Generator

PROMPT = "The fox "
SETTINGS: dict[str, Any] = {"prompt": PROMPT, "seed": 3, "max_tokens": 60, "temperature": 0.7}


def written(found: list[dict[str, Any]], index: int = 0) -> str:
    choices = [choice for event in found for choice in event["choices"] if choice["index"] == index]
    return "".join(choice["text"] for choice in choices)


def test_an_answer_has_the_shape_of_the_reference(ask: Ask, writer: Generator) -> None:
    found = ask(**SETTINGS)
    assert found["object"] == "text_completion"
    assert found["id"].startswith("cmpl-")
    assert isinstance(found["created"], int)
    assert found["model"] == "play"
    assert found["system_fingerprint"] is None or found["system_fingerprint"].startswith("textgen-")
    expected = writer.generate(PROMPT, rng_seed=3, length=60, temperature=0.7)
    assert found["choices"] == [
        {"text": expected, "index": 0, "logprobs": None, "finish_reason": "length", "stopped_by": "length"}
    ]
    assert found["usage"] == {"prompt_tokens": 8, "completion_tokens": 60, "total_tokens": 68}


def test_defaults_are_those_of_the_reference(ask: Ask, writer: Generator) -> None:
    found = ask(prompt=PROMPT, seed=3)
    assert found["choices"][0]["text"] == writer.generate(PROMPT, rng_seed=3, length=16, temperature=1.0)
    nulls = dict.fromkeys(("max_tokens", "temperature", "top_p", "n", "stop", "stream", "logprobs", "echo", "user"))
    assert ask(prompt=PROMPT, seed=3, **nulls)["choices"] == found["choices"]


def test_a_stream_gives_the_same_text(ask: Ask) -> None:
    found = ask(**SETTINGS, stream=True)
    assert written(found) == ask(**SETTINGS)["choices"][0]["text"]
    assert len({event["id"] for event in found}) == 1
    reasons = [choice["finish_reason"] for event in found for choice in event["choices"]]
    assert reasons == [None] * (len(found) - 1) + ["length"]
    assert all("usage" not in event for event in found)


def test_the_content_types_name_utf_8(client: TestClient) -> None:
    for stream, kind in ((False, "application/json"), (True, "text/event-stream")):
        answer = client.post("/v1/completions", json=SETTINGS | {"model": "play", "stream": stream})
        assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
        assert answer.headers["textgen-seed"] == "3"


def test_the_usage_comes_once_in_a_last_event_without_choices(ask: Ask) -> None:
    *before, last = ask(**SETTINGS, stream=True, stream_options={"include_usage": True})
    assert all(event["usage"] is None and event["choices"] for event in before)
    assert last["choices"] == []
    assert last["usage"] == {"prompt_tokens": 8, "completion_tokens": 60, "total_tokens": 68}
    assert all("usage" not in event for event in ask(**SETTINGS, stream=True, stream_options={"include_usage": False}))


def test_stream_options_without_a_stream_are_refused(refused: Ask) -> None:
    assert refused(stream_options={"include_usage": True})["param"] == "stream_options"


def test_several_prompts_and_texts_are_those_of_the_library(ask: Ask, writer: Generator) -> None:
    prompts = [PROMPT, "dog", ""]
    found = ask(prompt=prompts, n=2, seed=3, max_tokens=20)
    texts = writer.texts(prompts, count=2, rng_seed=3, length=20, temperature=1.0)
    assert [choice["text"] for choice in found["choices"]] == [text.text for text in texts]
    assert [choice["index"] for choice in found["choices"]] == list(range(6))
    assert found["usage"] == {"prompt_tokens": 11, "completion_tokens": 120, "total_tokens": 131}
    streamed = ask(prompt=prompts, n=2, seed=3, max_tokens=20, stream=True)
    assert [written(streamed, index) for index in range(6)] == [choice["text"] for choice in found["choices"]]
    ends = [choice["index"] for event in streamed for choice in event["choices"] if choice["finish_reason"]]
    assert sorted(ends) == list(range(6))


def test_a_long_prompt_is_read_once_for_several_texts(ask: Ask, writer: Generator) -> None:
    prompt = "The quick brown fox " * 40
    found = ask(prompt=prompt, n=3, seed=1, max_tokens=10)
    texts = writer.texts(prompt, count=3, rng_seed=1, length=10, temperature=1.0)
    assert [choice["text"] for choice in found["choices"]] == [text.text for text in texts]


def test_prompts_of_codes(ask: Ask, refused: Ask, writer: Generator) -> None:
    codes = writer.encode(PROMPT).tolist()
    expected = ask(**SETTINGS)["choices"][0]["text"]
    assert ask(**SETTINGS | {"prompt": codes})["choices"][0]["text"] == expected
    assert ask(**SETTINGS | {"prompt": [codes]})["choices"][0]["text"] == expected
    echoed = ask(**SETTINGS | {"prompt": codes}, echo=True)["choices"][0]["text"]
    assert echoed == PROMPT + expected
    assert "the code 700" in refused(prompt=[700])["message"]
    for wrong in ([1, "a"], [[1], "a"], [-1], [True], [1.5], {}, 5, True, [None]):
        assert refused(prompt=wrong)["param"] == "prompt"


def test_an_empty_prompt_begins_a_text_and_an_empty_list_is_refused(ask: Ask, refused: Ask, writer: Generator) -> None:
    expected = writer.generate("", rng_seed=3, length=16, temperature=1.0)
    for fields in ({"prompt": ""}, {"prompt": None}, {}, {"prompt": [""]}, {"prompt": [[]]}):
        found = ask(seed=3, **fields)
        assert found["choices"][0]["text"] == expected
        assert found["usage"]["prompt_tokens"] == 0
    assert "empty list" in refused(prompt=[])["message"]


def test_stop_strings_are_neither_leaked_nor_cost_the_tail(ask: Ask) -> None:
    text = ask(**SETTINGS)["choices"][0]["text"]
    stop, never = text[20:24], text[-3:] + "\0"  # the text's end begins as the last one does
    for streamed in (False, True):
        found = ask(**SETTINGS, stop=[stop, never], stream=streamed)
        choice = found[-1]["choices"][0] if streamed else found["choices"][0]
        assert (written(found) if streamed else choice["text"]) == text[: text.index(stop)]
        assert choice["finish_reason"] == "stop"
        found = ask(**SETTINGS, stop=never, stream=streamed)
        choice = found[-1]["choices"][0] if streamed else found["choices"][0]
        assert (written(found) if streamed else choice["text"]) == text
        assert choice["finish_reason"] == "length"


def test_wrong_stop_strings_are_refused(refused: Ask) -> None:
    for wrong in ("", [""], ["a", ""], [1], 1, ["a"] * 65, "a" * 1001):
        assert refused(stop=wrong)["param"] == "stop"


def test_log_probabilities_are_those_of_the_library(ask: Ask, writer: Generator) -> None:
    (text,) = writer.texts(PROMPT, rng_seed=3, length=60, temperature=0.7, logprobs=2)
    told = ask(**SETTINGS, logprobs=2)["choices"][0]["logprobs"]
    assert set(told) == {"tokens", "token_logprobs", "top_logprobs", "text_offset"}
    assert "".join(told["tokens"]) == text.text
    assert told["token_logprobs"] == pytest.approx([item.logprob for item in text.logprobs])
    assert told["text_offset"] == list(range(8, 68))
    for top, item in zip(told["top_logprobs"], text.logprobs, strict=True):
        assert set(top) == {*item.likeliest, item.symbol}
        assert top[item.symbol] == pytest.approx(item.logprob)


def test_with_log_probabilities_each_event_has_one_character(ask: Ask) -> None:
    whole = ask(**SETTINGS, logprobs=3)["choices"][0]
    found = ask(**SETTINGS, logprobs=3, stream=True)
    assert len(found) == 61
    for place, event in enumerate(found[:-1]):
        choice = event["choices"][0]
        assert choice["text"] == whole["text"][place]
        assert choice["logprobs"] == {name: [values[place]] for name, values in whole["logprobs"].items()}
        assert choice["finish_reason"] is None


def test_log_probabilities_of_a_text_that_stops(ask: Ask) -> None:
    text = ask(**SETTINGS)["choices"][0]["text"]
    choice = ask(**SETTINGS, logprobs=0, stop=text[20:24])["choices"][0]
    assert "".join(choice["logprobs"]["tokens"]) == choice["text"]
    assert all(len(top) == 1 for top in choice["logprobs"]["top_logprobs"])


@pytest.mark.parametrize("streamed", [False, True])
def test_the_first_character_of_an_echoed_prompt_has_no_log_probability(ask: Ask, streamed: bool) -> None:
    fields = SETTINGS | {"echo": True, "logprobs": 1, "n": 2, "max_tokens": 4}
    if streamed:
        found = [event["choices"][0] for event in ask(**fields, stream=True) if event["choices"][0]["logprobs"]]
        parts = [choice["logprobs"] for choice in found if choice["index"] == 1]
        told = {name: [part[name][0] for part in parts] for name in parts[0]}
    else:
        choice = ask(**fields)["choices"][1]
        told = choice["logprobs"]
        assert choice["text"].startswith(PROMPT)
    assert "".join(told["tokens"]).startswith(PROMPT)
    assert told["token_logprobs"][0] is None
    assert told["top_logprobs"][0] is None
    assert all(value < 0 for value in told["token_logprobs"][1:])
    assert told["text_offset"] == list(range(12))
    assert len(told["token_logprobs"]) == 12


def test_a_long_prompt_is_scored_for_each_of_several_texts(ask: Ask) -> None:
    prompt = "The quick brown fox " * 10
    first, second = ask(prompt=prompt, echo=True, logprobs=0, n=2, seed=1, max_tokens=3)["choices"]
    (alone,) = ask(prompt=prompt, echo=True, logprobs=0, seed=1, max_tokens=3)["choices"]
    told = [choice["logprobs"]["token_logprobs"][1:200] for choice in (first, second, alone)]
    assert [len(values) for values in told] == [199] * 3
    assert told[0] == told[1] == told[2]


def test_a_prompt_is_scored_without_writing(ask: Ask, writer: Generator) -> None:
    found = ask(prompt=PROMPT, echo=True, max_tokens=0, logprobs=1)
    choice = found["choices"][0]
    assert choice["text"] == PROMPT
    assert choice["finish_reason"] == "length"
    expected = [None]
    for place in range(1, len(PROMPT)):
        import math

        expected.append(math.log(writer.predict(PROMPT[:place])[PROMPT[place]]))
    assert choice["logprobs"]["token_logprobs"][1:] == pytest.approx(expected[1:], abs=1e-4)
    assert found["usage"] == {"prompt_tokens": 8, "completion_tokens": 0, "total_tokens": 8}
    assert ask(prompt="T", echo=True, max_tokens=0, logprobs=1)["choices"][0]["logprobs"]["token_logprobs"] == [None]
    assert ask(prompt="", echo=True, max_tokens=0, logprobs=1)["choices"][0]["logprobs"]["tokens"] == []


def test_nothing_to_write_is_an_empty_text(ask: Ask) -> None:
    assert ask(prompt=PROMPT, max_tokens=0)["choices"][0]["text"] == ""
    assert ask(prompt=PROMPT, max_tokens=0, echo=True)["choices"][0]["text"] == PROMPT
    assert written(ask(prompt=PROMPT, max_tokens=0, echo=True, stream=True)) == PROMPT


def test_sampling_settings_are_those_of_the_command(ask: Ask, writer: Generator) -> None:
    for theirs, ours in (
        ({"top_p": 0.5}, {"top_p": 0.5}),
        ({"top_p": 1}, {}),
        ({"top_p": 0}, {"temperature": 0.0}),
        ({"temperature": 0}, {"temperature": 0.0}),
        ({"top_k": 2, "min_p": 0.01}, {"top_k": 2, "min_p": 0.01}),
        ({"top_k": 0, "min_p": 0}, {}),
        ({"top_k": -1}, {}),
        ({"only": "abc "}, {"only": "abc "}),
        ({"without": "e"}, {"without": "e"}),
        ({"ban": "th"}, {"ban": "th"}),
        ({"no_repeat": 4}, {"no_repeat": 4}),
        ({"match": "(a|b){5} [a-z]+"}, {"match": "(a|b){5} [a-z]+"}),
        ({"end": "line"}, {"end": "line"}),
        ({"logit_bias": {"e": 50}}, {"logit_bias": {"e": 50}}),
        ({"logit_bias": {}}, {}),
    ):
        found = ask(prompt=PROMPT, seed=5, max_tokens=30, **theirs)["choices"][0]
        expected = writer.generate(PROMPT, **{"rng_seed": 5, "length": 30, "temperature": 1.0} | ours)
        assert found["text"] == expected, theirs


def test_a_bias_of_100_decides(ask: Ask) -> None:
    assert set(ask(prompt=PROMPT, seed=1, logit_bias={"e": 100}, max_tokens=9)["choices"][0]["text"]) == {"e"}
    assert " " not in ask(prompt=PROMPT, seed=1, logit_bias={" ": -100}, max_tokens=90)["choices"][0]["text"]


def test_what_ended_a_text_early_is_told(ask: Ask) -> None:
    choice = ask(prompt="", match="abc", max_tokens=9)["choices"][0]
    assert (choice["text"], choice["finish_reason"], choice["stopped_by"]) == ("abc", "stop", "match")


@pytest.mark.parametrize("seed", [-1, -(2**63), 2**63 - 1, 0])
def test_any_seed_of_the_reference_is_taken(ask: Ask, seed: int) -> None:
    assert ask(prompt=PROMPT, seed=seed)["choices"] == ask(prompt=PROMPT, seed=seed)["choices"]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("best_of", (2, 20, "1", True)),
        ("suffix", ("end",)),
        ("presence_penalty", (0.5, "0", False)),
        ("frequency_penalty", (-1,)),
        ("no_copy", (20,)),
        ("against", (["a"],)),
    ],
)
def test_what_is_not_supported_is_refused_by_name(refused: Ask, ask: Ask, field: str, values: tuple[Any, ...]) -> None:
    for value in values:
        error = refused(**{field: value})
        assert error["message"] == f"`{field}` is not supported"
        assert (error["param"], error["code"]) == (field, "unsupported_parameter")
    ask(**{field: None})


def test_unsupported_fields_may_have_their_defaults(ask: Ask) -> None:
    ask(best_of=1, suffix="", presence_penalty=0, frequency_penalty=0.0)
    ask(n=2, best_of=2)


def test_unknown_fields_are_passed_over_and_named(client: TestClient, serve: Serve) -> None:
    body = {"model": "play", "tfs": 0.9, "mirostat_mode": 0, "\r\nset-cookie: a": 1, "ü": 2}
    answer = client.post("/v1/completions", json=body)
    assert answer.status_code == 200
    assert answer.headers["textgen-ignored"] == "tfs, mirostat_mode, (another), (another)"
    assert "set-cookie" not in answer.headers
    error = error_of(serve(strict=True).post("/v1/completions", json=body))
    assert (error["param"], error["code"]) == ("tfs", "unknown_parameter")
    assert serve(strict=True).post("/v1/completions", json={"model": "play", "top_k": 3}).status_code == 200


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": 3}, "model"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": "5"}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_tokens": 10**30}, "max_tokens"),
        ({"max_tokens": 100_001}, "max_tokens"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": 101}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"top_p": 1.1}, "top_p"),
        ({"min_p": -1}, "min_p"),
        ({"top_k": -2}, "top_k"),
        ({"n": 0}, "n"),
        ({"n": 129}, "n"),
        ({"n": 65, "prompt": ["a", "b"]}, "n"),
        ({"seed": 2**63}, "seed"),
        ({"seed": "1"}, "seed"),
        ({"stream": "true"}, "stream"),
        ({"stream": 1}, "stream"),
        ({"echo": 1}, "echo"),
        ({"logprobs": -1}, "logprobs"),
        ({"logprobs": 51}, "logprobs"),
        ({"logprobs": True}, "logprobs"),
        ({"logit_bias": {"ab": 1}}, "logit_bias"),
        ({"logit_bias": {"": 1}}, "logit_bias"),
        ({"logit_bias": {"a": 101}}, "logit_bias"),
        ({"logit_bias": {"a": "1"}}, "logit_bias"),
        ({"logit_bias": {"é": 1}}, "logit_bias"),
        ({"logit_bias": [1]}, "logit_bias"),
        ({"end": "page"}, "end"),
        ({"unknown": "maybe"}, "unknown"),
        ({"no_repeat": 1}, "no_repeat"),
        ({"match": ""}, "match"),
        ({"match": "("}, "match"),
        ({"match": "a{100}", "max_tokens": 5}, "match"),
        ({"match": "a" * 1001}, "match"),
        ({"match": "(a?){1500}", "max_tokens": 5}, "match"),
        ({"match": "((a{99}){99}){99}"}, "match"),
        ({"only": ""}, "only"),
        ({"only": "ab", "without": "ab"}, "only"),
        ({"ban": [""]}, "ban"),
        ({"prompt": "日本"}, "prompt"),
        ({"prompt": "e" + "\u0301" * 40_000}, "prompt"),
    ],
)
def test_wrong_values_are_refused_and_the_field_named(refused: Ask, fields: dict[str, Any], param: str) -> None:
    error = refused(**fields)
    assert error["param"] == param, error
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"model"',
        b"\xff\xfe",
        b'{"model":"play","prompt":"\xff"}',
        b'{"model":"play","prompt":"\\ud800"}',
        b'{"model":"play","temperature":NaN}',
        b'{"model":"play","temperature":Infinity}',
        b'{"model":"play","temperature":1e999}',
        b'{"model":"play","logit_bias":{"a":NaN}}',
        b'{"prompt":"a"}',
        b'{"model":' + b"[" * 100_000 + b"}",
        b'{"model":"play","max_tokens":' + b"9" * 5000 + b"}",
    ],
)
def test_malformed_bodies_are_refused(client: TestClient, content: bytes) -> None:
    answer = client.post("/v1/completions", content=content)
    assert answer.status_code == 400
    error_of(answer)


def test_unknown_characters_are_named_skipped_or_replaced(ask: Ask, refused: Ask, writer: Generator) -> None:
    error = refused(prompt="The ß fox")
    assert error["code"] == "unknown_characters"
    assert "'ß' (U+00DF LATIN SMALL LETTER SHARP S)" in error["message"]
    expected = writer.generate("The  fox", rng_seed=1, length=16, temperature=1.0)
    assert ask(prompt="The ß fox", unknown="skip", seed=1)["choices"][0]["text"] == expected
    expected = writer.generate("The fox", rng_seed=1, length=16, temperature=1.0)
    assert ask(prompt="The fóx", unknown="nearest", seed=1)["choices"][0]["text"] == expected


@pytest.mark.parametrize("name", ["other", "../play", "play/", "/etc/passwd", "pl\0ay", "", "play\n", "a" * 1000])
def test_an_unknown_model(client: TestClient, name: str) -> None:
    answer = client.post("/v1/completions", json={"model": name})
    assert answer.status_code == 404
    error = error_of(answer)
    assert error["code"] == "model_not_found"
    assert "the models here are: play" in error["message"]


def test_markup_and_control_characters_are_only_text(tmp_path: Any) -> None:
    prompt = "<script>alert(1)</script>\x00\x1b[31m\x85\u2028\u2029\r\n"
    path = tmp_path / "odd.keras"
    path.write_bytes(model_file(prompt + "ab "))
    with serving(path) as (client, _):
        body = {"model": "odd", "prompt": prompt, "echo": True, "max_tokens": 300, "seed": 1}
        whole = client.post("/v1/completions", json=body).json()["choices"][0]["text"]
        assert whole.startswith(prompt)
        content = client.post("/v1/completions", json=body | {"stream": True}).text
        assert written(events(content)) == whole
        assert all(not line or line.startswith("data: ") for line in content.splitlines())  # of any kind


def test_a_model_whose_text_was_made_lowercase(tmp_path: Any) -> None:
    path = tmp_path / "small.keras"
    path.write_bytes(model_file("the quick brown fox \n", lowercase=True))
    with serving(path) as (client, _):
        body = {"model": "small", "prompt": "THE FOX", "echo": True, "max_tokens": 0}
        assert client.post("/v1/completions", json=body).json()["choices"][0]["text"] == "THE FOX"
        told = client.post("/v1/completions", json=body | {"logprobs": 0}).json()["choices"][0]
        assert told["text"] == "".join(told["logprobs"]["tokens"]) == "the fox"


def test_a_replacement_is_read_and_never_written(tmp_path: Any) -> None:
    path = tmp_path / "rare.keras"
    path.write_bytes(model_file("ab\ufffd\n", replacement="\ufffd"))
    with serving(path) as (client, _):
        body = {"model": "rare", "prompt": "a\ufffdb", "echo": True, "logprobs": 3, "logit_bias": {"\ufffd": 100}}
        answer = client.post("/v1/completions", json=body | {"max_tokens": 50})
        choice = json.loads(answer.content, parse_constant=pytest.fail)["choices"][0]
        assert "\ufffd" not in choice["text"][3:]
        assert choice["logprobs"]["token_logprobs"][1] == -9999.0
