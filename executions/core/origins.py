"""Where the figures of a proposed call come from, by what the agent had read until then.

A call that was given a figure and answers with it says nothing of where the figure came from: who
asks for the record C-1003 gets a record that says C-1003.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from executions.core.figures import Figure, figures_of, keys_of, leaves, plain, stands_in

_Text = tuple[str, bool]


class Origin(StrEnum):
    RECORDS = "records"
    INPUT = "input"  # what the execution was launched with
    PERSON = "person"  # a reviewer's edit or words
    OUTSIDE = "outside"  # somebody outside wrote it, and nobody else
    FOUND = "found"  # the agent named it, and a call that was given it answered with it
    NOWHERE = "nowhere"


GOOD = (Origin.RECORDS, Origin.INPUT, Origin.PERSON)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Something that the agent had read. `value` is JSON, `step` None for what is no call.

    `outside` are the keys of `value` under which somebody outside wrote, at any depth (None: all of
    it). `given` is what the call was given; `but` what the agent had proposed before a person
    edited it into `value`. `ref` is what the caller finds it by again.
    """

    name: str
    value: Any
    origin: Origin = Origin.RECORDS
    step: int | None = None
    outside: Collection[str] | None = ()
    given: Any = None
    but: Any = None
    ref: Any = None

    def says(self, figure: Figure) -> Origin | None:
        """Return as what it says a figure; None if it does not."""
        if figure.key in self._not_new:
            return None
        if self._ours.has(figure):
            return Origin.FOUND if figure.key in self._given else self.origin
        return Origin.OUTSIDE if self._theirs.has(figure) else None

    @cached_property
    def _ours(self) -> _Texts:
        return self._texts(False)

    @cached_property
    def _theirs(self) -> _Texts:
        return self._texts(True)

    def _texts(self, theirs: bool) -> _Texts:
        written = _written(self.value, self.outside)
        return _Texts(text for text, is_theirs in written if is_theirs is theirs)

    @cached_property
    def _given(self) -> set[str]:
        return {one.key for one in figures_of(self.given)}

    @cached_property
    def _not_new(self) -> set[str]:
        return {one.key for one in figures_of(self.but)}


@dataclass(frozen=True, kw_only=True)
class Traced:
    """A figure, where it comes from, and the sources that say so, the first one first. `outside`:
    somebody outside had written it before that."""

    figure: Figure
    origin: Origin
    sources: tuple[Source, ...] = ()
    outside: Source | None = None


def trace(figures: Iterable[Figure], sources: Sequence[Source]) -> list[Traced]:
    """Return each figure with its origin. `sources` are in the order in which they were read."""
    return [_traced(one, sources) for one in figures]


def _traced(figure: Figure, sources: Sequence[Source]) -> Traced:
    said = [(origin, one) for one in sources if (origin := one.says(figure))]
    theirs = [one for origin, one in said if origin is Origin.OUTSIDE]
    found = [one for origin, one in said if origin is Origin.FOUND]
    for at, (origin, source) in enumerate(said):
        if origin in GOOD:
            before = next((one for earlier, one in said[:at] if earlier is Origin.OUTSIDE), None)
            return Traced(figure=figure, origin=origin, sources=(source,), outside=before)
    if theirs:
        return Traced(figure=figure, origin=Origin.OUTSIDE, sources=(theirs[0], *found[:1]))
    if found:
        return Traced(figure=figure, origin=Origin.FOUND, sources=(found[0],))
    return Traced(figure=figure, origin=Origin.NOWHERE)


class _Texts:
    """The texts of a source, by the figures in them and as they are written."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = [plain(text) for text in texts]
        self._keys = {key for text in self._texts for key in keys_of(text)}

    @cached_property
    def _folded(self) -> list[str]:
        return [text.casefold() for text in self._texts]

    def has(self, figure: Figure) -> bool:
        return figure.key in self._keys or any(stands_in(figure, one) for one in self._folded)


def _written(value: Any, outside: Collection[str] | None, theirs: bool = False) -> Iterator[_Text]:
    """Yield the texts, numbers and names of a source, each with whether somebody outside wrote
    it."""
    theirs = theirs or outside is None
    if isinstance(value, dict):
        for name, one in value.items():
            is_theirs = theirs or name in (outside or ())
            yield name, is_theirs
            yield from _written(one, outside, is_theirs)
    elif isinstance(value, list):
        for one in value:
            yield from _written(one, outside, theirs)
    else:
        for _, text in leaves(value):
            yield text, theirs
            if not isinstance(value, str):
                yield f"{text} %", theirs  # records say shares as plain numbers
