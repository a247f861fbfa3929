"""Bars by day, one colour a model: the geometry of an inline SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from bodydouble.tasks.credits import UsageDay

WIDTH, HEIGHT = 720, 200
LEFT, BOTTOM, TOP = 44, 24, 12
LABELS_MAX = 7


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One model's part of one day, in the SVG's units."""

    x: float
    y: float
    width: float
    height: float
    series: int  # counts the models
    title: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What the template draws."""

    width: int
    height: int
    bars: Sequence[Bar]
    ticks: Sequence[tuple[float, str]]  # y and credits
    days: Sequence[tuple[float, str]]  # x and label
    models: Sequence[str]
    total: Decimal


def draw_usage(usage: Sequence[UsageDay], today: date, days: int) -> Chart:
    """The last ``days`` days, days without tasks included, oldest on the left."""
    models = sorted({entry.model for entry in usage})
    spent = {(entry.day, entry.model): entry.credits for entry in usage}
    shown = [today - timedelta(days=days - 1 - i) for i in range(days)]
    highest = max(
        (sum((spent.get((day, m), Decimal(0)) for m in models), Decimal(0)) for day in shown), default=Decimal(0)
    )
    ceiling = _round_up(float(highest))
    plot_width, plot_height = WIDTH - LEFT, HEIGHT - BOTTOM - TOP
    step = plot_width / days
    bars: list[Bar] = []
    for i, day in enumerate(shown):
        base = HEIGHT - BOTTOM
        for series, model in enumerate(models):
            amount = float(spent.get((day, model), 0))
            height = amount / ceiling * plot_height
            if amount:
                base -= height
                bars.append(
                    Bar(
                        x=round(LEFT + i * step + step * 0.15, 2),
                        y=round(base, 2),
                        width=round(step * 0.7, 2),
                        height=round(height, 2),
                        series=series,
                        title=f"{day:%d %b}: {amount:g} credits, {model}",
                    )
                )
    every = -(-days // LABELS_MAX)
    labels = [
        (round(LEFT + (i + 0.5) * step, 2), f"{day.day} {day:%b}")
        for i, day in enumerate(shown)
        if (days - 1 - i) % every == 0
    ]
    ticks = [(round(HEIGHT - BOTTOM - share * plot_height, 2), f"{ceiling * share:g}") for share in (0, 0.5, 1)]
    total = sum((entry.credits for entry in usage), Decimal(0))
    return Chart(width=WIDTH, height=HEIGHT, bars=bars, ticks=ticks, days=labels, models=models, total=total)


def _round_up(value: float) -> float:
    """To 1, 2 or 5 times a power of ten, at least 10."""
    unit = 10.0
    while True:
        for factor in (1, 2, 5):
            if value <= factor * unit:
                return factor * unit
        unit *= 10
