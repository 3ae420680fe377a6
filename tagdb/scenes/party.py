"""Wedding: the couple, the bouquet, rings, the cake, the aisle and the laid table."""

# Coordinates read better in rows.
# fmt: off

import math

from tagdb.scenes.canvas import Canvas
from tagdb.scenes.figures import HAIRS, SKINS, bloom, rose
from tagdb.scenes.paints import across, ball, dark, down, grain, light, mix

IVORY = ("#f8f3ea", "#f4ece0", "#fbf8f2", "#f2e6dc")
BLUSH = ("#f2c8c4", "#fbf6ee", "#e8a4a8", "#f6dcc8", "#c8788a", "#f8f0e4", "#d8b0c8")
SAGE = ("#8a9f7a", "#6a8464", "#a8b898", "#54704f")


def _garland(c: Canvas, spots: list[tuple[float, float]], size: float) -> None:
    for x, y in spots:
        for _ in range(2):
            c.ellipse(x + c.u(-size, size), y + c.u(-size, size), 0.9 * size, 0.35 * size,
                ball(c.vary(c.pick(SAGE), 0.03), 0.3), c.u(0, 3))
    for x, y in spots:
        rose(c, x + c.u(-size, size) * 0.5, y + c.u(-size, size) * 0.5, size * c.u(0.5, 0.9), c.pick(BLUSH))


def couple(c: Canvas) -> None:
    line = c.h * c.u(0.66, 0.74)
    air = c.pick(["#dfe8d8", "#f2e6d4", "#d8e4ec", "#f4dccc"])
    c.fill(down(light(air, 0.5), air))
    c.mottle(c.pick(SAGE), 0.7, 6, 1, (0, 0, c.w, line), 0.4)
    c.rect(0, line, c.w, c.h, grain(*c.pick([("#8a9f6a", "#b4c48c"), ("#d8ccb8", "#ece4d4"),
        ("#c8b090", "#e0d0b4")]), cells=14))
    c.bokeh(c.n(4, 16), 0, line, ["#fffbe8", "#fff0d0"])
    c.defocus(0.02)
    x, foot, tall = c.w / 2 + c.u(-0.05, 0.05), c.h * 0.95, c.h * c.u(0.6, 0.7)
    if c.chance(0.7):
        half, top = c.u(0.34, 0.42), foot - tall * 1.2
        spots = [(x - half * math.cos(t), foot - 0.1 - (foot - 0.12 - top) * math.sin(t) ** 0.6)
            for t in (math.pi * k / 15 for k in range(16))]
        c.line(spots, 0.025, "#c8b89a")
        _garland(c, [spot for spot in spots if spot[1] < foot - 0.2], 0.06)
        c.note("ceremony")
    gown, suit = c.pick(IVORY), c.pick(["#20242e", "#2c3a54", "#4a4a4e", "#8a8478", "#17181c"])
    gx, bx = x + 0.13 * tall, x - 0.13 * tall
    c.shadow(x, foot, 0.45 * tall, 0.06, 0.7)
    skin, hair = c.pick(SKINS), c.pick(HAIRS)
    for leg in (-0.05, 0.05):
        c.line([(gx + leg * tall, foot - 0.48 * tall), (gx + leg * tall, foot - 0.01)], 0.085 * tall,
            dark(suit, 0.15))
    c.shape([(gx - 0.11 * tall, foot - 0.82 * tall), (gx + 0.11 * tall, foot - 0.82 * tall),
        (gx + 0.12 * tall, foot - 0.42 * tall), (gx - 0.12 * tall, foot - 0.42 * tall)],
        across(light(suit, 0.15), suit, dark(suit, 0.3)))
    c.poly([(gx - 0.04 * tall, foot - 0.85 * tall), (gx + 0.04 * tall, foot - 0.85 * tall),
        (gx, foot - 0.62 * tall)], "#fbfaf6")
    c.poly([(gx - 0.012 * tall, foot - 0.84 * tall), (gx + 0.012 * tall, foot - 0.84 * tall),
        (gx, foot - 0.66 * tall)], c.pick(["#8a2c3c", "#17181c", "#5a7a9a", "#b89a6a"]))
    c.line([(gx + 0.11 * tall, foot - 0.78 * tall), (gx + 0.15 * tall, foot - 0.58 * tall),
        (gx + 0.11 * tall, foot - 0.44 * tall)], 0.06 * tall, dark(suit, 0.1))
    for hx, tone, drop in ((gx, c.pick(SKINS), 0.93), (bx, skin, 0.86)):
        c.line([(hx, foot - (drop - 0.12) * tall), (hx, foot - drop * tall)], 0.05 * tall, dark(tone, 0.15))
        c.ellipse(hx, foot - drop * tall, 0.058 * tall, 0.072 * tall, ball(tone, 0.25))
    c.ellipse(gx, foot - 0.985 * tall, 0.062 * tall, 0.035 * tall, c.pick(HAIRS))
    if c.chance(0.7):
        c.shape([(bx, foot - 0.95 * tall), (bx - 0.09 * tall, foot - 0.8 * tall),
            (bx - 0.26 * tall, foot - 0.05), (bx - 0.1 * tall, foot - 0.3 * tall)], mix(gown, air, 0.3))
        c.note("veil")
    c.ellipse(bx - 0.02 * tall, foot - 0.89 * tall, 0.06 * tall, 0.06 * tall, hair)
    c.ellipse(bx + 0.012 * tall, foot - 0.855 * tall, 0.046 * tall, 0.058 * tall, ball(skin, 0.25))
    c.shape([(bx - 0.06 * tall, foot - 0.72 * tall), (bx + 0.06 * tall, foot - 0.72 * tall),
        (bx + 0.05 * tall, foot - 0.52 * tall), (bx + 0.2 * tall, foot - 0.15 * tall),
        (bx + 0.26 * tall, foot), (bx - 0.28 * tall, foot), (bx - 0.2 * tall, foot - 0.2 * tall),
        (bx - 0.05 * tall, foot - 0.52 * tall)], across(dark(gown, 0.18), light(gown, 0.5), gown,
        dark(gown, 0.14), light(gown, 0.3), dark(gown, 0.2)))
    c.line([(bx - 0.06 * tall, foot - 0.7 * tall), (bx - 0.09 * tall, foot - 0.56 * tall),
        (bx + 0.05 * tall, foot - 0.5 * tall)], 0.035 * tall, skin)
    _garland(c, [(bx + 0.06 * tall, foot - 0.49 * tall)] * 4, 0.05 * tall)


def bouquet(c: Canvas) -> None:
    back = c.pick([*IVORY, "#c8d0c4", "#d8c4b4", "#8a9490"])
    c.fill(grain(dark(back, 0.15), back, light(back, 0.3), cells=3))
    c.defocus(0.03)
    x, y, r = c.w * c.u(0.45, 0.55), c.h * c.u(0.4, 0.48), c.u(0.3, 0.38)
    for stem in range(7):
        c.line([(x + 0.03 * (stem - 3), y), (x + 0.045 * (3 - stem), c.h + 0.05)], 0.02,
            c.vary("#5f7a4a", 0.04))
    ribbon = c.pick([*BLUSH, "#f8f4ec"])
    c.box(x - 0.09, y + 1.0 * r, x + 0.09, y + 1.3 * r, 0.02,
        across(dark(ribbon, 0.15), light(ribbon, 0.4), dark(ribbon, 0.2)))
    for side in (-1, 1):
        c.line([(x, y + 1.2 * r), (x + side * 0.12, y + 1.5 * r), (x + side * 0.1, c.h)], 0.035,
            dark(ribbon, 0.08))
    for _ in range(26):
        angle = c.u(0, 6.3)
        c.ellipse(x + 1.02 * r * math.cos(angle), y + 0.95 * r * math.sin(angle), 0.13, 0.04,
            ball(c.vary(c.pick(SAGE), 0.04), 0.35), angle)
    c.ellipse(x, y, r, 0.9 * r, "#4f6448")
    palette = [c.pick(BLUSH) for _ in range(3)]
    for ring, count in ((0.85, 11), (0.5, 7), (0.0, 2)):
        for k in range(count):
            angle = 2 * math.pi * k / count + c.u(-0.1, 0.1)
            rose(c, x + ring * r * math.cos(angle), y + 0.9 * ring * r * math.sin(angle),
                r * c.u(0.24, 0.34), c.vary(c.pick(palette), 0.02))
    for px, py, z in c.spread(30, x - 0.8 * r, y - 0.7 * r, x + 0.8 * r, y + 0.7 * r):
        c.disc(px, py, 0.006 + 0.008 * z, "#fdfbf6")


def rings(c: Canvas) -> None:
    cloth = c.pick([*IVORY, "#e8d4d0", "#d8dce0", "#c8b8a8"])
    c.fill(grain(dark(cloth, 0.22), cloth, light(cloth, 0.5), cells=2.5, octaves=2))
    if c.chance(0.6):
        for px, py in ((0.05, 0.08), (c.w - 0.1, 0.1), (0.12, 0.28), (c.w - 0.22, 0.03)):
            rose(c, px, py, c.u(0.12, 0.22), c.pick(BLUSH))
    c.bokeh(c.n(0, 9), 0, c.h * 0.5, ["#fff8e4", "#f4dcc0"])
    c.defocus(0.018)
    x, y, r, metal = c.w * 0.45, c.h * c.u(0.52, 0.6), c.u(0.17,
        0.24), c.pick(["#e0b44a", "#c8ccd0", "#e0a488"])
    for k, (dx, dy) in enumerate(((0.0, 0.0), (1.15, c.u(-0.3, 0.3)))):
        rx, ry, flat = x + dx * r, y + dy * r, c.u(0.6, 0.95)
        c.shadow(rx + 0.04, ry + 0.3 * r, 1.4 * r, 1.2 * r, 0.5)
        c.arc(rx, ry + 0.025, r, flat * r, (0, 360), 0.06, dark(metal, 0.5))
        c.arc(rx, ry, r, flat * r, (0, 360), 0.055, metal)
        c.arc(rx, ry - 0.008, r, flat * r, (190, 320), 0.018, light(metal, 0.8))
        c.arc(rx, ry + 0.01, r, flat * r, (20, 120), 0.014, light(metal, 0.6))
        if k == 0 and c.chance(0.7):
            gx, gy = rx - 0.3 * r, ry - flat * r * 0.98
            c.poly([(gx - 0.07, gy - 0.03), (gx - 0.035, gy - 0.075), (gx + 0.035, gy - 0.075),
                (gx + 0.07, gy - 0.03), (gx, gy + 0.04)],
                across("#ffffff", "#a8c8dc", "#f4fbff", "#88a4b8"))
            c.line([(gx - 0.07, gy - 0.03), (gx + 0.07, gy - 0.03)], 0.006, "#ffffff")
            c.glow(gx, gy - 0.04, 0.1, "#ffffff", 0.8)
            c.note("engagementring", "shesaidyes")
    if c.chance(0.5):
        for px, py, z in c.spread(9, 0, c.h * 0.75, c.w, c.h):
            c.ellipse(px, py, 0.06, 0.035, ball(c.pick(BLUSH), 0.2), z * 3)


def tiers(c: Canvas) -> None:
    """Draw the wedding cake."""
    back = c.pick(["#e8dfd2", "#c4ccc0", "#d8c8c4", "#6a6460", "#f2ece4"])
    c.fill(down(light(back, 0.3), dark(back, 0.1)))
    c.bokeh(c.n(8, 26), 0, c.h * 0.75, ["#fff4d8", "#ffe4b0", "#fffaf0"])
    c.defocus(0.02)
    line, x = c.h * 0.84, c.w / 2 + c.u(-0.08, 0.08)
    c.rect(0, line, c.w, c.h, grain("#e4dcd0", "#fbf8f2", cells=4, stretch=0.4))
    icing = c.pick([*IVORY, "#f6e0dc", "#e8ece8"])
    c.ellipse(x, line + 0.02, 0.36, 0.05, down("#e0c070", "#a8843a"))
    levels, y, wide = c.n(3, 5), line, 0.3
    tall = 0.62 * c.h / levels
    for level in range(levels):
        c.poly([(x - wide, y - tall), (x + wide, y - tall), (x + wide, y), (x - wide, y)],
            across(dark(icing, 0.22), light(icing, 0.5), icing, dark(icing, 0.28)))
        c.ellipse(x, y, wide, 0.025, dark(icing, 0.12))
        c.ellipse(x, y - tall, wide, 0.03, light(icing, 0.5))
        kind = (level + levels) % 3
        if kind == 0:
            beads = round(wide * 40)
            for bead in range(beads + 1):
                c.disc(x - wide + 2 * wide * bead / beads, y - 0.01, 0.013, ball("#fffdf8", 0.2))
        elif kind == 1:
            for swag in range(5):
                c.arc(x - wide + wide * (2 * swag + 1) / 5, y - 0.7 * tall, wide / 5, 0.3 * tall, (0, 180),
                    0.012, dark(icing, 0.12))
        else:
            c.rect(x - wide, y - 0.2 * tall, x + wide, y - 0.08 * tall, c.pick(BLUSH))
        y -= tall
        wide *= 0.74
        if c.chance(0.7):
            _garland(c, [(x + c.pick([-1, 1]) * wide * c.u(0.7, 1.2), y - 0.02) for _ in range(4)], 0.05)
    _garland(c, [(x + c.u(-0.05, 0.05), y - 0.02) for _ in range(4)], 0.05)


def aisle(c: Canvas) -> None:
    outside = c.chance(0.5)
    x, far = c.w / 2 + c.u(-0.06, 0.06), c.h * c.u(0.4, 0.48)
    if outside:
        c.fill(down("#dbe6ea", "#f2eee0"))
        c.mottle(c.pick(SAGE), 0.9, 6, 1, (0, 0, c.w, far + 0.05), 0.3)
        c.rect(0, far, c.w, c.h, grain("#6f8a50", "#9ab070", cells=14))
    else:
        wall = c.pick(["#e4d8c4", "#cfc4b4", "#e8e4dc"])
        c.fill(down(dark(wall, 0.2), wall))
        for k in range(3):
            w = x - 0.22 + 0.15 * k
            c.box(w, far - 0.3, w + 0.12, far - 0.05, 0.06, down("#fffbe8", "#f4d8a0"))
        c.rect(0, far, c.w, c.h, down("#a89880", "#d4c8b4"))
    c.defocus(0.012)
    c.poly([(x - 0.05, far), (x + 0.05, far), (x + 0.28, c.h), (x - 0.28, c.h)],
        down("#f8f4ec", "#fffdf8", "#ece4d8"))
    spots = [(x - 0.13 * math.cos(t), far - 0.3 * math.sin(t) ** 0.5)
        for t in (math.pi * k / 9 for k in range(10))]
    c.line(spots, 0.015, "#d8c8b0")
    _garland(c, spots, 0.03)
    chair = c.pick(["#fbf8f2", "#c8a468", "#8a5a34"])
    for row in range(6):
        share = (row / 5) ** 1.6
        y, s = far + 0.06 + share * (c.h - far - 0.02), 0.05 + 0.17 * share
        for side in (-1, 1):
            edge = x + side * (0.09 + 0.24 * share)
            for seat in range(3):
                left = edge + side * seat * 1.15 * s
                c.line([(left, y), (left, y - 1.9 * s)], 0.1 * s, chair)
                c.line([(left + side * 0.9 * s, y), (left + side * 0.9 * s, y - 1.9 * s)], 0.1 * s,
                    dark(chair, 0.15))
                for bar in (1.85, 1.5, 0.9):
                    c.line([(left, y - bar * s), (left + side * 0.9 * s, y - bar * s)], 0.13 * s,
                        dark(chair, 0.08 if bar > 1 else 0.2))
            _garland(c, [(edge, y - 1.1 * s)] * 2, 0.3 * s)
    for px, py, z in c.spread(40, x - 0.25, c.h * 0.75, x + 0.25, c.h):
        c.ellipse(px, py, 0.018, 0.01, c.pick(BLUSH), z * 3)


def reception(c: Canvas) -> None:
    dusk = c.pick(["#3a2c28", "#54443c", "#2c3038", "#a8947c", "#d8ccbc"])
    c.fill(down(dark(dusk, 0.3), dusk))
    c.bokeh(c.n(25, 50), 0, c.h * 0.6, ["#ffe0a0", "#ffd080", "#fff4d8"])
    c.defocus(0.008)
    line = c.h * 0.6
    c.rect(0, line, c.w, c.h, grain("#d8d0c4", "#f6f2ea", "#fffdf8", cells=4))
    for x, y, z in c.rows(c.n(3, 6), 0.08, line, c.w - 0.08, line + 0.2):
        tall = 0.15 + 0.2 * z
        c.shadow(x, y + 0.01, 0.12, 0.03, 0.6)
        c.rect(x - 0.025, y - tall, x + 0.025, y, across("#fffdf4", "#f6ead0", "#c8b490"))
        c.glow(x, y - tall - 0.05, 0.2, "#ffdc90", 0.8)
        c.ellipse(x, y - tall - 0.035, 0.012, 0.032, ball("#fff8d8", 0.1))
    middle = c.w * c.u(0.35, 0.65)
    _garland(c, [(middle + c.u(-0.16, 0.16), line + 0.12 + c.u(-0.07, 0.04)) for _ in range(10)], 0.07)
    for x, _, z in c.spread(c.n(2, 4), 0.05, 0, c.w - 0.05, 0):
        y, s = c.h * 0.93, 0.1 + 0.03 * z
        c.line([(x, y), (x, y - 1.3 * s)], 0.012, "#e8ecec")
        c.ellipse(x, y, 0.45 * s, 0.1 * s, "#dce0e0")
        c.shape([(x - 0.4 * s, y - 2.5 * s), (x + 0.4 * s, y - 2.5 * s), (x + 0.35 * s, y - 1.6 * s),
            (x, y - 1.25 * s), (x - 0.35 * s, y - 1.6 * s)], across("#f4f0e4", "#d8c8a0", "#fbf8f0"))
        c.ellipse(x, y - 2.5 * s, 0.38 * s, 0.08 * s, "#f4ecd0")
    if c.chance(0.4):
        bloom(c, c.w * 0.2, c.h * 0.85, 0.08, c.pick(BLUSH), 8, "#f2d8a0")


MOTIFS = {
    "wedding": (
        (couple, "bride groom brideandgroom weddingdress justmarried weddingphotography misterandmissus"),
        (bouquet, "bouquet weddingflowers flowers bridalbouquet roses florist peonies"),
        (rings, "weddingrings rings engaged gold jewelry proposal diamond forever"),
        (tiers, "weddingcake cake weddingideas fondant cakedesign tieredcake sugarflowers"),
        (aisle, "ceremony weddingceremony weddingvenue aisle weddingdecor vows ido"),
        (reception, "reception weddingdecor candles tablescape weddingparty centerpiece fairylights"),
    )
}
