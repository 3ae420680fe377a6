"""Babies: asleep on a blanket, in the crib, among toys, sitting; and small feet."""

# Coordinates read better in rows.
# fmt: off

import math

from tagdb.scenes.canvas import Canvas
from tagdb.scenes.figures import SKINS, eyes
from tagdb.scenes.paints import Colour, ball, dark, down, grain, light, mix

PASTELS = ("#f6c8d0", "#c4dcf0", "#f8eac0", "#cfe8d4", "#e0d0ee", "#f6f2ea", "#fad8c0", "#bfe0e0")


def _blanket(c: Canvas) -> str:
    cloth = c.pick(PASTELS)
    c.fill(grain(dark(cloth, 0.12), cloth, light(cloth, 0.4), cells=3, octaves=3))
    for x, y, z in c.spread(7, 0, 0, c.w, c.h):
        c.ellipse(x, y, 0.5, 0.03, dark(cloth, 0.07), z * 3, 0.2)
    c.defocus(0.012)
    print_, kind = c.pick(PASTELS), c.n(0, 3)
    if kind < 3:
        for row in range(9):
            for column in range(11):
                x, y = 0.15 * column + (0.075 if row % 2 else 0) + c.u(-0.01,
                    0.01), 0.16 * row + c.u(-0.01, 0.01)
                if kind == 0:
                    c.disc(x, y, 0.02, dark(print_, 0.1))
                elif kind == 1:
                    points = [(x + r * math.cos(k * math.pi / 5), y + r * math.sin(k * math.pi / 5))
                        for k in range(10) for r in ((0.028, 0.012)[k % 2],)]
                    c.poly(points, dark(print_, 0.12))
                else:
                    c.line([(x, y - 0.08), (x, y + 0.08)], 0.012, dark(print_, 0.06))
    c.mottle(dark(cloth, 0.5), 0.25, 3, 1, None, 0.5)
    return cloth


def _head(c: Canvas, x: float, y: float, r: float, skin: str, cloth: str | Colour, *, asleep: bool) -> None:
    """Draw a baby's head: round, with big cheeks and low eyes."""
    c.shadow(x + 0.05 * r, y + 0.15 * r, 1.4 * r, 1.35 * r, 0.5)
    kind = c.n(0, 3)
    if kind == 0:
        c.ellipse(x, y - 0.1 * r, 1.12 * r, 1.12 * r,
            grain(dark(cloth, 0.15), cloth, light(cloth, 0.3), cells=14))
        for side in (-1, 1):
            if c.chance(0.8):
                c.disc(x + side * 0.8 * r, y - 0.95 * r, 0.3 * r, ball(cloth, 0.25))
                c.disc(x + side * 0.8 * r, y - 0.92 * r, 0.17 * r, light(cloth, 0.5))
    for side in (-1, 1):
        c.ellipse(x + side * 0.98 * r, y + 0.12 * r, 0.14 * r, 0.2 * r, ball(dark(skin, 0.08), 0.3))
    c.shape([(x - 0.6 * r, y - 0.75 * r), (x, y - 0.98 * r), (x + 0.6 * r, y - 0.75 * r),
        (x + 0.95 * r, y + 0.05 * r), (x + 0.78 * r, y + 0.65 * r), (x, y + 0.95 * r),
        (x - 0.78 * r, y + 0.65 * r), (x - 0.95 * r, y + 0.05 * r)], ball(skin, 0.2))
    if kind == 1:
        c.shape([(x - 0.97 * r, y - 0.15 * r), (x - 0.75 * r, y - 0.85 * r), (x, y - 1.15 * r),
            (x + 0.75 * r, y - 0.85 * r), (x + 0.97 * r, y - 0.15 * r), (x, y - 0.42 * r)],
            grain(dark(cloth, 0.2), cloth, light(cloth, 0.3), cells=14))
        c.disc(x, y - 1.2 * r, 0.2 * r, grain(light(cloth, 0.3), "#ffffff", cells=9))
    elif kind == 2:
        c.strokes(130, (x, y - 0.8 * r, 0.5 * r, 0.2 * r), 0.09 * r, 0.6,
            *(mix(c.pick(["#5a3a24", "#c8a468"]), skin, k) for k in (0.2, 0.4, 0.6)))
    elif kind == 3:
        band = c.pick(["#e87a94", "#f4f0ea", "#c88ad0"])
        c.arc(x, y - 0.15 * r, 0.9 * r, 0.6 * r, (200, 340), 0.12 * r, band)
        for side in (-1, 1):
            c.ellipse(x + side * 0.2 * r, y - 0.75 * r, 0.22 * r, 0.14 * r, ball(band, 0.25), side * 0.4)
        c.disc(x, y - 0.75 * r, 0.09 * r, dark(band, 0.15))
    for side in (-1, 1):
        c.glow(x + side * 0.55 * r, y + 0.36 * r, 0.38 * r, mix(skin, "#f0707a", 0.6), 0.75)
    eyes(c, x, y + 0.08 * r, 1.25 * r, 0.33, c.pick(["#3a6a9a", "#4a3020", "#6a8a9a"]), closed=asleep)
    for side in (-1, 1):
        c.arc(x + side * 0.4 * r, y - 0.1 * r, 0.2 * r, 0.08 * r, (210, 330), 0.03 * r, dark(skin, 0.25))
    c.ellipse(x, y + 0.32 * r, 0.11 * r, 0.08 * r, ball(dark(skin, 0.06), 0.25))
    if c.chance(0.35):
        pacifier = c.pick(["#5ac0d0", "#f08aa0", "#f2c84a", "#8ad0a0"])
        c.ellipse(x, y + 0.62 * r, 0.36 * r, 0.22 * r, ball(pacifier, 0.3))
        c.arc(x, y + 0.66 * r, 0.15 * r, 0.15 * r, (0, 360), 0.05 * r, light(pacifier, 0.5))
    elif asleep:
        c.ellipse(x, y + 0.6 * r, 0.12 * r, 0.06 * r, mix(skin, "#c83a4a", 0.5))
    else:
        c.shape([(x - 0.24 * r, y + 0.52 * r), (x, y + 0.55 * r), (x + 0.24 * r, y + 0.52 * r),
            (x, y + 0.76 * r)], mix(skin, "#b8283a", 0.7))


def sleeping(c: Canvas) -> None:
    cloth, skin = _blanket(c), c.pick(SKINS)
    x, y, r = c.w * c.u(0.4, 0.6), c.h * c.u(0.34, 0.42), c.u(0.2, 0.27)
    wrap = c.pick([pastel for pastel in PASTELS if pastel != cloth])
    c.shadow(x, y + 2.2 * r, 1.9 * r, 2.2 * r, 0.6)
    c.shape([(x - 0.9 * r, y + 0.6 * r), (x + 0.9 * r, y + 0.6 * r), (x + 1.35 * r, y + 1.6 * r),
        (x + 0.8 * r, c.h + 0.1), (x - 0.8 * r, c.h + 0.1), (x - 1.35 * r, y + 1.6 * r)],
        grain(dark(wrap, 0.2), wrap, light(wrap, 0.3), cells=6))
    _head(c, x, y, r, skin, wrap, asleep=c.chance(0.85))
    c.shape([(x - 1.2 * r, y + 0.9 * r), (x, y + 1.15 * r), (x + 1.2 * r, y + 0.8 * r),
        (x + 0.9 * r, y + 1.5 * r), (x - 0.6 * r, y + 2.4 * r)],
        grain(dark(wrap, 0.1), light(wrap, 0.2), cells=6))
    if c.chance(0.5):
        c.disc(x + 0.75 * r, y + 1.05 * r, 0.24 * r, ball(skin, 0.3))
    if c.chance(0.4):
        _teddy(c, x + c.pick([-1, 1]) * 1.7 * r, y + 1.2 * r, 0.6 * r)


def _teddy(c: Canvas, x: float, y: float, r: float) -> None:
    plush = c.vary(c.pick(["#b8824a", "#d8b88a", "#8a6a4a", "#e8dcc8", "#c8a8b8"]), 0.03)
    paint, pad = grain(dark(plush, 0.25), plush, light(plush, 0.2), cells=12), light(plush, 0.4)
    c.shadow(x, y + 1.2 * r, 1.5 * r, 1.3 * r, 0.6)
    for side in (-1, 1):
        c.ellipse(x + side * 0.75 * r, y + 1.75 * r, 0.4 * r, 0.3 * r, paint, side * 0.4)
        c.disc(x + side * 0.88 * r, y + 1.75 * r, 0.17 * r, pad)
        c.ellipse(x + side * 0.8 * r, y + 1.0 * r, 0.24 * r, 0.45 * r, paint, -side * 0.6)
        c.disc(x + side * 0.6 * r, y - 0.6 * r, 0.28 * r, paint)
        c.disc(x + side * 0.6 * r, y - 0.58 * r, 0.15 * r, pad)
    c.ellipse(x, y + 1.2 * r, 0.75 * r, 0.8 * r, paint)
    c.ellipse(x, y + 1.25 * r, 0.4 * r, 0.5 * r, pad)
    c.ellipse(x, y, 0.78 * r, 0.7 * r, paint)
    c.ellipse(x, y + 0.22 * r, 0.32 * r, 0.26 * r, ball(pad, 0.2))
    c.ellipse(x, y + 0.12 * r, 0.1 * r, 0.07 * r, "#2a1c16")
    c.arc(x, y + 0.2 * r, 0.12 * r, 0.12 * r, (20, 160), 0.03 * r, "#2a1c16")
    for side in (-1, 1):
        c.disc(x + side * 0.28 * r, y - 0.1 * r, 0.08 * r, "#17100c")
        c.ellipse(x + side * 0.15 * r, y + 0.68 * r, 0.18 * r, 0.1 * r,
            ball(c.pick(["#d84a5a", "#4a7ac0"]), 0.3), side * 0.3)


def crib(c: Canvas) -> None:
    wall, wood = c.pick(PASTELS), c.pick(["#f6f2ea", "#d8b88a", "#a87a4a", "#e4e0d8"])
    c.fill(down(light(wall, 0.3), dark(wall, 0.05)))
    for x, y, _ in c.spread(c.n(0, 14), 0, 0, c.w, c.h * 0.5):
        c.disc(x, y, 0.02, dark(wall, 0.08))
    left, right, top, low = 0.1, c.w - 0.1, c.h * c.u(0.42, 0.5), c.h * 0.92
    c.rect(left, top + 0.08, right, low - 0.08, down(dark(wall, 0.25), dark(wall, 0.15)))
    sheet = c.pick(PASTELS)
    c.box(left, low - 0.3, right, low - 0.06, 0.05,
        grain(dark(sheet, 0.1), sheet, light(sheet, 0.4), cells=5))
    if c.chance(0.7):
        _head(c, c.u(left + 0.25, right - 0.25), low - 0.32, 0.13, c.pick(SKINS), c.pick(PASTELS),
            asleep=c.chance(0.4))
    else:
        _teddy(c, c.u(left + 0.2, right - 0.2), low - 0.4, 0.13)
    bars = c.n(8, 12)
    for bar in range(bars + 1):
        x = left + (right - left) * bar / bars
        c.line([(x, top), (x, low)], 0.022, dark(wood, 0.15))
        c.line([(x - 0.005, top), (x - 0.005, low)], 0.008, light(wood, 0.5))
    for rail in (top, low):
        c.box(left - 0.04, rail - 0.03, right + 0.04, rail + 0.03, 0.02,
            down(light(wood, 0.4), dark(wood, 0.15)))
    for leg in (left, right):
        c.box(leg - 0.03, top - 0.07, leg + 0.03, c.h + 0.02, 0.02, down(light(wood, 0.3), dark(wood, 0.1)))
    x = c.w / 2 + c.u(-0.15, 0.15)
    c.line([(x, -0.1), (x, 0.06)], 0.008, "#c8c0b8")
    c.line([(x - 0.28, 0.08), (x, 0.05), (x + 0.28, 0.08)], 0.018, dark(wood, 0.1))
    for toy in range(4):
        tx, ty, paint = x - 0.27 + 0.18 * toy, 0.2 + c.u(-0.03, 0.05), dark(c.pick(PASTELS), 0.15)
        c.line([(tx, 0.07), (tx, ty)], 0.005, "#a8a098")
        if toy % 2:
            c.poly([(tx + r * math.sin(k * math.pi / 5), ty - r * math.cos(k * math.pi / 5))
                for k in range(10) for r in ((0.06, 0.028)[k % 2],)], paint)
        else:
            c.disc(tx, ty, 0.045, ball(paint, 0.25))


def toys(c: Canvas) -> None:
    _blanket(c)
    bright = ("#e8605a", "#f2c23c", "#5aa8dc", "#7ac07a", "#b88ad0", "#f29a4a")
    _teddy(c, c.w * c.u(0.3, 0.7), c.h * c.u(0.2, 0.35), c.u(0.14, 0.2))
    for x, y, z in c.spread(c.n(4, 8), 0.12, c.h * 0.45, c.w - 0.12, c.h - 0.1):
        s, paint = 0.07 + 0.04 * z, mix(c.pick(bright), "#ffffff", c.u(0, 0.4))
        c.shadow(x + 0.02, y + 0.04, 1.7 * s, 1.5 * s, 0.7)
        kind = c.n(0, 3)
        if kind == 0:
            c.box(x - s, y - s, x + s, y + s, 0.015, down(light(paint, 0.3), paint))
            c.box(x - 0.75 * s, y - 0.75 * s, x + 0.75 * s, y + 0.75 * s, 0.01, light(paint, 0.75))
            c.line([(x - 0.35 * s, y + 0.45 * s), (x, y - 0.5 * s), (x + 0.35 * s, y + 0.45 * s)],
                0.17 * s, paint)
        elif kind == 1:
            for level in range(4):
                c.ellipse(x, y + 0.6 * s - 0.4 * s * level, (1.2 - 0.22 * level) * s, 0.3 * s,
                    ball(bright[level], 0.3))
            c.disc(x, y - 1.0 * s, 0.24 * s, ball("#e8605a", 0.3))
        elif kind == 2:
            c.ellipse(x, y, 0.95 * s, 0.6 * s, ball(paint, 0.3))
            c.arc(x, y + 0.3 * s, 0.45 * s, 0.5 * s, (0, 360), 0.16 * s, light(paint, 0.4))
        else:
            c.line([(x, y), (x + 1.5 * s, y + 1.2 * s)], 0.35 * s, light(paint, 0.5))
            c.disc(x, y, 0.85 * s, ball(paint, 0.35))
            c.disc(x, y, 0.35 * s, light(paint, 0.6))


def sitting(c: Canvas) -> None:
    wall, rug = c.pick(PASTELS), c.pick(PASTELS)
    c.fill(down(light(wall, 0.3), wall))
    c.bokeh(c.n(0, 10), 0, c.h * 0.5, [*PASTELS])
    c.defocus(0.03)
    c.rect(0, c.h * 0.7, c.w, c.h, grain(dark(rug, 0.2), rug, light(rug, 0.3), cells=16))
    x, y, r, skin = c.w * c.u(0.42, 0.58), c.h * c.u(0.33, 0.38), c.u(0.19, 0.24), c.pick(SKINS)
    suit = mix(c.pick(PASTELS), c.pick(["#e8707a", "#5a9ac8", "#f2c23c", "#7ab88a"]), 0.35)
    low = y + 2.35 * r
    c.shadow(x, low + 0.1 * r, 2.2 * r, 0.4 * r, 0.8)
    for side in (-1, 1):
        c.line([(x + side * 0.4 * r, low - 0.3 * r), (x + side * 1.2 * r, low)], 0.5 * r, dark(suit, 0.1))
        c.ellipse(x + side * 1.45 * r, low, 0.24 * r, 0.3 * r, ball(skin, 0.3))
    c.shape([(x - 0.5 * r, y + 0.7 * r), (x + 0.5 * r, y + 0.7 * r), (x + 0.95 * r, low - 0.4 * r),
        (x, low + 0.12 * r), (x - 0.95 * r, low - 0.4 * r)], ball(suit, 0.3))
    for button in range(3):
        c.disc(x, y + (1.25 + 0.3 * button) * r, 0.05 * r, "#fbf8f2")
    for side in (-1, 1):
        reach = c.u(-0.1, 0.8)
        hand = (x + side * (1.15 + 0.2 * reach) * r, y + (1.75 - reach) * r)
        c.line([(x + side * 0.55 * r, y + 1.0 * r), hand], 0.34 * r, dark(suit, 0.05))
        c.disc(*hand, 0.2 * r, ball(skin, 0.3))
    _head(c, x, y, r, skin, suit, asleep=False)
    if c.chance(0.5):
        _teddy(c, x + c.pick([-1, 1]) * 0.42 * c.w, c.h * 0.68, 0.1)


def feet(c: Canvas) -> None:
    cloth, skin = _blanket(c), c.pick(SKINS)
    x, y, s = c.w / 2 + c.u(-0.06, 0.06), c.h * c.u(0.46, 0.54), c.u(0.2, 0.27)
    for side in (-1, 1):
        fx, turn = x + side * 0.62 * s, side * c.u(0.02, 0.2)
        c.shadow(fx, y + 0.1 * s, 0.9 * s, 1.3 * s, 0.6)
        c.line([(fx, y + 0.8 * s), (x + side * 0.5 * s, c.h + 0.1)], 0.75 * s, dark(skin, 0.08))
        c.shape([(fx - 0.42 * s, y - 0.6 * s), (fx + 0.42 * s, y - 0.6 * s), (fx + 0.4 * s, y + 0.2 * s),
            (fx + 0.32 * s, y + 0.95 * s), (fx - 0.32 * s, y + 0.95 * s), (fx - 0.4 * s, y + 0.2 * s)],
            ball(skin, 0.25))
        c.glow(fx, y - 0.4 * s, 0.45 * s, mix(skin, "#f0707a", 0.5), 0.6, 0.6)
        c.glow(fx, y + 0.65 * s, 0.35 * s, mix(skin, "#f0707a", 0.5), 0.6)
        for toe in range(5):
            size = (0.19, 0.14, 0.13, 0.12, 0.11)[toe] * s
            c.disc(fx - side * (0.36 - 0.185 * toe) * s, y - (0.78 - 0.03 * toe * toe) * s + turn * s,
                size, ball(light(skin, 0.1), 0.25))
    wrap = c.pick(PASTELS)
    c.shape([(-0.1, c.h * 0.8), (x, c.h * 0.85), (c.w + 0.1, c.h * 0.78), (c.w + 0.1, c.h + 0.2),
        (-0.1, c.h + 0.2)], grain(dark(wrap, 0.2), wrap, light(wrap, 0.4), cells=14))
    c.mottle(dark(cloth, 0.3), 0.2, 4)
    c.note("tinyfeet")


MOTIFS = {
    "babies": (
        (sleeping, "newborn sleepingbaby newbornphotography sweetdreams naptime swaddle bundleofjoy"),
        (crib, "nursery crib nurserydecor babyroom bedtime sleepingbaby naptime"),
        (toys, "toys teddybear babytoys playtime plush woodentoys babyshower"),
        (sitting, "babysmile milestones sixmonths babyfashion giggles chubbycheeks playtime"),
        (feet, "babyfeet newborn tinytoes newbornphotography tinyfeet littlefeet maternity"),
    )
}
