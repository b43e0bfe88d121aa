from textgen.config import Shape
from textgen.training.speed import characters_a_second


def test_a_larger_network_is_expected_to_train_more_slowly() -> None:
    small, usual, large = (characters_a_second(Shape(2, units, 0.0, 64), 16, 65) for units in (100, 300, 900))
    assert small > 2 * usual > 4 * large > 0
