"""Pickers built from registries: a method by its title, its fields as widgets, its docstring as help."""

import inspect
import math
import re
import types
from collections.abc import Collection, Mapping
from dataclasses import Field, fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import streamlit as st

from spectra_core.choices import Choice, build
from spectra_core.errors import ConfigError

LABELS: dict[str, str] = {
    "n_latent": "Latent dimensions",
    "n_hidden": "Hidden units",
    "n_components": "Components",
    "n_members": "Members",
    "n_neighbours": "Neighbours",
    "coordinates": "Trained on",
    "kernels": "Computed by",
    "beta": "Weight of the KL term, beta",
    "reduction": "Averaging of the loss",
    "lr": "Learning rate",
    "std": "Standard deviation",
}
"""Labels of fields whose name does not read as one."""

_N_COLUMNS = 3

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
        Widget key; the choice is kept for the session.
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
        persist_state="session",
    )
    st.caption(str(registry[name].explanation))
    return name


def pick_options(
    member: type[Any], *, key: str, hidden: Collection[str] = (), n_columns: int = _N_COLUMNS
) -> dict[str, Any]:
    """Show the fields of a dataclass as widgets and return the values that differ from its defaults.

    Parameters
    ----------
    member
        A dataclass whose fields are numbers, truth values, text, literals, or tuples of whole numbers.
    key
        Prefix of the widget keys; the values are kept for the session.
    hidden
        Fields without a widget.
    n_columns
        Widgets beside each other.
    """
    shown = [one for one in fields(member) if one.init and one.name not in hidden]
    if not shown:
        return {}
    hints, helps = get_type_hints(member), described_parameters(member)
    columns = st.columns(min(n_columns, len(shown)), vertical_alignment="bottom")
    options = {}
    for number, one in enumerate(shown):
        with columns[number % len(columns)]:
            value = _widget(one, hints[one.name], f"{key}_{member.__name__}_{one.name}", helps.get(one.name))
        if value != default_of(one):
            options[one.name] = value
    return options


def pick(
    label: str,
    registry: Mapping[str, type[Any]],
    *,
    key: str,
    default: str | None = None,
    hidden: Collection[str] = (),
) -> Choice | None:
    """Let the visitor choose a method and its options; None, with a sentence, while they do not fit together."""
    name = pick_member(label, registry, key=key, default=default)
    return checked(registry, Choice(name, pick_options(registry[name], key=key, hidden=hidden)), label.lower())


def checked(registry: Mapping[str, type[Any]], choice: Choice, what: str) -> Choice | None:
    """Return `choice`; None, with a sentence on the page, where the method refuses its options."""
    try:
        build(registry, choice, what)
    except ConfigError as error:
        st.error(str(error), icon=":material/error:")
        return None
    return choice


def field_label(name: str) -> str:
    """Return the label of a field.

    >>> field_label("batch_size"), field_label("n_latent")
    ('Batch size', 'Latent dimensions')
    """
    return LABELS.get(name, name.removeprefix("n_").replace("_", " ").capitalize())


def described_parameters(member: type[Any]) -> dict[str, str]:
    """Return what the docstring of `member` says of every parameter (numpy style), as one paragraph each."""
    found: dict[str, str] = {}
    for one in reversed(member.__mro__):
        section = _PARAMETERS.search(inspect.getdoc(one) or "") if one.__doc__ else None
        for heading, text in _ENTRY.findall(section.group(1) + "\n") if section else ():
            for name in heading.partition(" : ")[0].split(","):
                found[name.strip()] = " ".join(text.split()).replace("``", "`")
    return found


def default_of(one: "Field[Any]") -> Any:
    """Return the default of a dataclass field.

    Raises
    ------
    ConfigError
        When it has none: a method on a page must be complete without input.
    """
    from dataclasses import MISSING

    if one.default is not MISSING:
        return one.default
    if one.default_factory is not MISSING:
        return one.default_factory()
    raise ConfigError(f"The option {one.name!r} has no default, so it cannot be shown as a widget. Give it one.")


def _widget(one: "Field[Any]", hint: Any, key: str, explanation: str | None) -> Any:
    label, default = field_label(one.name), default_of(one)
    shared: dict[str, Any] = {"key": key, "help": explanation, "persist_state": "session"}
    kind, optional = _without_none(hint)
    if get_origin(kind) is Literal:
        values = list(get_args(kind))
        return st.selectbox(label, values, index=values.index(default), **shared)
    if kind is bool:
        return st.toggle(label, value=default, **shared)
    if kind is int:
        value = st.number_input(label, value=default, step=1, **shared)
        return value if optional or value is not None else default
    if kind is float:
        value = st.number_input(label, value=default, step=_step(default), format="%g", **shared)
        return value if optional or value is not None else default
    if get_origin(kind) is tuple:
        return _whole_numbers(st.text_input(label, value=", ".join(map(str, default)), **shared), label, default)
    return st.text_input(label, value=default, **shared)


def _without_none(hint: Any) -> tuple[Any, bool]:
    """Return the type of a field, and whether None is allowed besides."""
    if get_origin(hint) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(hint) if kind is not type(None)]
        # int | float is written where both are fine; the wider one takes every value.
        return (float if set(kinds) == {int, float} else kinds[0]), type(None) in get_args(hint)
    return hint, False


def _step(default: float | None) -> float:
    """Return a step of the order of a tenth of the default.

    >>> _step(0.001), _step(1.0), _step(None)
    (0.0001, 0.1, 0.1)
    """
    if not default:
        return 0.1
    return float(10.0 ** (math.floor(math.log10(abs(default))) - 1))


def _whole_numbers(text: str, label: str, default: tuple[int, ...]) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        st.error(f"{label} are whole numbers separated by commas, got {text!r}.", icon=":material/error:")
        return default
