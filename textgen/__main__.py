"""The program: `textgen` and `python -m textgen`."""

import signal


def run() -> None:
    """Run the command line; Ctrl-C ends the process silently until `main` can end it in order."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # which would show where the imports stand
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from textgen.cli import main

    main()


if __name__ == "__main__":
    run()
