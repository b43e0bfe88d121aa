"""Words that depend on a number."""


def counted(number: float, noun: str) -> str:
    """A number with its noun in the singular or plural: "1 epoch", "1.5 epochs", "2,000 epochs"."""
    return f"{number:,.15g} {noun}{'' if number == 1 else 's'}"
