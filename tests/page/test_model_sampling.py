"""What a page that carries its model draws, in Node: the API's distribution, and the same numbers in every browser."""

import numpy as np
import pytest

from tests.page.node import Node, node
from textgen.config import SamplingConfig
from textgen.generation.sampling import kept, likelihoods

__all__ = ["node"]

KEPT = """
import { filter } from "./sampling.js";
answer(data.cases.map(({ shares, settings }) => {
  const left = Float64Array.from(shares);
  filter(left, settings);
  return [...left].map((share) => share > 0);
}));
"""
DRAWN = """
import { chosen, randomOf } from "./sampling.js";
answer(data.settings.map((settings) => {
  const counts = new Array(data.logits.length).fill(0);
  const logits = Float64Array.from(data.logits, (logit) => logit ?? -Infinity);
  for (let seed = 0; seed < data.draws / 2; seed += 1) counts[chosen(logits, settings, randomOf(seed))] += 1;
  const random = randomOf(2 ** 53 - 1);
  for (let draw = 0; draw < data.draws / 2; draw += 1) counts[chosen(logits, settings, random)] += 1;
  return counts;
}));
"""
SETTINGS = [
    {"temperature": 1.0},
    {"temperature": 0.5},
    {"temperature": 2.0, "topK": 7},
    {"temperature": 0.8, "topP": 0.8},
    {"temperature": 1.3, "minP": 0.05},
    {"temperature": 1.0, "topK": 12, "topP": 0.9, "minP": 0.02},
]


def config_of(settings: dict[str, float]) -> SamplingConfig:
    names = {"topK": "top_k", "topP": "top_p", "minP": "min_p"}
    return SamplingConfig(**{names.get(name, name): value for name, value in settings.items()})  # type: ignore[arg-type]


def test_the_filters_keep_what_python_keeps_ties_too(node: Node) -> None:
    rng = np.random.default_rng(1)
    cases = []
    for _ in range(400):
        logits = rng.integers(rng.choice([-4, 3]), 4, rng.integers(1, 12)).astype(np.float32)  # many are equally likely
        one_in = {
            "topK": int(rng.integers(1, 14)),
            "topP": float(rng.choice([rng.uniform(0.05, 1), 0.25, 0.5, 0.75])),
            "minP": float(rng.random()),
        }
        settings = {name: value if rng.random() < 0.5 else None for name, value in one_in.items()}
        cases.append((logits, settings))
    asked = [{"shares": likelihoods(logits[None])[0].tolist(), "settings": settings} for logits, settings in cases]
    found = node(KEPT, cases=asked)
    for (logits, settings), left in zip(cases, found, strict=True):
        config = config_of({"temperature": 1.0} | settings)
        assert left == kept(logits[None], config)[0].tolist(), (logits, settings)


def test_draws_have_the_distribution_of_python(node: Node) -> None:
    logits = np.random.default_rng(2).normal(0, 2, 65).astype(np.float32)
    logits[[3, 40]] = -np.inf, logits.max()  # what a rule forbids, and a tie
    told = [None if logit == -np.inf else logit for logit in logits.tolist()]
    draws = 20_000
    for settings, counts in zip(SETTINGS, node(DRAWN, logits=told, settings=SETTINGS, draws=draws), strict=True):
        config = config_of(settings)
        shares = np.where(kept(logits[None], config), likelihoods(logits[None], config.temperature), 0)[0]
        expected, found = draws * shares / shares.sum(), np.array(counts)
        assert found.sum() == draws
        assert not found[expected == 0].any()
        often = expected >= 5
        groups = np.append(expected[often], expected[~often].sum()), np.append(found[often], found[~often].sum())
        distance = float(((groups[1] - groups[0]) ** 2 / np.maximum(groups[0], 1e-9)).sum())
        freedom = int(often.sum())
        assert distance < freedom + 4 * (2 * freedom) ** 0.5, settings


@pytest.mark.parametrize(("temperature", "expected"), [(0, 1), (1e-320, 1), (1e-5, 1)])
def test_near_a_temperature_of_zero_the_lowest_of_the_likeliest_codes_comes(
    node: Node, temperature: float, expected: int
) -> None:
    (counts,) = node(DRAWN, logits=[0.0, 3.0, 2.99, 1.0], settings=[{"temperature": temperature}], draws=10)
    assert counts[expected] == 10


NUMBERS = """
import { exponential, sigmoid, tanh } from "./arithmetic.js";
import { randomOf } from "./sampling.js";
const random = randomOf(7);
answer({
  drawn: [random(), random(), randomOf(8)(), randomOf(7 + 2 ** 32)()],
  exponential: data.points.map(exponential),
  sigmoid: data.points.map(sigmoid),
  tanh: data.points.map(tanh),
});
"""


def test_numbers_that_make_a_text_are_the_same_everywhere(node: Node) -> None:
    points = np.append(np.arange(-2000, 2001) / 100, [-1000, -745.2, -740, 50])
    found = node(NUMBERS, points=points.tolist())
    np.testing.assert_allclose(found["exponential"], np.exp(points), rtol=1e-11)
    np.testing.assert_allclose(found["sigmoid"], np.exp(-np.logaddexp(0, -points)), atol=1e-11)
    np.testing.assert_allclose(found["tanh"], np.tanh(points), atol=1e-11)
    assert found["drawn"] == [0.10290017235703941, 0.1164207889603508, 0.6070134882525204, 0.9859711074800055]
    of_one_point = [found[name][1937] for name in ("exponential", "sigmoid", "tanh")]
    assert of_one_point == [0.5325918010068972, 0.34751053780725555, -0.5580522155596246]
