"""Draws what was measured as an SVG: one panel for each line, with what happened meanwhile above."""

WIDTH, HEIGHT, LEFT, TOP, GAP = 900, 150, 90, 72, 46


def draw(path, samples, marks):
    """`samples`: dictionaries with `at` in seconds; `marks`: pairs of seconds and words."""
    names = [name for name in samples[0] if name != "at"]
    end = max(samples[-1]["at"], 1)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{TOP + len(names) * (HEIGHT + GAP) + 20}" '
        'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
    ]

    def x(at):
        return LEFT + at / end * (WIDTH - LEFT - 20)

    for row, name in enumerate(names):
        top = TOP + row * (HEIGHT + GAP)
        known = [(sample["at"], sample[name]) for sample in samples if sample[name] is not None]
        most = max((value for _, value in known), default=1) or 1
        points = " ".join(f"{x(at):.1f},{top + HEIGHT - value / most * HEIGHT:.1f}" for at, value in known)
        out.append(f'<text x="{LEFT}" y="{top - 8}" font-weight="bold">{name}</text>')
        out.append(f'<text x="{LEFT - 8}" y="{top + 10}" text-anchor="end">{most:.4g}</text>')
        out.append(f'<text x="{LEFT - 8}" y="{top + HEIGHT}" text-anchor="end">0</text>')
        out.append(f'<rect x="{LEFT}" y="{top}" width="{WIDTH - LEFT - 20}" height="{HEIGHT}" fill="none" stroke="#ccc"/>')
        for number, (at, words) in enumerate(marks):
            out.append(f'<line x1="{x(at):.1f}" x2="{x(at):.1f}" y1="{top}" y2="{top + HEIGHT}" stroke="#e8a33d"/>')
            if row == 0:
                out.append(f'<text x="{x(at) + 3:.1f}" y="{14 + number % 3 * 12}" fill="#a06000" font-size="10">{words}</text>')
        out.append(f'<polyline points="{points}" fill="none" stroke="#2b6cb0" stroke-width="1.5"/>')
    out.append(f'<text x="{WIDTH - 20}" y="{TOP + len(names) * (HEIGHT + GAP)}" text-anchor="end">{end:.0f} s</text></svg>')
    with open(path, "w") as file:
        file.write("\n".join(out))
