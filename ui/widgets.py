"""Pickers built from registries: a method by its title, its fields as widgets, its docstring as help."""

import inspect
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import MISSING, fields, replace
from functools import cache
from typing import Any

import streamlit as st

from spectra_core.choices import Choice, build
from spectra_core.errors import ConfigError
from spectra_core.options import Option, Seed, option_of, options_of
from ui.text import sentence

_N_COLUMNS = 3
VALUES = {"numba": "compiled kernels (numba)", "torch": "plain PyTorch", "auto": "an accelerator, if there is one"}
"""Values of options that do not read as words."""
_CHOSEN = {None: "As left-out spectra say", True: "Yes", False: "No"}
"""What an option that takes true, false or none says of each."""

_PARAMETERS = re.compile(r"Parameters\n-+\n(.*?)(?:\n\n\w[^\n]*\n-+\n|\Z)", re.DOTALL)
_ENTRY = re.compile(r"^(\S[^\n]*)\n((?:[ ]+\S[^\n]*\n?|\n)*)", re.MULTILINE)
"""The section of a numpy docstring, and each of its entries: heading and indented text."""


def pick_member(label: str, registry: Mapping[str, type[Any]], *, key: str, default: str | None = None) -> str:
    """Let the visitor choose a method of `registry` by its title, and explain it in one sentence.

    Parameters
    ----------
    label
        What is chosen: "Generator".
    registry
        Members by name, each with ``title`` and ``explanation``.
    key
        Widget key, and what the choice is called in the address of the page, which keeps it.
    default
        Name of the member chosen first; the first of the registry by default.

    Returns
    -------
    str
        The name in the registry.
    """
    names = list(registry)
    name: str = st.selectbox(
        label,
        names,
        index=names.index(default) if default in names else 0,
        key=key,
        format_func=lambda member: str(registry[member].title),
        bind="query-params",
    )
    st.caption(str(registry[name].explanation))
    return name


def pick_options(
    member: type[Any],
    *,
    key: str,
    hidden: Collection[str] = (),
    n_columns: int = _N_COLUMNS,
    presets: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Show the options of a dataclass as widgets and return the values that differ from its defaults.

    Parameters
    ----------
    member
        A dataclass whose annotations declare its options; see `spectra_core.options`.
    key
        Prefix of the widget keys; the values are kept for the session.
    hidden
        Options without a widget.
    n_columns
        Widgets beside each other.
    presets
        What the page shows first in place of the declared defaults. Networks are compiled where that is possible.
    """
    from spectra_core.training.plan import kernels_here

    presets = {"kernels": kernels_here(), **(presets or {})}
    shown = {name: option for name, option in options_of(member).items() if name not in hidden}
    if not shown:
        return {}
    columns = st.columns(min(n_columns, len(shown)), vertical_alignment="bottom")
    options = {}
    for number, (name, option) in enumerate(shown.items()):
        with columns[number % len(columns)]:
            changed = {"default": presets[name]} if name in presets else {}
            value = field(member, name, key=f"{key}_{member.__name__}_{name}", **changed)
        if value != option.default:
            options[name] = value
    return options


def pick(
    label: str,
    registry: Mapping[str, type[Any]],
    *,
    key: str,
    default: str | None = None,
    n_columns: int = _N_COLUMNS,
    presets: Mapping[str, Any] | None = None,
) -> Choice | None:
    """Let the visitor choose a method and its options; None, with a sentence, while they do not fit together."""
    name = pick_member(label, registry, key=key, default=default)
    options = pick_options(registry[name], key=key, n_columns=n_columns, presets=presets)
    return checked(registry, Choice(name, options), label.lower())


def checked(registry: Mapping[str, type[Any]], choice: Choice, what: str) -> Choice | None:
    """Return `choice`; None, with a sentence on the page, where the method refuses its options."""
    try:
        build(registry, choice, what)
    except ConfigError as error:
        st.error(sentence(error), icon=":material/error:")
        return None
    return choice


def field(member: type[Any], name: str, *, key: str, **changed: Any) -> Any:
    """Show one option of a dataclass as a widget, in the range and with the default that it declares.

    Parameters
    ----------
    changed
        What the page says otherwise: fields of `Option`, such as ``default`` or a narrower ``range``; or arguments of
        the Streamlit widget, such as ``help``.

    Returns
    -------
    The value; where a widget is left empty, None if the option takes that, else its default.

    Raises
    ------
    ConfigError
        When it has no default: a method on a page must be complete without input.
    """
    declared = {part.name for part in fields(Option)}
    option = replace(options_of(member)[name], **{name: changed.pop(name) for name in declared & set(changed)})
    if option.default is MISSING:
        raise ConfigError(f"The option {name!r} has no default, so it cannot be shown as a widget. Give it one.")
    shared = {"key": key, "help": described_parameters(member).get(name), "persist_state": "session", **changed}
    if option.values:
        shared = {"format_func": lambda value: VALUES.get(value, str(value)), **shared}
        return st.selectbox(option.label, option.values, index=option.values.index(option.default), **shared)
    if option.kind is bool and option.optional:
        at = list(_CHOSEN).index(option.default)
        return st.selectbox(option.label, list(_CHOSEN), index=at, format_func=_CHOSEN.__getitem__, **shared)
    if option.kind is bool:
        return st.toggle(option.label, value=option.default, **shared)
    if option.kind is tuple:
        text = st.text_input(option.label, value=", ".join(map(str, option.default)), **shared)
        return _whole_numbers(text, option)
    if option.range is None:
        return st.text_input(option.label, value=option.default, **shared)
    written = {"format": "%d" if option.kind is int else "%g"}
    value = st.number_input(option.label, **limits(option), **{**written, **shared})
    return value if option.optional or value is not None else option.default


def pick_seed(key: str) -> int:
    """Let the visitor choose what decides everything random."""
    seed = option_of("seed", Seed, 0)
    return int(st.number_input(seed.label, **limits(seed), key=key, persist_state="session"))


def limits(option: Option) -> dict[str, Any]:
    """Return value, ends and step of a number, all of its kind, as Streamlit's number inputs and sliders take them."""
    assert option.range is not None
    kind = int if option.kind is int else float
    step = option.range.step or (1 if kind is int else _step(option.default))
    given = {"min_value": option.range.least, "max_value": option.range.most, "value": option.default, "step": step}
    return {name: None if number is None else kind(number) for name, number in given.items()}


def described_parameters(member: Any) -> dict[str, str]:
    """Return what the docstring of `member` says of every parameter (numpy style), as one paragraph each."""
    return _described(member)


@cache
def _described(member: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in reversed(member.__mro__):
        section = _PARAMETERS.search(inspect.getdoc(one) or "") if one.__doc__ else None
        for heading, text in _ENTRY.findall(section.group(1) + "\n") if section else ():
            for name in heading.partition(" : ")[0].split(","):
                found[name.strip()] = " ".join(text.split()).replace("``", "`")
    return found


def _step(default: float | None) -> float:
    """Return a step of the order of a tenth of the default.

    >>> _step(0.001), _step(1.0), _step(None)
    (0.0001, 0.1, 0.1)
    """
    if not default:
        return 0.1
    return float(10.0 ** (math.floor(math.log10(abs(default))) - 1))


def _whole_numbers(text: str, option: Option) -> Any:
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        st.error(
            sentence(f"{option.label} are whole numbers separated by commas, got {text!r}."), icon=":material/error:"
        )
        return option.default
