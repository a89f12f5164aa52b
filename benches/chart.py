"""A bar chart of ratios, as SVG."""

import math
from html import escape

WIDTH = 860
LEFT = 300
RIGHT = 70
BAR = 16
STEP = 24
GAP = 34
# A longer bar is cut off, so that the short ones can be told apart.
LONGEST = 12

STYLE = """\
text { font: 12px sans-serif; fill: #222 }
.title { font-weight: bold }
.ours { fill: #2b6cb0 }
.other { fill: #b8b8b8 }
.quartiles { stroke: #222; stroke-width: 2 }
.tick { stroke: #e2e2e2 }
.one { stroke: #222 }
"""


def draw(sections):
    """[(title, [(name, Spread, is_ours)])] -> SVG, with one axis from zero for all bars."""
    longest = max(spread.median for _, rows in sections for _, spread, _ in rows)
    end = min(LONGEST, math.ceil(longest + 0.5))

    def x(ratio):
        return LEFT + min(ratio, end) / end * (WIDTH - LEFT - RIGHT)

    marks = []
    y = 32
    for title, rows in sections:
        marks.append(text(16, y, title, 'class="title"'))
        y += 12
        for name, spread, is_ours in rows:
            middle = y + BAR / 2
            first, third = x(spread.first), x(spread.third)
            kind = "ours" if is_ours else "other"
            label = number(spread.median) + (" →" if spread.median > end else "")
            marks += [
                text(LEFT - 8, middle + 4, name, 'text-anchor="end"'),
                f'<rect x="{LEFT}" y="{y}" width="{x(spread.median) - LEFT:.1f}" height="{BAR}" class="{kind}"/>',
                line(first, middle, third, middle, "quartiles"),
                text(max(x(spread.median), third) + 6, middle + 4, label),
            ]
            y += STEP
        y += GAP - 12
    bottom = y - GAP + 10
    axis = []
    for tick in range(end + 1):
        axis.append(line(x(tick), 16, x(tick), bottom, "one" if tick == 1 else "tick"))
        axis.append(text(x(tick), bottom + 16, tick, 'text-anchor="middle"'))
    note = "times the baseline; a bar is the median, and the line on it the quartiles"
    height = bottom + 48
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Ratios to the baselines">',
            f"<style>\n{STYLE}</style>",
            f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
            *axis,
            *marks,
            text(LEFT, height - 12, note),
            "</svg>\n",
        ]
    )


def text(x, y, words, attributes=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" {attributes}>{escape(str(words))}</text>'


def line(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def number(ratio):
    """As many digits as mean something."""
    if ratio >= 100:
        return f"{ratio:.0f}"
    if ratio >= 10:
        return f"{ratio:.1f}"
    return f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.3f}"
