"""Errors in the log."""


def places(error: BaseException) -> str:
    """Where an error was raised, without its message, which may hold a user's text."""
    found, trace = [], error.__traceback__
    while trace is not None:
        found.append(f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " < ".join(reversed(found[-8:]))
