from textgen.evaluation.judgement import Candidate, Judgement
from textgen.evaluation.stylometry import Distances
from textgen.training.cross_validation import Tally


def judged(first: str, second: str, low: float, characters: int = 5000) -> Judgement:
    candidates = (Candidate(first, 2.0, 0.0, 0.0, 0.0, 0, False), Candidate(second, 2.1, 0.1, low, 0.2, 0, False))
    return Judgement("text", characters, 900, 250, candidates)


def test_each_method_is_counted_by_author() -> None:
    tally = Tally({"A": 3, "B": 1}, 2)
    tally.add("A", judged("A", "B", 0.05), [Distances("xz", {"A": 0.1, "B": 0.2})])
    tally.add("A", judged("A", "B", -0.05), [Distances("xz", {"A": 0.3, "B": 0.2})])
    tally.add("A", judged("B", "A", 0.05), [Distances("xz", {"A": 0.3, "B": 0.2})])
    tally.add("B", judged("B", "A", 0.05, 999), [Distances("xz", {"A": 0.3, "B": 0.2})])
    found = tally.result()
    assert (found.folds, found.texts) == (2, {"A": 3, "B": 1})
    assert [(item.method, item.right, item.undecided) for item in found.accuracies] == [
        ("LSTM, fewest bits", {"A": 2, "B": 1}, {"A": 0, "B": 0}),
        ("LSTM, verdict", {"A": 1, "B": 0}, {"A": 1, "B": 1}),
        ("xz", {"A": 1, "B": 1}, {"A": 0, "B": 0}),
    ]
