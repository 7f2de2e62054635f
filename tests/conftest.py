"""Make `strategies` importable: pytest's importlib mode leaves sys.path alone. And a PostgreSQL server."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server of the tests' own. Skips where there is none, unless SEQKIT_REQUIRE_SERVICES=1."""
    from temp_postgres import find_binaries, temp_postgres  # noqa: PLC0415  # SQLAlchemy, for those who need it

    missing = [
        advice
        for there, advice in (
            (find_binaries(), "PostgreSQL (apt-get install postgresql)"),
            (importlib.util.find_spec("psycopg"), 'psycopg (pip install "seqkit-py[postgres]")'),
        )
        if not there
    ]
    if missing:
        why = f"missing: {', '.join(missing)}"
        if os.environ.get("SEQKIT_REQUIRE_SERVICES") == "1":
            pytest.fail(why)
        pytest.skip(why)
    with temp_postgres() as server:
        yield server
