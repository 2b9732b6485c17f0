"""Both themes can be read: contrasts after WCAG 2.1, computed from the shipped configuration."""

import re
import tomllib
from itertools import product
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = tomllib.loads((ROOT / ".streamlit/config.toml").read_text("utf-8"))
THEMES = ("light", "dark")
SURFACES = ("backgroundColor", "secondaryBackgroundColor")


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_has_the_contrast_of_the_definition():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)


@pytest.mark.parametrize(("theme", "surface"), list(product(THEMES, SURFACES)))
def test_text_stands_out_from_every_surface(theme, surface):
    colours = CONFIG["theme"][theme]
    assert contrast(colours["textColor"], colours[surface]) >= 7
    assert contrast(colours["linkColor"], colours[surface]) >= 4.5


@pytest.mark.parametrize(("theme", "surface"), list(product(THEMES, SURFACES)))
def test_text_stands_out_in_the_menu(theme, surface):
    colours = CONFIG["theme"][theme]
    assert contrast(colours["textColor"], colours["sidebar"][surface]) >= 7


@pytest.mark.parametrize("theme", THEMES)
def test_the_accent_carries_white_text_and_stands_out_from_the_page(theme):
    colours = CONFIG["theme"][theme]
    assert contrast("#FFFFFF", colours["primaryColor"]) >= 4.5
    # 3:1 is asked of what is no text: frames of chosen segments, sliders.
    assert contrast(colours["primaryColor"], colours["backgroundColor"]) >= 3


def test_white_text_can_be_read_in_boxes_of_the_pipeline_that_are_done():
    rules = (ROOT / "ui" / "static" / "page.css").read_text("utf-8")
    done = re.search(r"\.pipeline-step\.done {\n  background: (#\w{6});\n  color: white;\n}", rules)[1]
    assert contrast("#FFFFFF", done) >= 4.5


def test_what_is_chosen_on_a_dark_page_is_written_in_the_blue_of_links():
    (colour,) = re.findall(r"color: (#[0-9a-f]{6})", (ROOT / "ui/static/dark.css").read_text("utf-8"))
    assert colour.upper() == CONFIG["theme"]["dark"]["linkColor"]


def test_nothing_is_fetched_or_sent_outside():
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["server"]["address"] == "localhost"
    assert "http" not in (ROOT / ".streamlit/config.toml").read_text("utf-8")
