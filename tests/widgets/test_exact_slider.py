"""A slider that keeps every digit of its number, and that only a hand moves."""

from __future__ import annotations

from decimal import localcontext

import pytest
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit.widgets._exact_slider import ExactSlider, _number, _words, percent
from seqkit.widgets._parts import close_all

pytestmark = pytest.mark.usefixtures("no_model_is_left")
FITTED = 0.08620689655172414


@pytest.fixture
def said():
    return []


@pytest.fixture
def slider(said):
    made = ExactSlider("rate", "exact rate", [0.0, 0.5, 1.0], 1.0, lambda *told: said.append(told), in_percent=True)
    yield made
    close_all([made])


def words(slider):
    return slider._face["words"]


def shown(slider):
    return words(slider)[slider._face["at"]]


def hand(slider, text, turn=None):
    """Send what the page sends."""
    slider._received(slider, {"set": text, "turn": slider._face["turn"] if turn is None else turn}, [])


@settings(max_examples=300)
@given(st.floats(0, 1), st.sampled_from([0, 2]))
def test_what_is_written_is_read_as_the_same_number(value, places):
    assert _number(_words(value, places), places).hex() == (value + 0.0).hex()
    with localcontext(prec=3):
        assert _number(_words(value, places), places).hex() == (value + 0.0).hex()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0%"),
        (0.003, "0.3%"),
        (0.005, "0.5%"),
        (0.0862, "8.62%"),
        (FITTED, "8.620689655172414%"),
        (0.4, "40.0%"),
        (1.0, "100.0%"),
        (1e-7, "0.00001%"),
        (5e-324, "5e-322%"),
    ],
)
def test_percentages_have_all_digits(value, text):
    assert percent(value) == text


def test_numbers_shown_are_marks_too(slider):
    slider.turn_to(FITTED, whose="core", also=[0.0862])
    assert words(slider) == ["0.0", "8.62", "8.620689655172414", "50.0", "100.0"]
    assert shown(slider) == "8.620689655172414"
    hand(slider, "50.0")
    assert slider.value == 0.5
    hand(slider, "8.620689655172414")
    assert slider.value == FITTED
    slider.turn_to(0.5, whose="api")
    assert words(slider) == ["0.0", "50.0", "100.0"]


def test_many_numbers_shown_do_not_crowd_it(slider):
    for n in range(1, 100):
        slider.value = n / 1000
    assert len(words(slider)) < 30
    assert shown(slider) == "9.9"


@pytest.mark.parametrize("text", ["8.62", " 8.62 ", "8.62%", "8.62 %", "08.620", "862e-2"])
def test_what_people_type(slider, text):
    hand(slider, text)
    assert slider.value == 0.0862


@pytest.mark.parametrize(
    "text", ["", "often", "nan", "sNaN", "inf", "-1", "100.0001", "8,62", "1e999999999", "%", "1" * 10_000, "0x1p-2"]
)
def test_nonsense_changes_nothing_and_is_said(slider, said, text):
    slider.value = 0.25
    heard = slider._face["heard"]
    hand(slider, text)
    assert slider.value == 0.25
    assert shown(slider) == "25.0"
    assert slider._face["heard"] == heard + 1  # the page waits for it
    ((sentence, is_error),) = said
    assert is_error
    assert sentence.endswith("is not a number from 0% to 100%: nothing changes")
    assert len(sentence) < 200


def test_a_hand_that_comes_late_changes_nothing(slider):
    slider.turn_to(0.25, whose="core")
    late = slider._face["turn"]
    slider.turn_to(0.125, whose="api")
    hand(slider, "50.0", turn=late)
    assert slider.value == 0.125
    slider.turn_to(0.75, whose="api")  # the same repo's: what the hand saw is meant
    hand(slider, "50.0")
    assert slider.value == 0.5
    slider.disabled = True
    hand(slider, "0.0")
    assert slider.value == 0.5


@pytest.mark.parametrize("content", [None, "set", [], {}, {"set": 0.5}, {"set": None, "turn": 0}, {"set": "50.0"}])
def test_other_messages_are_left_alone(slider, content):
    slider._received(slider, content, [])
    assert slider.value == 0.0


def test_the_state_of_the_page_is_not_the_number(slider):
    """A page that rounds what it shows and sends it back writes nothing."""
    slider.turn_to(0.003)
    slider.set_state({"value": 0.005, "_face": {**slider._face, "at": 2}})
    assert slider.value == 0.003
    assert "value" not in slider.get_state()


@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan"), float("inf")])
def test_numbers_out_of_range_are_refused(slider, value):
    with pytest.raises(traitlets.TraitError, match=f"value is {value}, expected a number from 0 to 1"):
        slider.value = value
    with pytest.raises(traitlets.TraitError):
        slider.value = "often"
    assert slider.value == 0.0


def test_minus_zero_is_zero(slider):
    slider.value = 0.5
    slider.value = -0.0
    assert slider.value.hex() == "0x0.0p+0"
