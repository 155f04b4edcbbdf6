"""Everything that a screen shows of a run, as one frozen record that an address can name and undo goes back to."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace

from curation.errors import DataError
from curation.exploring.samples import SPACES
from curation.exploring.selection import Node, checked, facet
from curation.words import MEASURES
from lsmi_core import TERMS

__all__ = ["SHOWS", "View"]

SHOWS = ("categories", "distributions", "map", "quadrants", "suspects", "table")
_CHOICES = {
    "show": SHOWS, "unit": ("nats", "bits"), "shift": ("raw", "adjusted"), "space": SPACES[:4],
    "sort_by": (*TERMS, "label", "n"), "which": ("label_error", "swapped_pair", "copies"),
    "order": (*TERMS, "misleading"),
}  # fmt: skip


@dataclass(frozen=True)
class View:
    """What is on show. The defaults are what a first visit sees.

    Attributes
    ----------
    measure : str
        Definition of redundancy; empty for the one that the run was scored with.
    show : str
        One of :data:`SHOWS`.
    unit : {"nats", "bits"}
    shift : {"raw", "adjusted"}
        Whether means are shifted to be non-negative.
    sort_by : str
        Order of the categories.
    find : str
        Only categories that hold these letters.
    top : int
        Most categories drawn at once.
    space : str
        The map on show.
    colour : str
        What colours the map: ``label``, ``group``, ``tag``, or a score.
    which : str
        The kind of suspects on show.
    order : str
        Order of the gallery.
    filters : tuple of dict
        Expressions that all hold for the samples on show.
    chosen : str
        Identifier of the sample on the card; empty for one worth a look.
    """

    measure: str = ""
    show: str = "categories"
    unit: str = "nats"
    shift: str = "raw"
    sort_by: str = "r"
    find: str = ""
    top: int = 12
    space: str = "both"
    colour: str = "label"
    which: str = "label_error"
    order: str = "misleading"
    filters: tuple[Node, ...] = ()
    chosen: str = ""

    @classmethod
    def from_json(cls, data: object) -> View:
        """Return the view that plain data tells of; what it does not tell, or tells wrongly, is as at first.

        A view of another version is no reason to show nothing. Its filters must all be understood, else none is used:
        half of them would select other samples than it says.
        """
        known = data if isinstance(data, dict) else {}
        told = {f.name: known[f.name] for f in fields(cls) if type(known.get(f.name)) is type(f.default)}
        told |= {name: getattr(cls, name) for name, among in _CHOICES.items() if told.get(name) not in among}
        told |= {} if told.get("measure", "") in ("", *MEASURES) else {"measure": ""}
        return replace(cls(**told), filters=_understood(known.get("filters")))

    def to_json(self) -> dict:
        """Return plain data for a table."""
        return asdict(self)

    @property
    def selection(self) -> Node:
        """The expression of all filters together."""
        if not self.filters:
            return {"kind": "all"}
        return self.filters[0] if len(self.filters) == 1 else {"kind": "and", "parts": list(self.filters)}

    def narrowed(self, node: Node) -> View:
        """Return the view with one more filter, in the place of an earlier one about the same."""
        about = facet(node)
        kept = [other for other in self.filters if not about or facet(other) != about]
        return replace(self, filters=(*kept, checked(node)))

    def without(self, position: int) -> View:
        """Return the view without one of its filters."""
        return replace(self, filters=tuple(f for i, f in enumerate(self.filters) if i != position))

    def widened(self, about: str) -> View:
        """Return the view without the filter about something."""
        return replace(self, filters=tuple(f for f in self.filters if facet(f) != about))

    def combined(self, how: str, node: Node) -> View:
        """Return the view with its selection combined with another one.

        Parameters
        ----------
        how : {"and", "or", "not"}
            Keep what is in both, take in what is in the other, leave out what is in the other.
        node : dict
        """
        node = checked(node)
        if how == "or":
            return replace(self, filters=({"kind": "or", "parts": [self.selection, node]},))
        more = {"kind": "not", "part": node} if how == "not" else node
        return replace(self, filters=(*self.filters, more))

    def filter_about(self, about: str) -> Node | None:
        """Return the filter about something, or None."""
        return next((f for f in self.filters if facet(f) == about), None)


def _understood(filters: object) -> tuple[Node, ...]:
    try:
        return tuple(checked(node) for node in filters) if isinstance(filters, list | tuple) else ()
    except DataError:
        return ()
