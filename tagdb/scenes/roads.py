"""Cars: from the side, from the front, a wheel near by, and from the driver's seat."""

# Coordinates read better in rows.
# fmt: off

import math

from tagdb.scenes.canvas import Canvas, Point
from tagdb.scenes.paints import Colour, across, ball, dark, down, grain, light, mix

PAINTS = ("#c01c24", "#1c2a4a", "#e8e8e8", "#17181b", "#8a9096", "#f0b41c", "#1f6ac0", "#2a5a44",
    "#d8641c", "#5a1c2a", "#b8c4cc")
BODIES: dict[str, tuple[list[Point], list[Point], float]] = {
    # Outline and windows in wheelbases from the rear wheel's hub, upwards; size of the wheels.
    "sedan": (
        [(-0.36, 0.02), (-0.38, 0.26), (-0.3, 0.34), (-0.08, 0.37), (0.18, 0.55), (0.58, 0.56), (0.86, 0.36),
         (1.2, 0.28), (1.33, 0.18), (1.34, 0.0), (0.5, -0.09)],
        [(-0.0, 0.36), (0.2, 0.51), (0.57, 0.52), (0.8, 0.36)], 0.16,
    ),
    "suv": (
        [(-0.36, 0.02), (-0.38, 0.36), (-0.34, 0.6), (-0.24, 0.72), (0.52, 0.72), (0.84, 0.46),
         (1.22, 0.4), (1.31, 0.28), (1.31, 0.02), (0.5, -0.05)],
        [(-0.26, 0.44), (-0.2, 0.65), (0.5, 0.65), (0.74, 0.44)], 0.2,
    ),
    "sports": (
        [(-0.34, 0.04), (-0.36, 0.26), (-0.22, 0.33), (0.1, 0.37), (0.34, 0.44), (0.58, 0.42),
         (0.9, 0.26), (1.24, 0.2), (1.36, 0.1), (1.36, -0.02), (0.5, -0.09)],
        [(0.1, 0.32), (0.32, 0.4), (0.57, 0.38), (0.8, 0.26)], 0.17,
    ),
    "hatchback": (
        [(-0.28, 0.02), (-0.3, 0.3), (-0.2, 0.56), (0.0, 0.63), (0.5, 0.62), (0.84, 0.4),
         (1.16, 0.33), (1.27, 0.2), (1.27, 0.0), (0.5, -0.07)],
        [(-0.14, 0.37), (-0.05, 0.56), (0.5, 0.56), (0.74, 0.37)], 0.17,
    ),
    "classiccar": (
        [(-0.42, 0.04), (-0.5, 0.2), (-0.3, 0.36), (0.0, 0.36), (0.12, 0.58), (0.52, 0.58),
         (0.68, 0.36), (1.1, 0.36), (1.34, 0.28), (1.38, 0.04), (0.5, -0.05)],
        [(0.06, 0.37), (0.16, 0.53), (0.5, 0.53), (0.6, 0.37)], 0.19,
    ),
}


def _wheel(c: Canvas, x: float, y: float, r: float, spokes: int, metal: str | Colour) -> None:
    c.disc(x, y, r, "#131315")
    c.disc(x, y, 0.94 * r, ball("#2a2a2c", 0.5))
    c.disc(x, y, 0.76 * r, dark(metal, 0.75))
    c.disc(x, y, 0.42 * r, "#5a5350")
    start = c.u(0, 6.3)
    for spoke in range(spokes):
        angle = start + 2 * math.pi * spoke / spokes
        a, b = math.cos(angle), math.sin(angle)
        c.line([(x, y), (x + 0.72 * r * a, y + 0.72 * r * b)], (0.7 / spokes + 0.04) * r,
            mix(metal, "#ffffff", 0.25 - 0.25 * b))
    c.arc(x, y, 0.75 * r, 0.75 * r, (0, 360), 0.07 * r, metal)
    c.disc(x, y, 0.13 * r, ball(metal))


def _car(c: Canvas, x: float, y: float, base: float, paint: str | Colour, kind: str) -> None:
    """A car from the side, its rear wheel's hub at x, y."""
    outline, panes, r = BODIES[kind]

    def at(spot: Point) -> Point:
        return x + base * spot[0], y - base * spot[1]

    metal, ground = c.vary(c.pick(["#c4c8cc", "#8a8e92", "#3a3a3c"]), 0.02), y + base * r
    c.shadow(x + 0.5 * base, ground, 1.1 * base, 0.12 * base, 1)
    c.shadow(x + 0.5 * base, ground, 0.9 * base, 0.06 * base, 1)
    c.shape([at(spot) for spot in outline], down(light(paint, 0.6), light(paint, 0.15), paint,
        light(paint, 0.25), dark(paint, 0.25), dark(paint, 0.65)))
    glass = c.pick(["#26323a", "#1a1e24", "#3a4a54"])
    c.poly([at(spot) for spot in panes], down(light(glass, 0.55), glass, dark(glass, 0.3)))
    top = (panes[1][0] + panes[2][0]) / 2
    c.line([at((top, panes[0][1] - 0.01)), at((top - 0.01, panes[1][1]))], 0.035 * base, dark(paint, 0.3))
    for door in (top, panes[0][0] + 0.02, panes[-1][0] - 0.04):
        c.line([at((door, panes[0][1])), at((door + 0.01, 0.0))], 0.006, dark(paint, 0.55))
    for handle in (top - 0.12, top + 0.2):
        c.line([at((handle, panes[0][1] - 0.06)), at((handle + 0.07, panes[0][1] - 0.06))], 0.012 * base,
            light(metal, 0.4))
    c.line([at((outline[0][0] + 0.02, 0.17)), at((1.3, 0.13))], 0.01 * base, light(paint, 0.5))
    c.line([at((0.2, -0.05)), at((0.8, -0.05))], 0.04 * base, dark(paint, 0.75))
    front = max(spot[0] for spot in outline)
    c.ellipse(*at((front - 0.08, 0.17)), 0.08 * base, 0.035 * base, ball("#f4f6ee", 0.3), 0.2)
    c.box(*at((outline[0][0] - 0.01, 0.28)), *at((outline[0][0] + 0.07, 0.2)), 0.01, "#c8141c")
    c.box(*at((panes[-1][0] - 0.08, panes[-1][1] + 0.08)), *at((panes[-1][0] + 0.02, panes[-1][1])), 0.02,
        dark(paint, 0.1))
    spokes = c.pick([5, 6, 7, 10])
    for hub in (0.0, 1.0):
        c.disc(*at((hub, 0.01)), 1.16 * r * base, "#0c0c0e")
        _wheel(c, *at((hub, 0.0)), r * base, spokes, metal)


def _tarmac(c: Canvas, top: float) -> None:
    road = c.vary(c.pick(["#5a5a5c", "#44464a", "#77736c"]), 0.02)
    c.rect(0, top, c.w, c.h, grain(dark(road, 0.25), road, light(road, 0.15), cells=18, stretch=2))
    if c.chance(0.6):
        for dash in range(6):
            c.poly([(0.3 * dash, c.h - 0.07), (0.3 * dash + 0.16, c.h - 0.07),
                (0.3 * dash + 0.14, c.h - 0.045), (0.3 * dash - 0.02, c.h - 0.045)], "#e4e0d4")


def _surroundings(c: Canvas, line: float) -> None:
    kind = c.n(0, 3)
    if kind == 0:
        c.note("city")
        c.fill(down("#c8d4dc", "#e4e4e0"))
        for x, _, z in c.spread(9, -0.1, 0, c.w, 0):
            wall, wide, top = c.pick(["#a89a8c", "#8a8f94", "#c4a48a",
                "#6a6660"]), 0.15 + 0.2 * z, c.u(-0.1, 0.6) * line
            c.rect(x, top, x + wide, line, grain(dark(wall, 0.15), wall, cells=5))
            for row in range(6):
                for column in range(3):
                    c.rect(x + wide * (0.12 + 0.3 * column), top + 0.04 + 0.09 * row,
                        x + wide * (0.28 + 0.3 * column), top + 0.09 + 0.09 * row, "#3f4a54")
    elif kind == 1:
        sky = c.pick([("#3a4a7a", "#e07a5a", "#ffc87a"), ("#5a9ad0", "#b8d8ec", "#e8ece4")])
        c.fill(down(*sky))
        c.mottle("#ffffff", 0.5, 3, 3, (0, 0, c.w, line), 0.5)
        hill = c.pick(["#5a6a4a", "#8a7a5a", "#4a4a5a"])
        for x, _, z in c.spread(4, 0, 0, c.w, 0):
            c.shape([(x - 0.6, line + 0.05), (x, line - 0.05 - 0.2 * z), (x + 0.6, line + 0.05)],
                grain(dark(hill, 0.2), hill, cells=8))
    elif kind == 2:
        c.note("garage")
        wall = c.pick(["#6a6c70", "#a8a49c", "#8a4a3a", "#3c3e44"])
        c.fill(down(dark(wall, 0.3), wall, light(wall, 0.1)))
        for slat in range(9):
            c.line([(0, line * slat / 9), (c.w, line * slat / 9)], 0.006, dark(wall, 0.4))
        for lamp in range(c.n(1, 3)):
            c.rect(0.2 + 0.5 * lamp, 0.04, 0.5 + 0.5 * lamp, 0.065, "#f8faf4")
            c.glow(0.35 + 0.5 * lamp, 0.05, 0.4, "#f4f8ff", 0.6)
    else:
        green = c.pick(["#4a6a34", "#6a7a3c", "#8a6a2c"])
        c.fill(down("#c4d8e0", "#dfe8dc"))
        c.mottle(dark(green, 0.2), 1, 8, 1, (0, 0, c.w, line + 0.05), 0.3)
        c.rect(0, line - 0.08, c.w, line, grain(dark(green, 0.5), green, cells=14))
    c.defocus(0.01)


def parked(c: Canvas) -> None:
    line = c.h * c.u(0.52, 0.62)
    _surroundings(c, line)
    _tarmac(c, line)
    kind = c.pick(["sedan", "suv", "hatchback", "classiccar"])
    c.note(kind)
    base = c.u(0.46, 0.56) * c.w / 1.05
    _car(c, c.w / 2 - 0.49 * base + c.u(-0.04, 0.04), line + c.u(0.08, 0.15), base,
        c.vary(c.pick(PAINTS), 0.03), kind)


def racer(c: Canvas) -> None:
    """A sports car that drives by, in front of a blurred world."""
    line = c.h * c.u(0.45, 0.58)
    tone = c.pick(["#5a7a4a", "#8a8f94", "#c8783c", "#2c3448", "#7a6a8a"])
    c.fill(grain(dark(tone, 0.3), tone, light(tone, 0.5), cells=3, stretch=7))
    c.rect(0, line - 0.06, c.w, line, grain("#c83a34", "#f4f2ee", cells=4, stretch=0.1) if c.chance(0.4)
        else grain("#888a8c", "#c8caca", cells=3, stretch=5))
    road = c.pick(["#4a4c50", "#3a3a3e", "#66625c"])
    c.rect(0, line, c.w, c.h, grain(dark(road, 0.2), road, light(road, 0.2), cells=3, stretch=16))
    c.defocus(0.012)
    base = c.u(0.44, 0.54) * c.w / 1.05
    x, y = c.w / 2 - 0.5 * base, line + c.u(0.1, 0.2)
    _car(c, x, y, base, c.vary(c.pick(PAINTS), 0.03), "sports")
    if c.chance(0.4):
        c.line([(x - 0.36 * base, y - 0.4 * base), (x - 0.2 * base, y - 0.4 * base)], 0.02, "#17181b")
        c.line([(x - 0.28 * base, y - 0.4 * base), (x - 0.26 * base, y - 0.3 * base)], 0.015, "#17181b")
    if c.chance(0.5):
        c.disc(x + 0.5 * base, y - 0.12 * base, 0.1 * base, "#f8f8f4")
        c.arc(x + 0.5 * base, y - 0.12 * base, 0.04 * base, 0.05 * base, (0, 320), 0.02 * base, "#141416")
        c.note("racing", "motorsport")


def front(c: Canvas) -> None:
    line = c.h * c.u(0.5, 0.6)
    _surroundings(c, line)
    _tarmac(c, line)
    x, y, s = c.w / 2 + c.u(-0.06, 0.06), c.h * 0.8, c.u(0.36, 0.42)
    paint, tall = c.vary(c.pick(PAINTS), 0.03), c.u(0.75, 1.15)
    c.shadow(x, y + 0.03, 1.25 * s, 0.12, 1)
    for side in (-1, 1):
        c.box(x + side * 0.92 * s, y - 0.3 * s, x + side * 0.62 * s, y + 0.08 * s, 0.03,
            across("#0c0c0e", "#2a2a2c", "#0c0c0e"))
    c.shape([(x - 0.62 * s, y - 0.8 * s), (x - 0.5 * s, y - tall * 1.28 * s),
        (x + 0.5 * s, y - tall * 1.28 * s), (x + 0.62 * s, y - 0.8 * s)], down(light(paint, 0.5), paint))
    c.poly([(x - 0.66 * s, y - 0.76 * s), (x - 0.5 * s, y - tall * 1.2 * s),
        (x + 0.5 * s, y - tall * 1.2 * s), (x + 0.66 * s, y - 0.76 * s)],
        down("#8aa0ac", "#2a343c", "#14181c"))
    c.shape([(x - 0.95 * s, y - 0.05 * s), (x - 0.98 * s, y - 0.5 * s), (x - 0.72 * s, y - 0.8 * s),
        (x, y - 0.86 * s), (x + 0.72 * s, y - 0.8 * s), (x + 0.98 * s, y - 0.5 * s),
        (x + 0.95 * s, y - 0.05 * s), (x, y + 0.03 * s)],
        down(light(paint, 0.55), light(paint, 0.1), paint, dark(paint, 0.3), dark(paint, 0.6)))
    for side in (-1, 1):
        c.line([(x + side * 0.3 * s, y - 0.82 * s), (x + side * 0.4 * s, y - 0.52 * s)], 0.008,
            dark(paint, 0.4))
        c.box(x + side * 0.76 * s, y - 0.92 * s, x + side * 1.02 * s, y - 0.76 * s, 0.03, dark(paint, 0.15))
        lamp = (x + side * 0.7 * s, y - 0.45 * s)
        if tall > 0.95:
            c.disc(*lamp, 0.16 * s, "#d8dcdc")
            c.disc(*lamp, 0.13 * s, ball("#eef2ea", 0.3))
        else:
            c.shape([(lamp[0] - side * 0.24 * s, lamp[1] + 0.08 * s),
                (lamp[0] - side * 0.16 * s, lamp[1] - 0.08 * s),
                (lamp[0] + side * 0.22 * s, lamp[1] - 0.14 * s),
                (lamp[0] + side * 0.18 * s, lamp[1] + 0.06 * s)], down("#fbfdf4", "#a8b0b4"))
        if c.chance(0.4):
            c.glow(*lamp, 0.22, "#fffbe4", 0.9)
        c.box(x + side * 0.5 * s, y - 0.16 * s, x + side * 0.82 * s, y - 0.06 * s, 0.02, "#17181b")
    c.box(x - 0.4 * s, y - 0.55 * s, x + 0.4 * s, y - 0.28 * s, 0.05, "#131416")
    for slat in range(5):
        c.line([(x - 0.36 * s, y - (0.51 - 0.05 * slat) * s),
            (x + 0.36 * s, y - (0.51 - 0.05 * slat) * s)], 0.008, "#9a9ea2")
    c.disc(x, y - 0.42 * s, 0.06 * s, ball("#d4d8dc"))
    c.box(x - 0.25 * s, y - 0.22 * s, x + 0.25 * s, y - 0.1 * s, 0.01, "#f4f4ee")
    for glyph in range(6):
        c.rect(x + (0.07 * glyph - 0.2) * s, y - 0.19 * s, x + (0.07 * glyph - 0.16) * s, y - 0.13 * s,
            "#20242c")


def rim(c: Canvas) -> None:
    """A wheel, so near that little else is to be seen."""
    paint = c.vary(c.pick(PAINTS), 0.03)
    line = c.h * 0.86
    c.fill(down(light(paint, 0.6), light(paint, 0.1), paint, dark(paint, 0.4)))
    c.mottle(light(paint, 0.7), 0.35, 2, 4, None, 0.4)
    c.line([(0, c.h * 0.2), (c.w, c.h * 0.17)], 0.01, dark(paint, 0.5))
    c.line([(0, c.h * 0.22), (c.w, c.h * 0.19)], 0.012, light(paint, 0.5))
    _tarmac(c, line - 0.05)
    x, y, r = c.w * c.u(0.4, 0.6), c.h * 0.54, c.u(0.34, 0.42)
    c.disc(x, y - 0.03, 1.17 * r, "#0a0a0c")
    c.shadow(x, y + r, 1.5 * r, 0.1, 1)
    _wheel(c, x, y, r, c.pick([5, 6, 7, 9, 12]), c.vary(c.pick(["#c8ccd0", "#8a8e92", "#2c2c2e",
        "#c8a45a"]), 0.02))
    c.arc(x, y, 0.36 * r, 0.36 * r, (20, 80), 0.1 * r, c.pick(["#d8201c", "#e8b41c", "#6a6a6c"]))


def dashboard(c: Canvas) -> None:
    night = c.chance(0.4)
    line = c.h * c.u(0.42, 0.5)
    sky = ("#0c1226", "#2a2c4a") if night else c.pick([("#8ab8dc", "#e4ecec"), ("#e08a5a", "#ffd8a0")])
    c.fill(down(*sky))
    land = "#14161c" if night else c.pick(["#6a7a4a", "#a8946a", "#8a8a88"])
    c.rect(0, line * 0.6, c.w, c.h, grain(dark(land, 0.2), land, cells=8))
    c.poly([(c.w / 2 - 0.02, line * 0.6), (c.w / 2 + 0.02, line * 0.6), (c.w * 0.9, c.h),
        (c.w * 0.1, c.h)], down("#88888a", "#4a4a4c"))
    if night:
        c.bokeh(18, 0.1, line, ["#ff5a3a", "#ffd88a", "#fff4d8", "#8ac0ff"])
    c.defocus(0.008)
    c.shape([(-0.1, line), (c.w / 2, line - 0.05), (c.w + 0.1, line), (c.w + 0.1, c.h + 0.2),
        (-0.1, c.h + 0.2)], down("#4a4c50", "#1c1c20", "#101014"))
    c.poly([(-0.1, -0.1), (0.06, -0.1), (-0.02, line + 0.1), (-0.1, line + 0.1)], "#16161a")
    c.box(c.w * 0.4, 0.02, c.w * 0.6, 0.1, 0.03, down("#2a2c30", "#6a7884"))
    x, y, r = c.w * 0.36, c.h * 0.78, c.u(0.3, 0.36)
    accent = c.pick(["#ff5a2c", "#4ac0ff", "#f4f4f4", "#ff2c3c"])
    for dial in (-0.16, 0.16):
        c.disc(x + dial, line + 0.1, 0.1, ball("#0c0c10", 0.6))
        c.arc(x + dial, line + 0.1, 0.085, 0.085, (140, 400), 0.008, accent)
        angle = c.u(2.5, 5.5)
        c.line([(x + dial, line + 0.1), (x + dial + 0.07 * math.cos(angle),
            line + 0.1 + 0.07 * math.sin(angle))], 0.008, accent)
    c.box(c.w * 0.64, line + 0.05, c.w * 0.93, line + 0.25, 0.02,
        down("#1c3a5a", "#0c1a2a") if c.chance(0.5) else down("#d8e0d8", "#a8b4ac"))
    c.line([(c.w * 0.68, line + 0.2), (c.w * 0.78, line + 0.14), (c.w * 0.86, line + 0.08)], 0.012, accent)
    rimmed = c.pick(["#141416", "#3a2a20", "#26262a"])
    c.arc(x, y, r, 0.95 * r, (0, 360), 0.07, rimmed)
    c.arc(x, y, r * 1.02, 0.97 * r, (190, 330), 0.015, light(rimmed, 0.35))
    for spoke in (0.1, 1.57, 3.04):
        c.line([(x, y), (x + 0.95 * r * math.cos(spoke), y + 0.92 * r * math.sin(spoke))], 0.06,
            dark(rimmed, 0.1))
    c.disc(x, y, 0.3 * r, ball(rimmed, 0.5))
    c.disc(x, y, 0.09 * r, ball("#c8ccd0"))


MOTIFS = {
    "cars": (
        (parked, "carspotting carlovers streetcar parked drive wheels vintagecar ride"),
        (racer, "sportscar supercar speed fastcar motorsport horsepower turbo racing"),
        (front, "headlights carshow grill tuning frontend carlovers newcar"),
        (rim, "wheels rims alloys tires detailing brakes carcare"),
        (dashboard, "drive interior dashboard steeringwheel roadtrip cockpit nightdrive"),
    )
}
