"""Nature: woods, meadows, leaves, waterfalls, mushrooms and flowers; no far horizon."""

# Coordinates read better in rows.
# fmt: off

import math
from collections.abc import Callable

from tagdb.scenes.canvas import Canvas, Point
from tagdb.scenes.figures import bloom
from tagdb.scenes.paints import across, ball, dark, down, grain, light, mix

PETALS = ("#e8475a", "#f2b632", "#f4f2ea", "#9a6ad0", "#f08ab0", "#4f78d8", "#f07a2c")


def _grass(c: Canvas, count: int, top: float, green: str, length: float) -> None:
    for x, y, z in c.rows(count, 0, top, c.w, c.h + 0.1):
        tall = length * (0.6 + 0.8 * z)
        c.line([(x, y), (x + tall * (z - 0.5) * 0.5, y - tall)], 0.008,
            c.vary(mix(dark(green), light(green), z), 0.04))


def forest(c: Canvas) -> None:
    season = c.n(0, 3)
    leaf, air = (("#3f7a34", "#dfe9b4"), ("#2a5a3a", "#c4d8c8"), ("#c8742a", "#f4dcaa"),
        ("#5a8a3a", "#f0f2c0"))[season]
    c.fill(down(air, light(leaf, 0.35), mix(leaf, air, 0.3)))
    c.mottle(dark(leaf, 0.2), 0.9, 7, 1, (0, 0, c.w, c.h * 0.6), 0.35)
    ground = c.h * c.u(0.7, 0.82)
    floor = ("#4a5a2c", "#3a4a30", "#9a5a26", "#5a6a34")[season]
    c.rect(0, ground - 0.1, c.w, c.h, grain(dark(floor), floor, light(floor, 0.25), cells=12))
    bark = c.pick(["#4a3828", "#332a24", "#6a5a4a", "#d8d4c8"])
    for layer in range(4):
        haze = 0.75 - 0.24 * layer
        for x, _, z in c.spread(9 - 2 * layer, -0.05, 0, c.w + 0.05, 0):
            wide = (0.008 + 0.0125 * layer) * (0.7 + 0.6 * z)
            foot, tone = ground - 0.08 + 0.06 * layer + 0.03 * z, mix(bark, air, haze)
            c.poly([(x - wide, -0.1), (x + wide, -0.1), (x + 1.2 * wide, foot - 0.1),
                (x + 1.8 * wide, foot), (x - 1.8 * wide, foot), (x - 1.2 * wide, foot - 0.1)],
                grain(dark(tone, 0.5), tone, light(tone, 0.15), cells=5, stretch=0.2))
            if layer > 1:
                c.shadow(x, foot + 0.01, 5 * wide, 0.03, 0.6)
        c.mottle(mix(leaf, air, haze * 0.7), 0.95, 8 - layer, 1.2, (0, 0, c.w, c.h * (0.3 - 0.03 * layer)),
            0.42)
    if c.chance(0.6):
        x, beam = c.u(0.1, c.w - 0.1), c.image.copy()
        for ray in range(5):
            far = x + 0.35 * (ray - 2)
            c.poly([(x, -0.1), (x + 0.04, -0.1), (far + 0.12, c.h), (far - 0.05, c.h)], light(air, 0.5))
        c.defocus(0.02)
        c.image.paste(beam, (0, 0), beam.convert("L").point([round(255 - 0.28 * v) for v in range(256)]))
        c.glow(x, 0, 0.8, "#fffbe0", 0.6)
        c.note("sunlight")
    if c.chance(0.5):
        x = c.u(0.35, 0.65) * c.w
        c.shape([(x - 0.03, ground - 0.06), (x + 0.03, ground - 0.06), (x + 0.12, ground + 0.05),
            (x + 0.3, c.h + 0.1), (x - 0.3, c.h + 0.1), (x - 0.04, ground + 0.05)],
            grain("#7a6448", "#b89c74", "#d4bc94", cells=9))
        c.note("trail")
    _grass(c, 90, ground + 0.12, floor, 0.07)
    if season == 2:
        c.note("autumn", "fallcolors")


def meadow(c: Canvas) -> None:
    top, green = c.h * c.u(0.0, 0.3), c.pick(["#5f8f34", "#7aa042", "#4a7a3a", "#8a9a48"])
    c.rect(0, 0, c.w, c.h, down(c.pick(["#a8cc9c", "#d8e4b8", "#8ab4c8"]), light(green, 0.2)))
    c.mottle(dark(green, 0.4), 0.9, 6, 1, (0, 0, c.w, top + 0.15), 0.4)
    c.rect(0, top + 0.1, c.w, c.h, down(light(green, 0.25), green, dark(green, 0.4)))
    c.defocus(0.02)
    _grass(c, 260, top + 0.12, green, 0.1)
    kinds = [(c.pick(PETALS), c.pick([5, 6, 9, 13]), c.pick(["#f2c632", "#2a1c14", "#8a5a1c"]))
        for _ in range(c.n(1, 3))]
    for x, y, _ in c.rows(c.n(25, 60), 0, top + 0.12, c.w, c.h):
        size = 0.008 + 0.075 * ((y - top) / (c.h - top)) ** 1.6
        colour, petals, heart = c.pick(kinds)
        c.line([(x, y), (x + c.u(-0.3, 0.3) * size, y + 2 * size)], max(0.004, 0.1 * size),
            dark(green, 0.2))
        if size < 0.025:
            c.ellipse(x, y, size, size * 0.7, ball(colour, 0.3))
        else:
            bloom(c, x, y, size, colour, petals, heart)
    _grass(c, 60, c.h - 0.05, green, 0.16)
    if c.chance(0.3):
        _butterfly(c, c.u(0.2, c.w - 0.2), c.u(0.2, 0.5) * c.h, c.u(0.06, 0.12))


def _butterfly(c: Canvas, x: float, y: float, s: float) -> None:
    paint = c.pick(["#f08a24", "#4f8ad8", "#f4e04a", "#f4f2ec", "#c83a3a"])
    for side in (-1, 1):
        c.ellipse(x + side * 0.55 * s, y - 0.35 * s, 0.62 * s, 0.42 * s, "#1c1612", -side * 0.6)
        c.ellipse(x + side * 0.53 * s, y - 0.33 * s, 0.5 * s, 0.32 * s, ball(paint, 0.4), -side * 0.6)
        c.ellipse(x + side * 0.42 * s, y + 0.32 * s, 0.42 * s, 0.32 * s, ball(dark(paint, 0.2), 0.4),
            side * 0.7)
    c.ellipse(x, y, 0.07 * s, 0.5 * s, "#1c1612")
    c.note("butterfly")


def _axes(x: float, y: float, size: float, angle: float) -> Callable[[float, float], Point]:
    a, b = size * math.cos(angle), size * math.sin(angle)
    return lambda along, off: (x + along * a - off * b, y + along * b + off * a)


def leaves(c: Canvas) -> None:
    green = c.pick(["#3f8a34", "#2a6a4a", "#7aa83a", "#c8642a", "#8a2c34", "#d8a02c"])
    c.fill(grain(dark(green, 0.7), dark(green, 0.4), green, cells=3))
    c.bokeh(c.n(4, 16), 0, c.h, [light(green, 0.5), "#f4f0c0"])
    c.defocus(0.03)
    for index, (x, y, z) in enumerate(c.spread(c.n(5, 12), 0, 0, c.w, c.h)):
        size, angle, tone = (0.14 + 0.02 * index) * (0.8 + z), c.u(0, 6.3), c.vary(green, 0.06)
        at = _axes(x, y, size, angle)
        c.shadow(x + 0.03, y + 0.04, 1.1 * size, 0.9 * size, 0.7)
        wide = c.u(0.35, 0.55)
        edge = [(-1, 0), (-0.6, wide * 0.8), (0, wide), (0.6, wide * 0.6), (1.15, 0), (0.6, -wide * 0.6),
            (0, -wide), (-0.6, -wide * 0.8)]
        c.shape([at(*spot) for spot in edge], grain(dark(tone, 0.4), tone, light(tone, 0.3), cells=4))
        c.shape([at(*spot) for spot in edge[:5]], grain(tone, light(tone, 0.25), cells=5))
        c.line([at(-1.35, 0.05), at(0, 0), at(1.1, 0)], 0.04 * size, light(tone, 0.5))
        for vein in (-0.6, -0.3, 0, 0.3, 0.6):
            for side in (-1, 1):
                c.line([at(vein, 0), at(vein + 0.28, side * wide * (0.8 - 0.3 * abs(vein)))], 0.018 * size,
                    light(tone, 0.35))
        if index > 3 and c.chance(0.5):
            for drop in range(5):
                px, py = at(c.u(-0.6, 0.6), c.u(-0.25, 0.25))
                c.disc(px, py, 0.012 + 0.003 * drop, ball(light(tone, 0.2), 0.5))
                c.disc(px - 0.005, py - 0.006, 0.005, "#ffffff")
            c.note("dew")


def waterfall(c: Canvas) -> None:
    moss, rock = c.pick(["#3f6a2c", "#5a7a34", "#2c5a3a"]), c.pick(["#3a3a38", "#54483c", "#4a5054"])
    c.fill(grain(dark(rock, 0.6), rock, light(rock, 0.2), cells=5, stretch=0.6))
    c.mottle(moss, 0.95, 6, 1, None, 0.45)
    c.rect(0, 0, c.w, c.h * 0.16, grain(dark(moss), moss, light(moss, 0.4), cells=10))
    x, pool = c.u(0.35, 0.65) * c.w, c.h * c.u(0.68, 0.8)
    for _ in range(c.n(1, 3)):
        wide, y = c.u(0.04, 0.1), c.u(0.05, 0.3) * c.h
        for strand in range(9):
            sx, half = x + wide * (strand - 4) / 4, wide * c.u(0.15, 0.4)
            c.poly([(sx - half, y + c.u(0, 0.03)), (sx + half, y + c.u(0, 0.03)),
                (sx + 0.25 * (sx - x) + 1.6 * half, pool + c.u(0, 0.05)),
                (sx + 0.25 * (sx - x) - 1.6 * half, pool + c.u(0, 0.05))],
                grain("#7f98a4", "#b8ccd4", "#e8f0f2", cells=5, stretch=0.05))
        x = min(max(x + c.u(-0.35, 0.35), 0.2), c.w - 0.2)
    water = c.pick(["#2a5f5a", "#3a7a80", "#28484a"])
    c.rect(0, pool, c.w, c.h, down("#cfe0e0", light(water, 0.2), water, dark(water, 0.5)))
    c.mottle("#e8f4f4", 0.6, 7, 5, (0, pool, c.w, c.h), 0.5)
    c.glow(x, pool, 0.45, "#f4fafa", 0.9, 0.3)
    for px, py, z in c.rows(c.n(6, 14), -0.05, pool - 0.02, c.w + 0.05, c.h):
        size = 0.05 + 0.1 * z
        c.shadow(px, py + 0.4 * size, 1.3 * size, 0.4 * size)
        c.ellipse(px, py, size, 0.6 * size, grain(dark(rock, 0.6), rock, light(rock, 0.35), cells=4), 0,
            0.15)
        c.ellipse(px, py - 0.25 * size, 0.7 * size, 0.28 * size,
            grain(dark(moss), moss, light(moss), cells=7), 0, 0.2)
    for px, py, z in c.spread(c.n(30, 60), 0, 0, c.w, c.h * 0.14):
        c.ellipse(px, py, 0.05, 0.025, c.vary(mix(moss, light(moss), z), 0.05), z * 3, 0.2)


def mushrooms(c: Canvas) -> None:
    floor = c.pick(["#4a5a2c", "#6a4a2c", "#3a4a34", "#7a6a34"])
    c.fill(down(dark(floor, 0.5), light(floor, 0.25), floor))
    c.bokeh(c.n(8, 20), 0, c.h * 0.6, ["#e8eca8", light(floor, 0.5)])
    c.defocus(0.035)
    base = c.h * 0.76
    c.rect(0, base, c.w, c.h, grain(dark(floor, 0.5), floor, light(floor, 0.3), cells=12))
    _grass(c, 60, base + 0.02, floor, 0.06)
    caps = c.pick(["#c8281c", "#b8743a", "#e8c890", "#8a4a2c", "#f0a03c"])
    for x, y, z in c.rows(c.n(1, 5), 0.2, base + 0.03, c.w - 0.2, c.h - 0.06):
        s = 0.16 + 0.2 * z
        lean, paint = c.u(-0.15, 0.15) * s, c.vary(caps, 0.04)
        c.shadow(x, y, 0.7 * s, 0.15 * s, 0.9)
        c.shape([(x - 0.16 * s, y), (x - 0.1 * s + lean, y - 1.1 * s), (x + 0.1 * s + lean, y - 1.1 * s),
            (x + 0.18 * s, y)], across("#f6efe0", "#e8dcc4", "#a8946f"))
        cx, cy = x + lean, y - 1.05 * s
        c.ellipse(cx, cy, 0.72 * s, 0.15 * s, across("#e8dcc0", "#a8906a"))
        rim = [(cx - 0.74 * s * math.cos(t), cy - 0.62 * s * math.sin(t))
            for t in (math.pi * k / 18 for k in range(19))]
        c.poly([*rim, (cx + 0.4 * s, cy + 0.1 * s), (cx, cy + 0.13 * s), (cx - 0.4 * s, cy + 0.1 * s)],
            ball(paint, 0.5))
        if caps == "#c8281c":
            for px, py, q in c.spread(11, cx - 0.55 * s, cy - 0.45 * s, cx + 0.55 * s, cy):
                if ((px - cx) / (0.66 * s)) ** 2 + ((py - cy) / (0.54 * s)) ** 2 < 1:
                    c.ellipse(px, py, (0.04 + 0.04 * q) * s, 0.045 * s, "#f8f2e6")
    _grass(c, 50, c.h - 0.04, floor, 0.12)
    for x, y, z in c.spread(c.n(6, 16), 0, base + 0.05, c.w, c.h):
        c.ellipse(x, y, 0.05, 0.025, ball(c.vary("#a8642c", 0.08)), z * 3, 0.2)


def blossom(c: Canvas) -> None:
    """A single flower, near."""
    green = c.pick(["#3f7a34", "#2a5a3a", "#6a9a44", "#1f3a2c"])
    c.fill(grain(dark(green, 0.6), green, light(green, 0.3), cells=3))
    c.bokeh(c.n(3, 12), 0, c.h, [light(green, 0.4), c.pick(PETALS)])
    c.defocus(0.04)
    _grass(c, 60, c.h * 0.9, green, 0.3)
    x, y, r = c.w * c.u(0.4, 0.6), c.h * c.u(0.38, 0.5), c.u(0.24, 0.38)
    c.line([(x, y), (x + c.u(-0.15, 0.15), c.h + 0.1)], 0.03, light(green, 0.1))
    for side in (-1, 1):
        c.ellipse(x + side * 0.2, c.h * 0.88, 0.2, 0.06, grain(dark(green), light(green, 0.2), cells=4),
            -side * 0.5)
    colour, heart = c.pick(PETALS), c.pick(["#f2c632", "#2c1a10", "#8a5a1c", "#d8e08a"])
    petals = c.pick([5, 8, 13, 21])
    if petals > 8:
        bloom(c, x, y, r * 1.05, dark(colour, 0.2), petals, heart)
    bloom(c, x, y, r, colour, petals, heart)
    for px, py, _ in c.spread(40, x - 0.2 * r, y - 0.2 * r, x + 0.2 * r, y + 0.2 * r):
        if (px - x) ** 2 + (py - y) ** 2 < (0.24 * r) ** 2:
            c.disc(px, py, 0.012, c.vary(light(heart, 0.2), 0.08))
    if heart == "#2c1a10":
        c.note("sunflower")
    if c.chance(0.3):
        bx, by = x + c.u(-0.2, 0.2) * r, y - 0.3 * r
        for part in range(4):
            c.ellipse(bx + 0.025 * part, by, 0.022, 0.035, ("#e8b22c", "#2a2018")[part % 2])
        c.ellipse(bx + 0.03, by - 0.045, 0.05, 0.022, "#dfe6e8", -0.5)
        c.note("bee")


MOTIFS = {
    "nature": (
        (forest, "forest woods trees woodland intothewoods forestlovers mist treescape"),
        (meadow, "flowers wildflowers meadow spring garden bloom flowerstagram grass"),
        (leaves, "leaves green plants macro foliage leaf plantlife botanical"),
        (waterfall, "waterfall water river moss rocks hiking stream longexposure"),
        (mushrooms, "mushrooms fungi forest mushroom forestfloor foraging fungus"),
        (blossom, "flower macro bloom flowers petals flowerstagram garden blossom"),
    )
}
