"""Draw the favicon and the logos: a measured spectrum in blue, a generated one in orange. Needs Pillow only."""

import math
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

BLUE, ORANGE = (0, 114, 178), (204, 132, 0)
TEXT = {"light": (52, 70, 86), "dark": (206, 215, 223)}
SCALE = 8  # drawn larger, then reduced, for smooth lines
FOLDER = Path(__file__).resolve().parents[1] / "ui" / "static"


def band(x: float, centre: float, width: float) -> float:
    return math.exp(-0.5 * ((x - centre) / width) ** 2)


def curve(shift: float, height: float) -> list[tuple[float, float]]:
    xs = [i / 800 for i in range(801)]
    return [(x, height * (0.95 * band(x, 0.26 + shift, 0.09) + 0.5 * band(x, 0.64 + shift, 0.09))) for x in xs]


def mark(size: int) -> Image.Image:
    side = size * SCALE
    image = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(image)
    for shift, height, colour in ((0.17, 0.78, ORANGE), (0.0, 1.0, BLUE)):
        radius = side * 0.045
        for x, y in curve(shift, height):
            at_x, at_y = side * (0.06 + 0.88 * x), side * (0.9 - 0.82 * y)
            draw.ellipse([at_x - radius, at_y - radius, at_x + radius, at_y + radius], fill=colour)
    return image.resize((size, size), Image.Resampling.LANCZOS)


def logo(theme: str, height: int = 96) -> Image.Image:
    font = ImageFont.truetype("DejaVuSans.ttf", int(height * 0.5) * 2)
    name = "Latent Spectra"
    width = int(font.getlength(name))
    text = Image.new("RGBA", (width + 4, height * 2))
    ImageDraw.Draw(text).text((0, height), name, font=font, fill=TEXT[theme], anchor="lm")
    text = text.resize((text.width // 2, height), Image.Resampling.LANCZOS)
    image = Image.new("RGBA", (height + height // 4 + text.width, height))
    image.paste(mark(height), (0, 0))
    image.paste(text, (height + height // 4, 0))
    return image


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    mark(64).save(FOLDER / "favicon.png", optimize=True)
    for theme in TEXT:
        logo(theme).save(FOLDER / f"logo_{theme}.png", optimize=True)
