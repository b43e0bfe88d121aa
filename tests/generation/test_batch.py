"""Streams that join and leave a batch, and what each is promised."""

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.conftest import TEXT, random_weights
from textgen.config import ModelConfig, SamplingConfig
from textgen.generation import batch as batches
from textgen.generation.batch import Batch, in_order
from textgen.generation.compiled import prepare
from textgen.generation.recurrent import Network, Recurrent
from textgen.generation.sampling import losses
from textgen.generation.stream import Seed, Stream
from textgen.kernel import library
from textgen.model_file import Weights

SYMBOLS = sorted(set(TEXT))
WEIGHTS = Weights.from_list(random_weights(ModelConfig(2, 24, 0.0, 8), len(SYMBOLS)))


@pytest.fixture(params=["kernel", "NumPy"])
def network(request: pytest.FixtureRequest) -> Network:
    if request.param == "kernel" and library.library() is None:
        pytest.skip("textgen was installed without a C compiler")
    return prepare(WEIGHTS) if request.param == "kernel" else Recurrent(WEIGHTS)


def codes(*numbers: int) -> np.ndarray:
    return np.array(numbers)


def random_stream(draw: random.Random) -> dict:
    """What a stream is made from, so that it can be made again."""
    seed = [draw.randrange(len(SYMBOLS)) for _ in range(draw.choice([1, 2, 5, 40, 90]))]
    sampling = draw.choice([SamplingConfig(), SamplingConfig(0), SamplingConfig(1.5), SamplingConfig(1, top_k=3)])
    stops = draw.choice([(), (), ("e",), ("th", "x")])
    return {
        "seed": Seed(np.array(seed)),
        "symbols": SYMBOLS,
        "sampling": sampling,
        "length": draw.choice([1, 2, 10, 77]),
        "number": draw.randrange(1000),
        "stops": stops,
    }


def alone(network: Network, **stream: object) -> tuple[str, str | None]:
    written = Stream(**stream)  # type: ignore[arg-type]
    text = "".join(piece for _, piece in in_order(network, [written], 1))
    return text, written.stopped_by


@pytest.mark.parametrize("schedule", range(100))
def test_a_text_does_not_depend_on_who_joins_and_leaves(network: Network, schedule: int) -> None:
    draw = random.Random(schedule)
    made = [random_stream(draw) for _ in range(6)]
    waiting, there, texts = [Stream(**stream) for stream in made], [], {}
    streams = list(waiting)
    with Batch(network, draw.randrange(1, 8)) as batch:
        while waiting or len(batch):
            if waiting and len(batch) < batch.capacity and draw.random() < 0.6:
                there.append(waiting.pop())
                batch.join(there[-1])
            if draw.random() < 0.05 and there:
                batch.leave(there.pop(draw.randrange(len(there))))
            batch.step()
    for stream, one in zip(streams, made, strict=True):
        if stream.stopped_by is not None:
            texts[stream] = stream.take()
            assert (texts[stream], stream.stopped_by) == alone(network, **one)
    assert texts


@pytest.mark.parametrize("cores", [1, 2, 5])
def test_texts_come_in_their_order_whatever_the_cores_and_the_places(
    network: Network, cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "cores", lambda: cores)
    draw = random.Random(3)
    made = [random_stream(draw) for _ in range(30)]
    expected = [alone(network, **one) for one in made]
    for capacity in (1, 3, 20):
        pieces: dict[Stream, str] = {}
        streams = [Stream(**one) for one in made]
        for stream, piece in in_order(network, streams, capacity):
            pieces[stream] = pieces.get(stream, "") + piece
        assert list(pieces) == streams
        assert [(pieces[stream], stream.stopped_by) for stream in streams] == expected


def test_streams_are_asked_for_as_places_become_free(network: Network) -> None:
    asked = 0

    def streams() -> Iterator[Stream]:
        nonlocal asked
        for number in range(10_000):
            asked += 1
            yield Stream(Seed(codes(0)), SYMBOLS, length=3, number=number)

    for place, (stream, _) in enumerate(in_order(network, streams(), 4)):
        assert asked <= stream.number + 2 + 4 * batches.FINISHED
        if place == 200:
            break


def test_a_text_that_has_stopped_costs_nothing_more(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[int] = []
    step = type(network).step
    monkeypatch.setattr(
        type(network), "step", lambda self, codes, state: (rows.append(len(codes)), step(self, codes, state))[1]
    )
    monkeypatch.setattr(batches, "cores", lambda: 1)
    short = [Stream(Seed(codes(0)), SYMBOLS, length=5, number=number) for number in range(9)]
    for _ in in_order(network, [*short, Stream(Seed(codes(0)), SYMBOLS, length=1000)], 10):
        pass
    assert sum(rows) < 1000 + 9 * (5 + batches.LONGEST_BLOCK)


def test_a_long_seed_is_read_once_for_all_its_texts(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = np.random.default_rng(1).integers(0, len(SYMBOLS), 500)
    expected = [alone(network, seed=Seed(seed), symbols=SYMBOLS, length=20, number=n)[0] for n in range(5)]
    read = 0
    advance = type(network).advance

    def counted(self: Network, codes: np.ndarray, state: object) -> None:
        nonlocal read
        read += len(codes)
        advance(self, codes, state)  # type: ignore[arg-type]

    monkeypatch.setattr(type(network), "advance", counted)
    shared = Seed(seed, shared=True)
    streams = [Stream(shared, SYMBOLS, length=20, number=number) for number in range(5)]
    texts: dict[Stream, str] = {}
    for stream, piece in in_order(network, streams, 5):
        texts[stream] = texts.get(stream, "") + piece
    assert list(texts.values()) == expected
    assert read < 1000  # of 2,500


def test_a_seed_whose_reader_leaves_is_read_by_another(network: Network) -> None:
    shared = Seed(np.zeros(100, np.int64), shared=True)
    first, second = (Stream(shared, SYMBOLS, length=9, number=number) for number in range(2))
    with Batch(network, 2) as batch:
        assert shared.ready_for(first)
        assert not shared.ready_for(second)
        batch.join(first)
        batch.step()
        batch.leave(first)
        assert shared.ready_for(second)
        assert not shared.ready_for(first)


def test_a_long_seed_delays_no_neighbour(network: Network) -> None:
    with Batch(network, 2) as batch:
        batch.join(Stream(Seed(np.zeros(100_000, np.int64)), SYMBOLS, length=1))
        short = Stream(Seed(codes(0)), SYMBOLS, length=40)
        batch.join(short)
        for _ in range(40):
            if short in batch.step():
                return
    pytest.fail("the short text is still not done")


def test_what_is_observed_is_the_loss_of_each_character_once(network: Network) -> None:
    seed = np.random.default_rng(1).integers(0, len(SYMBOLS), 70)
    for observe_seed in (False, True):
        seen: list[np.ndarray] = []
        told: list[float] = []

        def observe(nats: np.ndarray, logits: np.ndarray, codes: np.ndarray, seen=seen, told=told) -> None:
            np.testing.assert_allclose(nats, losses(logits, codes))
            seen.append(codes.copy())
            told.extend(nats)

        stream = Stream(Seed(seed), SYMBOLS, length=50, observer=observe, observe_seed=observe_seed)
        text = "".join(piece for _, piece in in_order(network, [stream], 1))
        whole = np.concatenate([seed, [SYMBOLS.index(symbol) for symbol in text]])
        first = 1 if observe_seed else len(seed)
        np.testing.assert_array_equal(np.concatenate(seen), whole[first:])
        naive = Recurrent(WEIGHTS)
        state = naive.start()
        expected = [losses(naive.step(whole[i : i + 1], state), whole[i + 1 : i + 2])[0] for i in range(len(whole) - 1)]
        np.testing.assert_allclose(told, expected[first - 1 :], atol=1e-4)


class Only:
    """A constraint: nothing but some codes, and none from a place on."""

    name = "only"

    def __init__(self, *codes: int, end: int = 10**9) -> None:
        self.mask = np.zeros(len(SYMBOLS), bool)
        self.mask[list(codes)] = True
        self.written: list[int] = []
        self.end = end

    def allowed(self) -> np.ndarray | None:
        return self.mask if len(self.written) < self.end else np.zeros(len(SYMBOLS), bool)

    def advance(self, code: int) -> None:
        self.written.append(code)


@pytest.mark.parametrize("sampling", [SamplingConfig(), SamplingConfig(0), SamplingConfig(1, top_k=2, top_p=0.5)])
def test_a_constraint_holds_for_its_own_stream_alone(network: Network, sampling: SamplingConfig) -> None:
    free = Stream(Seed(codes(1)), SYMBOLS, sampling=sampling, length=60)
    held = Stream(Seed(codes(1, 2, 3)), SYMBOLS, sampling=sampling, length=60, constraints=[Only(3, 5), Only(5, 7)])
    ended = Stream(Seed(codes(1, 2)), SYMBOLS, sampling=sampling, length=60, constraints=[Only(3, 5, end=7)])
    texts: dict[Stream, str] = {}
    for stream, piece in in_order(network, [free, held, ended], 3):
        texts[stream] = texts.get(stream, "") + piece
    assert texts[free] == alone(network, seed=Seed(codes(1)), symbols=SYMBOLS, sampling=sampling, length=60)[0]
    assert (texts[held], held.stopped_by) == (SYMBOLS[5] * 60, "length")
    assert set(texts[ended]) <= {SYMBOLS[3], SYMBOLS[5]}
    assert (len(texts[ended]), ended.stopped_by) == (7, "only")


def test_a_stream_joins_once(network: Network) -> None:
    with Batch(network, 2) as batch:
        stream = Stream(Seed(codes(0)), SYMBOLS, length=9)
        batch.join(stream)
        for _ in range(2):
            with pytest.raises(ValueError, match=r"^the stream has begun; make a new one$"):
                batch.join(stream)
            batch.leave(stream)
        assert len(batch) == 0


def test_long_texts_do_not_wait_for_their_turn_by_the_dozen(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the first is on its way, those behind it hold no more than so many characters."""
    monkeypatch.setattr(batches, "HELD", 3000)
    streams = [Stream(Seed(codes(0)), SYMBOLS, length=1000, number=number) for number in range(9)]
    most = 0
    for stream, _ in in_order(network, streams, 8):
        most = max(most, sum(1000 - other.unwritten for other in streams[stream.number :]))
    assert 2000 < most <= 3000
    huge = [Stream(Seed(codes(0)), SYMBOLS, length=4000, number=number) for number in range(2)]
    for stream, _ in in_order(network, huge, 8):
        assert stream is huge[1] or not huge[1].begun


def test_a_batch_has_as_many_places_as_it_says(network: Network) -> None:
    with pytest.raises(ValueError, match=r"^`capacity` must be at least 1, not 0$"):
        Batch(network, 0)
    with Batch(network, 1) as batch:
        stream = Stream(Seed(codes(0)), SYMBOLS, length=1)
        batch.join(stream)
        with pytest.raises(ValueError, match=r"^the batch has no more than 1 places$"):
            batch.join(Stream(Seed(codes(0)), SYMBOLS, length=1))
        assert batch.step() == [stream]
        with pytest.raises(ValueError, match=r"^the stream has ended; make a new one$"):
            batch.join(stream)
        assert batch.step() == []
    with pytest.raises(ValueError, match=r"^a stream needs at least one code to begin with$"):
        Seed(codes())


class Fixed:
    """A network that predicts the same whatever it reads."""

    def __init__(self, shares: list[float]) -> None:
        self.symbols = len(shares)
        self.logits = np.log(np.array(shares, np.float32))

    def start(self, capacity: int = 1) -> "Fixed":
        return self

    def resize(self, rows: int) -> None:
        self.cells = np.empty((1, rows, 1))

    def reset(self, row: int) -> None: ...

    def copy(self, target: int, source: int, other: object = None) -> None: ...

    def step(self, codes: np.ndarray, state: "Fixed") -> np.ndarray:
        return np.tile(self.logits, (len(codes), 1))

    advance = step


def chi_square(text: str, expected: list[float]) -> float:
    """Of the characters of a text, whose symbols are the letters from a on."""
    counts = np.array([text.count(symbol) for symbol in "abcde"])
    wanted = len(text) * np.array(expected) / sum(expected)
    possible = wanted > 0
    assert not counts[~possible].any()
    return float(((counts - wanted)[possible] ** 2 / wanted[possible]).sum())


RARE = 23.5  # which chi-square exceeds once in ten thousand times, at four degrees of freedom


@pytest.mark.parametrize(
    ("neighbours", "temperature", "expected"),
    [
        (0, 1.0, [0.4, 0.3, 0.2, 0.07, 0.03]),
        (39, 1.0, [0.4, 0.3, 0.2, 0.07, 0.03]),
        (0, 0.5, [0.5256, 0.2957, 0.1314, 0.0161, 0.0030]),
    ],
)
def test_characters_are_drawn_by_their_probabilities(
    neighbours: int, temperature: float, expected: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "cores", lambda: 1)
    network: Any = Fixed([0.4, 0.3, 0.2, 0.07, 0.03])
    others = [
        Stream(Seed(codes(0)), "abcde", sampling=SamplingConfig(0), length=100_000, number=number + 1)
        for number in range(neighbours)
    ]
    tested = Stream(Seed(codes(0)), "abcde", sampling=SamplingConfig(temperature), length=100_000)
    streams = [*others[:7], tested, *others[7:]]
    text = "".join([piece for stream, piece in in_order(network, streams, len(streams)) if stream is tested])
    assert len(text) == 100_000
    assert chi_square(text, expected) < RARE


def test_what_the_filters_leave_is_drawn_by_its_probabilities() -> None:
    network: Any = Fixed([0.4, 0.3, 0.2, 0.07, 0.03])
    sampling = SamplingConfig(1.0, top_k=4, top_p=0.9, min_p=0.5)
    streams = [Stream(Seed(codes(0)), "abcde", sampling=sampling, length=1000, number=n) for n in range(100)]
    text = "".join([piece for _, piece in in_order(network, streams, 100)])
    assert chi_square(text, [4 / 7, 3 / 7, 0, 0, 0]) < RARE


def test_argmax_is_top_k_of_one_and_the_limit_of_the_temperature(network: Network) -> None:
    texts = [
        alone(network, seed=Seed(codes(2, 3)), symbols=SYMBOLS, length=200, sampling=sampling)
        for sampling in (SamplingConfig(0), SamplingConfig(1.3, top_k=1), SamplingConfig(1e-9))
    ]
    assert texts[0] == texts[1] == texts[2]
