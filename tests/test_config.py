import pytest

from textgen.config import ModelConfig, Reading, SamplingConfig, Shape, TrainingConfig


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ModelConfig(cell="LSTM"), "`cell` must be one of lstm, gru, rnn, not 'LSTM'"),
        (lambda: ModelConfig(cell=4), "`cell` must be str or None, not int"),
        (lambda: Shape(2, 8, 0.1, 4, None), "`cell` must be str, not NoneType"),
        (lambda: Reading(separator="\ud800"), "`separator` must be text of at most 10,000 characters"),
        (lambda: ModelConfig(layers=0), "`layers` must be a whole number from 1 to 8, not 0"),
        (lambda: ModelConfig(layers=True), "`layers` must be a whole number"),
        (lambda: ModelConfig(units=5000), "`units` must be a whole number from 1 to 4,096, not 5000"),
        (lambda: Shape(2, None, 0.1, 4), "`units` must be"),
        (lambda: Shape(2, 8, None, 4), "`dropout` must be"),
        (lambda: ModelConfig(dropout=0.95), "`dropout` must be a number from 0 to 0.9, not 0.95"),
        (lambda: TrainingConfig(window=1), "`window` must be a whole number from 2"),
        (lambda: TrainingConfig(window="50"), "`window` must be a whole number"),
        (lambda: TrainingConfig(batch_size=0), "`batch_size` must be"),
        (lambda: TrainingConfig(learning_rate=0), "`learning_rate` must be a number above 0, at most 1, not 0"),
        (lambda: TrainingConfig(learning_rate=float("nan")), "`learning_rate` must be"),
        (lambda: TrainingConfig(validation=0.6), "`validation` must be a number from 0 to 0.5"),
        (lambda: SamplingConfig(temperature=float("inf")), "`temperature` must be"),
        (lambda: SamplingConfig(top_p=0), "`top_p` must be"),
    ],
)
def test_numbers_out_of_range_are_refused_with_the_range(make, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match="must be") as error:
        make()
    assert message in str(error.value)


def test_what_may_stay_open_may() -> None:
    assert ModelConfig() == ModelConfig(None, None, None, None)
    assert TrainingConfig(validation=0).batch_size is None
    assert SamplingConfig(temperature=0).top_k is None


def test_stored_values_must_be_all_and_no_others() -> None:
    values = {"layers": 1, "units": 2, "dropout": 0.1, "embedding": 3, "cell": "gru"}
    assert ModelConfig.from_dict(values) == ModelConfig(1, 2, 0.1, 3, "gru")
    with pytest.raises(ValueError, match="missing or unknown keys: units, width"):
        ModelConfig.from_dict({"layers": 1, "width": 2, "dropout": 0.1, "embedding": 3, "cell": "gru"})
