"""Bars by day, one colour a model: the geometry of an inline SVG that is stretched to its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from bodydouble.tasks.credits import UsageDay

DAY_WIDTH, BAR_WIDTH, HEIGHT = 10, 7, 100
LABELS = 5


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One model's part of one day, in the SVG's units."""

    x: float
    y: float
    height: float
    series: int  # counts the models
    title: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What the template draws; ``ticks`` from the top down and ``days`` from the left, each evenly spaced."""

    width: int
    height: int
    bar_width: int
    bars: Sequence[Bar]
    ticks: Sequence[str]
    days: Sequence[date]
    models: Sequence[str]
    total: Decimal


def draw_usage(usage: Sequence[UsageDay], today: date, days: int) -> Chart:
    """The last ``days`` days, days without tasks included, oldest on the left."""
    models = sorted({entry.model for entry in usage})
    spent = {(entry.day, entry.model): float(entry.credits) for entry in usage}
    shown = [today - timedelta(days=days - 1 - i) for i in range(days)]
    ceiling = _round_up(max(sum(spent.get((day, model), 0) for model in models) for day in shown))
    bars: list[Bar] = []
    for i, day in enumerate(shown):
        top = float(HEIGHT)
        for series, model in enumerate(models):
            amount = spent.get((day, model), 0)
            if amount:
                height = amount / ceiling * HEIGHT
                top -= height
                x = i * DAY_WIDTH + (DAY_WIDTH - BAR_WIDTH) / 2
                title = f"{day.day} {day:%b}: {amount:g} credits, {model}"
                bars.append(Bar(x=x, y=round(top, 2), height=round(height, 2), series=series, title=title))
    return Chart(
        width=days * DAY_WIDTH,
        height=HEIGHT,
        bar_width=BAR_WIDTH,
        bars=bars,
        ticks=[f"{ceiling * share:,g}" for share in (1, 0.5, 0)],
        days=[shown[round(i * (days - 1) / (LABELS - 1))] for i in range(LABELS)] if days >= LABELS else shown,
        models=models,
        total=sum((entry.credits for entry in usage), Decimal(0)),
    )


def _round_up(value: float) -> float:
    """To 1, 2 or 5 times a power of ten, at least 10."""
    unit = 10.0
    while True:
        for factor in (1, 2, 5):
            if value <= factor * unit:
                return factor * unit
        unit *= 10
