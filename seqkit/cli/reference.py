"""``reference``: the documentation as web pages that need no network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from seqkit.cli.printing import console, named

__all__ = ["reference"]


def reference(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="Where the pages go; index.html is the first.")],
    notebooks: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="The notebooks of the guide; by default those of the checkout."),
    ] = None,
) -> None:
    """Write the documentation as web pages that need no network: guide, recipes, gallery, reference."""
    from seqkit.cli.site import guide  # noqa: PLC0415  # what draws is heavy
    from seqkit.cli.site.building import MissingExtra, build  # noqa: PLC0415

    found = guide.notebooks_in(notebooks)
    try:
        warnings, status = build(folder, found)
    except MissingExtra as error:
        typer.echo(f'Error: {error}: pip install "seqkit-py[docs]"', err=True)
        raise typer.Exit(2) from None
    typer.echo(warnings, err=True, nl=False)
    if not found:
        console().print(
            Text("The guide is left out: its notebooks are in the checkout, not in the package; --notebooks FOLDER.")
        )
    console().print(Text(f"{named(str(Path(folder, 'index.html')))}: the first page of the documentation."))
    if status:
        raise typer.Exit(status)
