"""Do all blocks hold one quantity on one grid? What does not is converted, resampled, or asked about."""

from dataclasses import replace

import numpy as np

from spectra_core.datasets.blocks import Block
from spectra_core.datasets.conversions import converted_signal
from spectra_core.datasets.questions import Problem, choice
from spectra_core.datasets.recipe import Recipe
from spectra_core.datasets.resampling import onto_first_grid, same_within_rounding

_FEWEST = 3
_CONVERTED = frozenset({"Absorbance", "Transmittance", "Reflectance"})


def agreeing(blocks: list[Block], recipe: Recipe) -> tuple[list[Block], list[str], list[Problem]]:
    """Return the blocks that can be stacked, notes on what was done to them, and what a person must decide."""
    problems: list[Problem] = []
    first = blocks[0]
    kinds = {(block.signal_quantity, block.signal_unit) for block in blocks}
    if len(kinds) > 1:
        kept = [
            block
            for block in blocks
            if (block.signal_quantity, block.signal_unit) == (first.signal_quantity, first.signal_unit)
        ]
        wanted = recipe.signal_quantity or recipe.convert_signal
        if wanted is None:
            problems.append(_mixed_units(blocks))
        blocks = _one_quantity(blocks, kept, recipe)
        first = blocks[0]
    units = list(dict.fromkeys(block.axis_unit for block in blocks if block.axis_unit))
    if recipe.axis_unit is not None:
        blocks = [replace(block, axis_unit=recipe.axis_unit) for block in blocks]
    elif len(units) > 1:
        problems.append(_mixed_axes(units))
        blocks = [block for block in blocks if block.axis_unit in {"", units[0]}]
    blocks, asked = _each_once(blocks, recipe)
    problems += asked
    blocks, notes = _one_axis(blocks)
    first = blocks[0]
    same = all(_same_positions(first, block) for block in blocks)
    if not same:
        if recipe.resample is None:
            problems.append(_different_grids(blocks))
            blocks = [block for block in blocks if _same_positions(first, block)]
        else:
            blocks, note = onto_first_grid(blocks, recipe.resample)
            return blocks, [*notes, note], problems
    return blocks, notes, problems


def _each_once(blocks: list[Block], recipe: Recipe) -> tuple[list[Block], list[Problem]]:
    """Ask about tables that name the same spectra: repeats, or one before and one after a treatment."""
    named: dict[frozenset[str], list[Block]] = {}
    for block in blocks:
        texts = [one.text for one in block.columns if one.text and len(set(one.text)) == len(one.text)]
        ids = block.names or next(iter(texts), ())
        if len(ids) >= _FEWEST:
            named.setdefault(frozenset(ids), []).append(block)
    for same, alike in named.items():
        sources = list(dict.fromkeys(block.source for block in alike))
        said = [source for source in sources if {source, source.rsplit(" / ", 1)[-1]} & set(recipe.parts)]
        if len(sources) < 2 or len(sources) != len(alike) or len(said) == len(sources):
            continue
        ways = [
            choice(f"Use only {one}", parts={other: "spectra" if other == one else "ignored" for other in sources})
            for one in sources
        ]
        ways.append(choice("All are spectra, some of them repeats", parts=dict.fromkeys(sources, "spectra")))
        text = (
            f"{', '.join(sources[:-1])} and {sources[-1]} name the same spectra ({', '.join(sorted(same)[:3])}, …): "
            "they may be repeats, or the same spectra before and after a treatment. Say which."
        )
        return [block for block in blocks if block.source not in sources[1:]], [
            Problem("same spectra", text, tuple(ways), readings=True)
        ]
    return blocks, []


def _one_axis(blocks: list[Block]) -> tuple[list[Block], list[str]]:
    """Put blocks whose axes are equal within the rounding of their digits onto the axis of the first."""
    kept = [blocks[0]]
    largest = 0.0
    for block in blocks[1:]:
        alike = next((one for one in kept if _alike(one, block)), None)
        if alike is not None and alike.positions is not None and block.positions is not None:
            largest = max(largest, float(np.abs(alike.positions - block.positions).max()))
        kept.append(block if alike is None else replace(block, positions=alike.positions))
    if largest == 0.0:
        return kept, []
    return kept, [f"Axes that differ by at most {largest:.3g}, less than a hundredth of a step, are taken as one."]


def _alike(one: Block, other: Block) -> bool:
    if one.positions is None or other.positions is None or not np.isfinite([*one.positions, *other.positions]).all():
        return False
    return (one.axis_unit or other.axis_unit) == (other.axis_unit or one.axis_unit) and same_within_rounding(
        one.positions, other.positions
    )


def _one_quantity(blocks: list[Block], kept: list[Block], recipe: Recipe) -> list[Block]:
    goal = recipe.convert_signal
    if goal is None:
        of_quantity = [block for block in blocks if block.signal_quantity == recipe.signal_quantity]
        wanted = [block for block in of_quantity if recipe.signal_unit in {None, block.signal_unit}]
        return wanted or kept
    return [
        replace(
            block,
            signal=converted_signal(block.signal, block.signal_quantity, block.signal_unit, goal),
            signal_quantity=goal,
            signal_unit="",
        )
        for block in blocks
    ]


def _mixed_units(blocks: list[Block]) -> Problem:
    kinds = dict.fromkeys((block.signal_quantity, block.signal_unit) for block in blocks)
    words = [", ".join(filter(None, kind)) or "unnamed" for kind in kinds]
    ways = [
        choice(f"Use only {word}", signal_quantity=name, signal_unit=unit)
        for word, (name, unit) in zip(words, kinds, strict=True)
    ]
    if all(name in _CONVERTED for name, _ in kinds):
        ways.append(choice("Convert all to absorbance", convert_signal="Absorbance"))
        ways.append(choice("Convert all to transmittance", convert_signal="Transmittance"))
    text = f"The files mix {words[0]} with {', '.join(sorted(words[1:]))}; one set holds one quantity. Choose one"
    text += ", or convert." if len(ways) > len(kinds) else "."
    return Problem("mixed quantities", text, tuple(ways), readings=True)


def _mixed_axes(units: list[str]) -> Problem:
    ways = [choice(f"All are in {unit}", axis_unit=unit) for unit in units]
    text = (
        f"The files give their axes in different units: {', '.join(units)}. Load those of one unit together, "
        "or say which unit all of them have."
    )
    return Problem("mixed axes", text, tuple(ways))


def _different_grids(blocks: list[Block]) -> Problem:
    grids = sorted({_grid_words(block) for block in blocks})
    return Problem(
        "different grids",
        f"The spectra lie on {len({_key(block) for block in blocks})} different grids ({'; '.join(grids[:3])}"
        f"{'; ...' if len(grids) > 3 else ''}). Put them on the grid of the first one, within the common range.",
        (choice("Resample linearly", resample="linear"), choice("Resample with cubic splines", resample="cubic")),
    )


def _grid_words(block: Block) -> str:
    if block.positions is None:
        return f"{block.signal.shape[1]} channels without positions"
    first, last = block.positions[0], block.positions[-1]
    return f"{len(block.positions)} channels from {first:g} to {last:g} {block.axis_unit}".rstrip()


def _key(block: Block) -> bytes:
    return b"" if block.positions is None else block.positions.tobytes()


def _same_positions(one: Block, other: Block) -> bool:
    if one.positions is None or other.positions is None:
        return one.positions is other.positions and one.signal.shape[1] == other.signal.shape[1]
    unlike = one.axis_unit and other.axis_unit and one.axis_unit != other.axis_unit
    return not unlike and np.array_equal(one.positions, other.positions, equal_nan=True)
