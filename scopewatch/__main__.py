"""The command `scopewatch`, and `python -m scopewatch`."""

import signal


def main() -> None:
    """The command line. Ctrl-C while it is still being loaded ends the process by the signal, without a traceback."""
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from scopewatch.cli import main

    if handler is signal.default_int_handler:
        signal.signal(signal.SIGINT, handler)
    main()


if __name__ == "__main__":
    main()
