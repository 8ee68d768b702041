"""Shapes with places: what a layout hands to the SVG template. Lengths are SVG units, about a pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

from orchestrator.reporting.columns import columns, shorten
from orchestrator.reporting.escape import visible
from orchestrator.reporting.graph import Card, Edge, Group, Outside, standings

LABEL_HEIGHT = 20.0
PORT_STEP = 28.0
GROUP_PAD = 12.0
GROUP_HEAD = 30.0
CARD_GAP = 10.0
OUTSIDE_WIDTH = 132.0
OUTSIDE_HEIGHT = 84.0
# Full cards up to this many servers in a group; then name and address only, in columns; then one tile each.
FULL_CARDS, SMALL_CARDS = 4, 18
_MOST_LARGE_TILES = 60
_TILES_HEAD = 20.0
_FULL_WIDTH, _FULL_HEIGHT, _VOLUME_LINE = 208.0, 72.0, 19.0
_SMALL_WIDTH, _SMALL_HEIGHT = 148.0, 44.0


@dataclass(frozen=True)
class Box:
    """A rectangle; `x` and `y` are its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    def overlaps(self, other: Box) -> bool:
        """Whether the two share any area; touching edges do not count."""
        return (
            self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom
        )

    def holds(self, other: Box) -> bool:
        return (
            self.x <= other.x
            and self.y <= other.y
            and self.right >= other.right
            and self.bottom >= other.bottom
        )


@dataclass(frozen=True)
class PlacedCard:
    box: Box
    card: Card
    name: str
    address: str
    facts: str
    volumes: Sequence[str]
    full: bool


@dataclass(frozen=True)
class Tile:
    """One server of a large group, as a small square."""

    x: float
    y: float
    side: float
    card: Card


@dataclass(frozen=True)
class PlacedGroup:
    """A group with its cards, or with a line of counts and tiles where it is large."""

    box: Box
    group: Group
    title: str
    cards: Sequence[PlacedCard]
    counts: str = ""
    tiles: Sequence[Tile] = ()


@dataclass(frozen=True)
class PlacedNetwork:
    box: Box
    name: str
    cidr: str


@dataclass(frozen=True)
class PlacedOutside:
    box: Box
    outside: Outside
    title: str
    note: str


@dataclass(frozen=True)
class Arrow:
    """A right-angled line through `points`; the head sits on the last one."""

    edge: Edge
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Label:
    """What may flow, written on the last stretch of the arrows that share it."""

    box: Box
    text: str
    backup: bool


@dataclass(frozen=True)
class Drawing:
    width: float
    height: float
    networks: Sequence[PlacedNetwork]
    groups: Sequence[PlacedGroup]
    outsides: Sequence[PlacedOutside]
    arrows: Sequence[Arrow]
    labels: Sequence[Label]


def fitted(text: str, room: float, size: float) -> str:
    """The text cut to `room`, reckoned with the widest common letters so that no font makes it spill."""
    return shorten(visible(text), max(1, int(room / (size * 0.61))))


def text_width(text: str, size: float) -> float:
    return columns(text) * size * 0.61


def group_size(group: Group, ports: int, *, most_across: int = 3) -> tuple[float, float]:
    """Width and height of a group that has room for its cards and for `ports` arrows on a side."""
    if len(group.cards) > SMALL_CARDS:
        columns_, rows_ = _tile_grid(len(group.cards), most_across)
        step = _tile_step(len(group.cards))
        height = GROUP_HEAD + _TILES_HEAD + rows_ * step + GROUP_PAD
        return max(_FULL_WIDTH, columns_ * step) + 2 * GROUP_PAD, max(height, port_room(ports))
    across, width, heights = _grid(group, most_across)
    rows = [heights[i : i + across] for i in range(0, len(heights), across)]
    height = GROUP_HEAD + sum(max(row) for row in rows) + CARD_GAP * (len(rows) - 1) + GROUP_PAD
    full_width = 2 * GROUP_PAD + across * width + (across - 1) * CARD_GAP
    return full_width, max(height, port_room(ports))


def port_room(ports: int) -> float:
    """How high a side must be for that many arrows, each with its label."""
    return ports * PORT_STEP + 16


def _tile_grid(count: int, most_across: int) -> tuple[int, int]:
    """Columns and rows of tiles: twice as wide as high, on a phone as wide as its one column."""
    phone = 11 if count <= _MOST_LARGE_TILES else 17
    across = phone if most_across < 3 else min(40, max(16, ceil(sqrt(2 * count))))
    return across, ceil(count / across)


def _tile_step(count: int) -> float:
    """From one tile to the next: small in large groups, so that the words beside them stay readable."""
    return 19.0 if count <= _MOST_LARGE_TILES else 13.0


def _grid(group: Group, most_across: int) -> tuple[int, float, list[float]]:
    if len(group.cards) <= FULL_CARDS:
        return 1, _FULL_WIDTH, [_FULL_HEIGHT + _VOLUME_LINE * len(card.volumes) for card in group.cards]
    across = min(most_across, 1 + (len(group.cards) > 6) + (len(group.cards) > 14))
    return across, _SMALL_WIDTH, [_SMALL_HEIGHT] * len(group.cards)


def place_group(group: Group, box: Box, *, most_across: int = 3) -> PlacedGroup:
    """The group's frame with its cards inside, row by row; together they take the frame's whole width."""
    title = fitted(group.title, box.width - 2 * GROUP_PAD, 13)
    if len(group.cards) > SMALL_CARDS:
        counts = fitted(standings(group.cards, brief=True), box.width - 2 * GROUP_PAD, 11.5)
        return PlacedGroup(box, group, title, (), counts, _tiles(group, box, most_across))
    across, _, heights = _grid(group, most_across)
    card_width = (box.width - 2 * GROUP_PAD - (across - 1) * CARD_GAP) / across
    cards, top = [], box.y + GROUP_HEAD
    for start in range(0, len(heights), across):
        row = range(start, min(start + across, len(heights)))
        for i in row:
            left = box.x + GROUP_PAD + (i - start) * (card_width + CARD_GAP)
            cards.append(
                _place_card(
                    group.cards[i],
                    Box(left, top, card_width, heights[i]),
                    full=len(group.cards) <= FULL_CARDS,
                )
            )
        top += max(heights[i] for i in row) + CARD_GAP
    return PlacedGroup(box, group, title, cards)


def _tiles(group: Group, box: Box, most_across: int) -> list[Tile]:
    across, _ = _tile_grid(len(group.cards), most_across)
    step = _tile_step(len(group.cards))
    left, top = box.x + GROUP_PAD, box.y + GROUP_HEAD + _TILES_HEAD
    return [
        Tile(left + (i % across) * step, top + (i // across) * step, step * 0.76, card)
        for i, card in enumerate(group.cards)
    ]


def _place_card(card: Card, box: Box, *, full: bool) -> PlacedCard:
    # The state's word stands at the right of the name (84 wide); small cards have its symbol only.
    return PlacedCard(
        box,
        card,
        name=fitted(card.name, box.width - (24 + 88 if full else 24 + 20), 13.5),
        address=fitted(card.address, box.width - 24, 12),
        facts=fitted(card.facts, box.width - 24, 11.5),
        volumes=[fitted(volume, box.width - 44, 11.5) for volume in card.volumes],
        full=full,
    )


def place_outside(outside: Outside, box: Box) -> PlacedOutside:
    """An outside party with its two lines of text cut to fit."""
    return PlacedOutside(
        box, outside, fitted(outside.title, box.width - 16, 13), fitted(outside.note, box.width - 16, 11)
    )


def label_width(text: str) -> float:
    """How wide the plate under an arrow's label is."""
    return max(30.0, text_width(text, 11.5) + 16)
