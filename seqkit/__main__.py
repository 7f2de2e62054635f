"""The command line: ``python -m seqkit demo`` runs a simulated release of a real data set.

``graph`` reads who needs whom, ``plan`` says what must go out. ``what-if`` says what failures block, ``simulate`` how
much of a release is likely to go out, ``schedule`` when; ``run`` releases, by a command of your own for each repo.
``runs``, ``show``, ``report``, ``audit``, ``anchor``, ``resume`` and ``export`` are about the ledgers of past runs;
``convert`` writes a ledger or a graph in another form, ``reference`` makes web pages of the documentation.
There is no console script: a well-known tool for FASTA and FASTQ files owns the command ``seqkit``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, Any

import typer
import typer.main

from seqkit import __version__, cli
from seqkit._show.html import shortened
from seqkit._util.secrets import secrets_in, shown_id, without
from seqkit.errors import SeqkitError

__all__ = ["main"]

BROKEN_PIPE = 1
BAD_INPUT = 2
INTERRUPTED = 130

_LONGEST_MESSAGE = 2_000  # a cycle may have a hundred thousand repos

app = typer.Typer(
    name="python -m seqkit",
    help="Plan releases that span many repositories, run them, and see what a failure blocks.",
    add_completion=False,
    rich_markup_mode=None,  # the same plain help in a terminal, a pipe and a log
    pretty_exceptions_enable=False,
)
app.command(short_help="A simulated release, with pictures")(cli.demo)
app.command(short_help="Who is blocked where some repos fail")(cli.what_if)
app.command(short_help="How much of a release is likely to go out")(cli.simulate)
app.command(short_help="When a release will be done")(cli.schedule)
app.command(short_help="Who needs whom, and what the file is worth")(cli.graph)
app.command(short_help="What must go out, and in which order")(cli.plan)
app.command(short_help="A release by commands, recorded")(cli.run)
app.command(short_help="Whether a ledger holds together")(cli.audit)
app.command(short_help="One line to keep of a ledger elsewhere")(cli.anchor)
app.command(short_help="The runs of a ledger")(cli.runs)
app.command(short_help="What became of a train, for people")(cli.report)
app.command("show", short_help="What happened in one run")(cli.show_run)
app.command(short_help="What a run left to do, and go on with it")(cli.resume)
app.command(short_help="A ledger or a graph in another form")(cli.convert)
app.command(short_help="A ledger as Parquet files")(cli.export)
app.command(short_help="The documentation as web pages")(cli.reference)


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        print(f"seqkit-py {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


@cache
def _command() -> Callable[..., Any]:
    """Make the command once: whoever calls `main` again, as a notebook or a test may, does not wait for it again."""
    return typer.main.get_command(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code: 0, 1 for an audit with errors, 2 for bad input, 130 interrupted."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that lacks a letter still gets the table
    typed = sys.argv[1:] if arguments is None else list(arguments)
    try:
        result = _command()(None if arguments is None else list(arguments), standalone_mode=False)
        sys.stdout.flush()
        if result == INTERRUPTED:  # newer versions of typer make an exit code of it
            raise KeyboardInterrupt
    except (typer.Abort, KeyboardInterrupt):
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # The reader has seen enough, as in `… | head`. What is left must not be flushed when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (SeqkitError, ValueError, TypeError, OSError, ImportError) as error:
        told = "; ".join([str(error) or type(error).__name__, *getattr(error, "__notes__", ())])
        return _complain(_harmless(told, typed))
    except Exception as error:
        # A wrong option: which class it is changed between versions of typer, this method did not.
        if not hasattr(error, "format_message"):
            raise
        return _complain(_harmless(f"{error.format_message()} (--help shows what is possible)", typed))
    return result if isinstance(result, int) else 0


def _harmless(message: str, typed: Sequence[str]) -> str:
    """Take out what is secret in a URL that was typed, wherever: typer quotes what it does not expect."""
    words = {word for argument in typed for word in (argument, argument.partition("=")[2])}
    for word in sorted(words, key=len, reverse=True):
        if word and shown_id(word) != word:
            for spelt in (word, repr(word)[1:-1], word.strip()):
                message = message.replace(spelt, shown_id(word))
            message = without(message, secrets_in(word))
    return message


def _complain(message: str, code: int = BAD_INPUT) -> int:
    text = shortened(" ".join(message.split()), _LONGEST_MESSAGE)
    print(f"seqkit: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
