"""Architecture: facades, towers from below, colonnades, bridges and staircases."""

# Coordinates read better in rows.
# fmt: off

import math
from collections.abc import Callable

from tagdb.scenes.canvas import Canvas, Point
from tagdb.scenes.paints import across, ball, dark, down, grain, light, mix

STONES = ("#c8b8a0", "#a89a88", "#d8d0c4", "#8f8a84", "#b8846a", "#e4dccc", "#9a6a54")


def _air(c: Canvas) -> str:
    sky = c.pick([("#3a7ac0", "#a8d0ec"), ("#8a9aa8", "#d4d8da"), ("#2a4a7a", "#e0a88a"),
        ("#5a6470", "#a8acb0"), ("#1c5aa8", "#78b4e4")])
    c.fill(down(*(c.vary(colour, 0.03) for colour in sky)))
    if c.chance(0.6):
        c.mottle("#ffffff", 0.7, 3, 1.5, None, 0.5)
    return sky[1]


def facade(c: Canvas) -> None:
    """Draw rows of windows, seen from the front or slightly from the side."""
    wall = c.vary(c.pick([*STONES, "#e8c8a0", "#d89a7a", "#a8b8b4", "#e0e0dc", "#6a7a84"]), 0.03)
    c.fill(grain(dark(wall, 0.12), wall, light(wall, 0.12), cells=12))
    if c.chance(0.3):
        for course in range(30):
            c.line([(0, c.h * course / 30), (c.w, c.h * course / 30)], 0.004, dark(wall, 0.2))
    rows, columns, slant = c.n(3, 6), c.n(3, 7), c.u(-0.12, 0.12)
    glass, frame = c.pick(["#3a4a58", "#6a8498", "#26303a", "#8aa4b4"]), c.pick(["#f2f0ea", "#3a3430",
        "#8a6a4a", "#e4e0d8"])
    arched, balcony, shutter = c.chance(0.3), c.chance(0.4), c.chance(0.3)
    shade = c.pick(["#3f6a5a", "#4a6a9a", "#8a3a34"])
    for row in range(rows):
        for column in range(columns):
            wide, tall = 0.52 * c.w / columns, 0.62 * c.h / rows
            x = c.w * (column + 0.5) / columns
            y = c.h * (row + 0.5) / rows + slant * (x - c.w / 2)
            left, right, top, low = x - wide / 2, x + wide / 2, y - tall / 2, y + tall / 2
            rim = 0.14 * wide
            c.box(left - rim, top - rim, right + rim, low + rim, wide if arched else 0.0, light(wall, 0.35))
            c.box(left + 0.01, top + 0.02, right + 0.02, low + 0.02, wide if arched else 0.0,
                dark(wall, 0.5))
            lit = c.chance(0.12)
            tone = "#f4d890" if lit else c.vary(glass, 0.04)
            c.box(left, top, right, low, wide if arched else 0.0,
                down(dark(tone, 0.2), light(tone, 0.25), tone))
            c.line([(x, top), (x, low)], 0.07 * wide, frame)
            c.line([(left, y - 0.15 * tall), (right, y - 0.15 * tall)], 0.06 * wide, frame)
            c.rect(left - 1.5 * rim, low + rim, right + 1.5 * rim, low + 2 * rim,
                down(light(wall, 0.5), dark(wall, 0.2)))
            if shutter:
                for side in (left - 0.3 * wide, right + 0.04 * wide):
                    c.rect(side, top, side + 0.26 * wide, low, across(light(shade, 0.1), dark(shade, 0.2)))
            if balcony:
                c.rect(left - 0.2 * wide, low - 0.28 * tall, right + 0.2 * wide, low - 0.25 * tall,
                    "#26262a")
                for bar in range(9):
                    c.line([(left + wide * (0.175 * bar - 0.2), low - 0.26 * tall),
                        (left + wide * (0.175 * bar - 0.2), low + 0.05 * tall)], 0.005, "#26262a")
                c.rect(left - 0.25 * wide, low + 0.04 * tall, right + 0.25 * wide, low + 0.1 * tall,
                    dark(wall, 0.3))
        if c.chance(0.5):
            y = c.h * (row + 1) / rows
            c.poly([(0, y - slant * c.w / 2), (c.w, y + slant * c.w / 2),
                (c.w, y + slant * c.w / 2 + 0.03), (0, y - slant * c.w / 2 + 0.03)],
                down(light(wall, 0.4), dark(wall, 0.3)))
    c.glow(c.u(0, c.w), 0, 1.2, "#fff4dc", 0.25)


def _outwards(x: float, y: float, angle: float, far: float, half: float) -> Callable[[float, float], Point]:
    """Return coordinates on a tower whose roof is near the vanishing point."""
    a, b = math.cos(angle), math.sin(angle)

    def at(share: float, off: float) -> Point:
        reach = far + (1.9 - far) * share**1.6
        return x + reach * (a - off * half * b * 1.8), y + reach * (b + off * half * a * 1.8)

    return at


def towers(c: Canvas) -> None:
    """Draw skyscrapers from below, with all edges pointing to one point."""
    air = _air(c)
    vx, vy = c.w * c.u(0.35, 0.65), c.h * c.u(0.15, 0.6)
    count, start = c.n(4, 7), c.u(0, 6.3)
    for tower in range(count):
        angle, glass = start + 2 * math.pi * tower / count + c.u(-0.25,
            0.25), c.vary(c.pick(["#4a6a84", "#2c3a48", "#8a9aa4", "#a8b4b8", "#6a5a4a", "#c8c4bc"]), 0.03)
        far, half = c.u(0.12, 0.32), c.u(0.16, 0.3)
        at = _outwards(vx, vy, angle, far, half)
        c.poly([at(0, -1), at(0, 1), at(1, 1), at(1, -1)],
            across(light(glass, 0.2), glass, dark(glass, 0.3)))
        c.poly([at(0, 0.3), at(0, 1), at(1, 1), at(1, 0.3)], mix(dark(glass, 0.55), air, 0.1))
        for level in range(1, 16):
            c.line([at(level / 16, -1), at(level / 16, 0.3), at(level / 16, 1)], 0.004 + 0.0012 * level,
                dark(glass, 0.5))
            if c.chance(0.5):
                off, high = c.u(-1, 0), (level + 0.6) / 16
                c.poly([at(level / 16, off), at(level / 16, off + 0.25), at(high, off + 0.25),
                    at(high, off)], mix(air, "#ffffff", 0.4))
        for column in (-0.75, -0.5, -0.25, 0, 0.3, 0.65):
            c.line([at(0, column), at(0.5, column), at(1, column)], 0.006,
                light(glass, 0.25) if column < 0.3 else dark(glass, 0.7))
    c.note("lookup")


def columns(c: Canvas) -> None:
    air = _air(c)
    stone, line = c.vary(c.pick(STONES), 0.02), c.h * 0.84
    c.rect(0, line - 0.03, c.w, c.h, grain("#8a847a", "#b8b0a4", cells=10))
    left, right, top = 0.06, c.w - 0.06, c.h * c.u(0.3, 0.4)
    domed = c.chance(0.35)
    if domed:
        x, r = c.w / 2, c.u(0.2, 0.28)
        roof = c.pick(["#5f8a7a", "#c8b898", "#8a9aa0", "#c8a04a"])
        c.rect(x - r, top - 0.25, x + r, top, across(light(stone, 0.3), dark(stone, 0.4)))
        c.ellipse(x, top - 0.24, 1.08 * r, 0.85 * r, ball(roof, 0.5))
        c.rect(x - 0.03, top - 0.3 - 0.85 * r, x + 0.03, top - 0.2 - 0.8 * r, light(stone, 0.2))
        c.note("dome")
    else:
        c.poly([(left - 0.04, top - 0.06), (c.w / 2, top - c.u(0.2, 0.27)), (right + 0.04, top - 0.06)],
            grain(dark(stone, 0.15), stone, light(stone, 0.2), cells=9))
        c.poly([(left + 0.1, top - 0.075), (c.w / 2, top - 0.19), (right - 0.1, top - 0.075)],
            dark(stone, 0.3))
    c.rect(left, top + 0.05, right, line, down(dark(stone, 0.75), dark(stone, 0.5)))
    c.box(c.w / 2 - 0.08, line - 0.3, c.w / 2 + 0.08, line, 0.06 if domed else 0.0, "#241c16")
    c.rect(left - 0.04, top - 0.07, right + 0.04, top + 0.06,
        down(light(stone, 0.35), stone, dark(stone, 0.2)))
    count = c.n(4, 9)
    wide = 0.42 * (right - left) / count
    for k in range(count):
        x = left + wide * 0.8 + (right - left - 1.6 * wide) * k / (count - 1)
        c.poly([(x - 0.42 * wide, top + 0.08), (x + 0.42 * wide, top + 0.08),
            (x + 0.5 * wide, line - 0.02), (x - 0.5 * wide, line - 0.02)],
            across(light(stone, 0.2), light(stone, 0.55), stone, dark(stone, 0.3), dark(stone, 0.5)))
        for flute in (-0.25, -0.08, 0.1, 0.27):
            c.line([(x + flute * wide, top + 0.09), (x + 1.15 * flute * wide, line - 0.03)], 0.005,
                dark(stone, 0.3))
        for y in (top + 0.07, line - 0.02):
            c.box(x - 0.65 * wide, y - 0.02, x + 0.65 * wide, y + 0.015, 0.005,
                down(light(stone, 0.5), dark(stone, 0.15)))
    for step in range(4):
        y = line + 0.035 * step
        c.rect(left - 0.05 - 0.04 * step, y, right + 0.05 + 0.04 * step, y + 0.036,
            down(light(stone, 0.3), dark(stone, 0.35)))
    c.mottle(mix(stone, air, 0.3), 0.15, 8)


def bridge(c: Canvas) -> None:
    air = _air(c)
    line, steel = c.h * c.u(0.66, 0.74), c.vary(c.pick(["#a83a2c", "#5a646c", "#3a4a44", "#c8c4bc",
        "#26282c"]), 0.02)
    for x, _, z in c.spread(c.n(8, 16), -0.05, 0, c.w, 0):
        tower = mix("#5a6470", air, c.u(0.35, 0.6))
        c.rect(x, line - 0.06 - 0.28 * z * z, x + 0.05 + 0.07 * z, line, tower)
    water = c.pick(["#4a6a7a", "#5a6a6a", "#2c4a64"])
    c.rect(0, line, c.w, c.h, down(light(water, 0.4), water, dark(water, 0.3)))
    c.mottle(light(air, 0.3), 0.4, 8, 6, (0, line, c.w, c.h), 0.5)
    deck, high = line - c.u(0.1, 0.16), c.h * c.u(0.12, 0.22)
    slope = c.u(-0.08, 0.08)
    spots = (c.w * 0.22, c.w * 0.78)

    def level(x: float) -> float:
        return deck + slope * (x - c.w / 2)

    def cable(x: float) -> float:
        span, middle = spots[1] - spots[0], c.w / 2
        if spots[0] <= x <= spots[1]:
            return high + (level(x) - 0.03 - high) * (1 - ((x - middle) / (span / 2)) ** 2)
        edge = spots[0] if x < spots[0] else spots[1]
        return high + (level(x) - high) * min(abs(x - edge) / (c.w * 0.28), 1.0)

    xs = [c.w * k / 60 for k in range(61)]
    for x in xs[1::1]:
        c.line([(x, cable(x)), (x, level(x))], 0.004, dark(steel, 0.1))
    c.line([(x, cable(x)) for x in xs], 0.014, steel)
    c.poly([(-0.05, level(0)), (c.w + 0.05, level(c.w)), (c.w + 0.05, level(c.w) + 0.045),
        (-0.05, level(0) + 0.045)], down(light(steel, 0.3), dark(steel, 0.4)))
    for x in xs[::3]:
        c.line([(x, level(x) + 0.04), (x + c.w / 20, level(x) + 0.08)], 0.006, dark(steel, 0.3))
    for x in spots:
        for side in (-0.045, 0.03):
            c.rect(x + side, high - 0.05, x + side + 0.025, line + 0.08,
                across(light(steel, 0.3), dark(steel, 0.35)))
        for y in (high, (high + deck) / 2, deck + 0.05):
            c.rect(x - 0.045, y, x + 0.055, y + 0.03, steel)
        c.rect(x - 0.09, line + 0.03, x + 0.1, line + 0.1, across("#a8a49c", "#6a665e"))


def stairs(c: Canvas) -> None:
    """Draw a spiral staircase, seen from the top."""
    stone = c.vary(c.pick([*STONES, "#f2ede4", "#5a5450", "#8a5a3a"]), 0.03)
    x, y = c.w * c.u(0.44, 0.56), c.h * c.u(0.44, 0.56)
    c.fill(dark(stone, 0.5))
    way, rail = c.pick([-1, 1]), c.pick(["#1c1a1a", "#8a5a2c", "#c8a04a", "#f2f0ea"])
    turns, start, per = c.n(3, 4), c.u(0, 6.3), 22
    outer, shrink = 1.25, c.u(0.55, 0.66)
    for step in range(turns * per):
        r = outer * shrink ** (step / per)
        inner = r * shrink * 1.12
        a0, a1 = (start + way * 2 * math.pi * (step + k) / per for k in (0, 1.05))
        shade = 0.1 + 0.55 * step / (turns * per) + (0.16 if step % 2 else 0)
        quad = [(x + r * math.cos(a0), y + r * math.sin(a0)), (x + r * math.cos(a1), y + r * math.sin(a1)),
            (x + inner * math.cos(a1), y + inner * math.sin(a1)),
            (x + inner * math.cos(a0), y + inner * math.sin(a0))]
        c.poly(quad, dark(stone, shade))
        c.line([quad[0], quad[3]], 0.02 * r + 0.003, dark(stone, min(shade + 0.3, 0.9)))
    banister = []
    for step in range(turns * per):
        r, angle = outer * shrink ** (step / per) * shrink * 1.1, start + way * 2 * math.pi * step / per
        spot = (x + r * math.cos(angle), y + r * math.sin(angle))
        c.line([spot, (x + 0.88 * r * math.cos(angle), y + 0.88 * r * math.sin(angle))], 0.008, rail)
        banister.append((x + 0.9 * r * math.cos(angle), y + 0.9 * r * math.sin(angle)))
    c.line(banister, 0.022, rail)
    c.glow(x, y, 0.14, c.pick(["#fff4d8", "#0a0808", "#dce8f0"]), 0.9)
    c.glow(c.u(0, c.w), c.u(0, c.h), 0.9, "#fff4dc", 0.35)


MOTIFS = {
    "architecture": (
        (facade, "facade windows building house symmetry streetphotography balcony oldtown"),
        (towers, "skyscraper city skyline lookup glass urban modernarchitecture cityscape"),
        (columns, "columns history temple museum classical landmark marble neoclassical"),
        (bridge, "bridge city engineering river cityscape urban suspensionbridge steel"),
        (stairs, "staircase stairs spiral interior symmetry lookdown geometry spiralstairs"),
    )
}
