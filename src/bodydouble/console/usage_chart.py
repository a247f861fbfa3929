"""Geometry of the usage chart, an inline SVG: one bar a day, one colour a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from bodydouble.tasks.credits import UsageDay

DAY_WIDTH, HEIGHT = 10, 100
BAR_WIDTHS = {14: 3, 45: 6}
"""Bar width for periods up to this number of days; longer periods use ``BAR_WIDTH_MAX``."""
BAR_WIDTH_MAX = 8
LABELS_MAX = 7


@dataclass(frozen=True, kw_only=True)
class Bar:
    """The share of one model in one day, in units of the SVG."""

    x: float
    y: float
    height: float
    series: int  # index of the model
    title: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """The chart for the template. ``ticks`` go from top to bottom; ``labels`` has an entry for each day."""

    width: int
    height: int
    bar_width: int
    bars: Sequence[Bar]
    ticks: Sequence[str]
    labels: Sequence[date | None]
    models: Sequence[str]
    total: Decimal


def draw_usage(usage: Sequence[UsageDay], today: date, days: int) -> Chart:
    """The chart of the last ``days`` days, oldest on the left. Days without tasks are included."""
    models = sorted({entry.model for entry in usage})
    spent = {(entry.day, entry.model): float(entry.credits) for entry in usage}
    shown = [today - timedelta(days=days - 1 - i) for i in range(days)]
    bar_width = next((width for most, width in BAR_WIDTHS.items() if days <= most), BAR_WIDTH_MAX)
    label_every = -(-days // LABELS_MAX)
    ceiling = _round_up(max(sum(spent.get((day, model), 0) for model in models) for day in shown))
    bars: list[Bar] = []
    for i, day in enumerate(shown):
        top = float(HEIGHT)
        for series, model in enumerate(models):
            amount = spent.get((day, model), 0)
            if amount:
                height = amount / ceiling * HEIGHT
                top -= height
                x = i * DAY_WIDTH + (DAY_WIDTH - bar_width) / 2
                title = f"{day.day} {day:%b}: {amount:g} credits, {model}"
                bars.append(Bar(x=x, y=round(top, 2), height=round(height, 2), series=series, title=title))
    return Chart(
        width=days * DAY_WIDTH,
        height=HEIGHT,
        bar_width=bar_width,
        bars=bars,
        ticks=[f"{ceiling * share:,g}" for share in (1, 0.5, 0)],
        labels=[day if (days - 1 - i) % label_every == 0 else None for i, day in enumerate(shown)],
        models=models,
        total=sum((entry.credits for entry in usage), Decimal(0)),
    )


def _round_up(value: float) -> float:
    """Round up to 1, 2 or 5 times a power of ten, at least 10."""
    unit = 10.0
    while True:
        for factor in (1, 2, 5):
            if value <= factor * unit:
                return factor * unit
        unit *= 10
