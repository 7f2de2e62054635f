"""Make `tests.tools` importable: pytest's importlib mode leaves sys.path alone. And services: databases, browsers."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no fault of what is tested: no example has a deadline. In CI the examples are the same each
# time, so that a change fails for what it changed; elsewhere new ones are looked for, and the blob repeats one.
# Fifty examples are enough for every run; `--hypothesis-profile=many` looks at many times as many.
settings.register_profile(
    "seqkit", max_examples=50, deadline=None, derandomize=bool(os.environ.get("CI")), print_blob=True
)
settings.register_profile("many", settings.get_profile("seqkit"), max_examples=1_000)
settings.load_profile("seqkit")

sys.path.insert(0, str(Path(__file__).parents[1]))


def _need(*services: tuple[object, str]) -> None:
    """Skip where something is missing, and say what; with SEQKIT_REQUIRE_SERVICES=1 fail."""
    missing = [advice for there, advice in services if not there]
    if missing:
        why = f"missing: {', '.join(missing)}"
        if os.environ.get("SEQKIT_REQUIRE_SERVICES") == "1":
            pytest.fail(why)
        pytest.skip(why)


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server of the tests' own. Skips where there is none, unless SEQKIT_REQUIRE_SERVICES=1."""
    from tests.tools.temp_postgres import find_binaries, temp_postgres  # noqa: PLC0415  # SQLAlchemy, for those who need it

    _need(
        (find_binaries(), "PostgreSQL (apt-get install postgresql)"),
        (importlib.util.find_spec("psycopg"), 'psycopg (pip install "seqkit-py[postgres]")'),
    )
    with temp_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def lab():
    """JupyterLab in a headless Chromium, see tests/tools/browser.py. Skips as `postgres` does.

    A test file each: Playwright keeps an event loop running, in which `asyncio.run` of other tests would fail.
    """
    _need(
        (importlib.util.find_spec("playwright"), 'Playwright (pip install "seqkit-py[test]")'),
        (importlib.util.find_spec("jupyterlab"), 'JupyterLab (pip install "seqkit-py[test]")'),
    )
    from tests.tools.browser import find_chromium, open_lab  # noqa: PLC0415  # Playwright, for those who need it

    _need((find_chromium(), "Chromium (apt-get install chromium)"))
    with open_lab() as started:
        yield started


@pytest.fixture
def settings_untouched():
    """No picture changes matplotlib's settings; what a test has drawn is closed."""
    import matplotlib as mpl  # noqa: PLC0415  # for those who draw
    import matplotlib.pyplot as plt  # noqa: PLC0415

    before = dict(mpl.rcParams)
    yield
    plt.close("all")
    assert dict(mpl.rcParams) == before


@pytest.fixture
def no_model_is_left():
    """Every widget that a test makes is closed with all its parts: no model stays in the kernel."""
    from ipywidgets.widgets import widget  # noqa: PLC0415  # for those who use widgets

    before = set(widget._instances)
    yield
    assert set(widget._instances) == before
