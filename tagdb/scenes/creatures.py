"""Animals: dogs, cats, birds, fish, horses and rabbits."""

# Coordinates read better in rows.
# fmt: off

import math

from tagdb.scenes.canvas import Canvas
from tagdb.scenes.paints import Colour, across, ball, dark, down, grain, light, mix

COATS = ("#c8935a", "#5a3a24", "#e8dcc8", "#2a2623", "#8a8580", "#a8642f", "#d8b88a", "#f2ede4")


def _backdrop(c: Canvas) -> None:
    kind = c.n(0, 2)
    if kind == 0:
        green = c.pick(["#5a8a3a", "#7a9a4a", "#3f6a34", "#9a9a50"])
        c.fill(grain(dark(green, 0.4), green, light(green, 0.3), cells=4))
        c.bokeh(c.n(0, 12), 0, c.h * 0.6, [light(green, 0.5), "#f4f0c8"])
    elif kind == 1:
        wall, sofa = c.pick(["#d8cfc0", "#a8b4b8", "#c8a890"]), c.pick(["#4a6a8a", "#8a4a4a", "#b8a890",
            "#5a5a60"])
        c.fill(down(light(wall, 0.2), wall))
        c.box(-0.1, c.h * c.u(0.3, 0.5), c.w + 0.1, c.h * 1.2, 0.15,
            grain(dark(sofa, 0.3), sofa, light(sofa, 0.15), cells=9))
        c.line([(c.w / 2, c.h * 0.4), (c.w / 2, c.h)], 0.015, dark(sofa, 0.5))
    else:
        floor = c.pick(["#a8743e", "#c8a878", "#6a4a34"])
        c.fill(down(c.pick(["#e8e4dc", "#8a9aa8", "#d8c4b0"]), dark(floor, 0.1)))
        c.rect(0, c.h * 0.65, c.w, c.h, grain(dark(floor), floor, cells=3, stretch=8))
        c.rect(c.u(0, 0.3), 0.05, c.u(0.4, 0.7), c.h * 0.45, down("#f4f8fa", "#c8d8e0"))
    c.defocus(0.025)


def _fur(
    c: Canvas, x: float, y: float, rx: float, ry: float, coat: str | Colour, count: int, angle: float = 1.57
) -> None:
    c.strokes(count, (x, y, rx, ry), 0.035, angle, dark(coat, 0.25), light(coat, 0.3), coat,
        dark(coat, 0.1), light(coat, 0.12))


def _gaze(c: Canvas, x: float, y: float, r: float, iris: str, *, slit: bool) -> None:
    c.ellipse(x, y, 1.15 * r, r, "#14100e")
    c.ellipse(x, y, r, 0.86 * r, ball(iris, 0.5))
    c.ellipse(x, y, (0.3 if slit else 0.58) * r, 0.75 * r if slit else 0.58 * r, "#060505")
    c.disc(x - 0.3 * r, y - 0.3 * r, 0.2 * r, "#ffffff")


def dog(c: Canvas) -> None:
    _backdrop(c)
    x, y, r = c.w * c.u(0.42, 0.58), c.h * c.u(0.42, 0.5), c.u(0.24, 0.34)
    coat = c.vary(c.pick(COATS), 0.03)
    ears, muzzle = dark(coat, c.u(0, 0.5)), light(coat, c.u(0.1, 0.7))
    c.ellipse(x + c.u(-0.2, 0.2), c.h + 0.08, 1.3 * r, c.h - y + 0.05,
        grain(dark(coat, 0.35), coat, light(coat, 0.2), cells=9), 0, 0.04)
    _fur(c, x, c.h - 0.05, 1.1 * r, 0.35, coat, 260)
    c.ellipse(x, y + 1.35 * r, 0.6 * r, 0.6 * r, grain(muzzle, light(muzzle, 0.3), cells=12), 0, 0.1)
    floppy = c.chance(0.65)
    for side in (-1, 1):
        if floppy:
            c.ellipse(x + side * 0.93 * r, y + 0.15 * r, 0.3 * r, 0.75 * r,
                grain(dark(ears, 0.45), ears, cells=8), -side * 0.2, 0.05)
        else:
            c.shape([(x + side * 0.35 * r, y - 0.6 * r), (x + side * 0.85 * r, y - 1.5 * r),
                (x + side * 0.95 * r, y - 0.3 * r)], grain(dark(ears, 0.4), ears, cells=8))
    c.ellipse(x, y, 0.92 * r, 0.98 * r, grain(dark(coat, 0.2), coat, light(coat, 0.2), cells=8), 0, 0.03)
    c.glow(x, y + 0.9 * r, r, dark(coat, 0.7), 0.5, 0.6)
    _fur(c, x, y, 0.9 * r, 0.95 * r, coat, 420, 1.9)
    if c.chance(0.4):
        c.ellipse(x, y - 0.35 * r, 0.16 * r, 0.6 * r, grain(light(coat, 0.6), "#fbf8f0", cells=8), 0, 0.1)
    c.ellipse(x, y + 0.42 * r, 0.48 * r, 0.42 * r, grain(muzzle, light(muzzle, 0.25), cells=9), 0, 0.04)
    _fur(c, x, y + 0.42 * r, 0.45 * r, 0.36 * r, muzzle, 140)
    for side in (-1, 1):
        _gaze(c, x + side * 0.36 * r, y - 0.12 * r, 0.12 * r, "#4a2c18", slit=False)
        c.arc(x + side * 0.22 * r, y + 0.48 * r, 0.23 * r, 0.17 * r, (10, 170), 0.035 * r, "#1c1412")
    if c.chance(0.55):
        c.ellipse(x, y + 0.82 * r, 0.15 * r, 0.26 * r, ball("#e0707c", 0.3))
    c.ellipse(x, y + 0.26 * r, 0.2 * r, 0.14 * r, ball("#1c1716", 0.7))
    c.ellipse(x - 0.05 * r, y + 0.2 * r, 0.06 * r, 0.03 * r, "#8a8482")
    if c.chance(0.5):
        c.arc(x, y + 1.0 * r, 0.75 * r, 0.35 * r, (20, 160), 0.1 * r,
            c.pick(["#c8323c", "#2f5d8c", "#2a2a2c", "#e2a13c"]))


def cat(c: Canvas) -> None:
    _backdrop(c)
    x, y, r = c.w * c.u(0.42, 0.58), c.h * c.u(0.42, 0.52), c.u(0.24, 0.34)
    coat = c.vary(c.pick([*COATS[1:], "#d8823a", "#9a9692", "#e09a4a"]), 0.03)
    c.ellipse(x, c.h + 0.05, 1.25 * r, c.h - y, grain(dark(coat, 0.35), coat, light(coat, 0.2), cells=9),
        0, 0.04)
    _fur(c, x, c.h - 0.05, 1.1 * r, 0.35, coat, 240)
    for side in (-1, 1):
        c.poly([(x + side * 0.2 * r, y - 0.7 * r), (x + side * 0.78 * r, y - 1.45 * r),
            (x + side * 0.98 * r, y - 0.2 * r)], grain(dark(coat, 0.3), coat, cells=8))
        c.poly([(x + side * 0.38 * r, y - 0.7 * r), (x + side * 0.74 * r, y - 1.22 * r),
            (x + side * 0.86 * r, y - 0.4 * r)], down("#e0a8a0", dark(coat, 0.3)))
    c.ellipse(x, y, 1.05 * r, 0.88 * r, grain(dark(coat, 0.2), coat, light(coat, 0.2), cells=8), 0, 0.02)
    c.glow(x, y + 0.9 * r, r, dark(coat, 0.7), 0.5, 0.5)
    _fur(c, x, y, r, 0.85 * r, coat, 420, 1.57)
    if c.chance(0.6):
        stripe = dark(coat, 0.55)
        for k in (-0.3, -0.1, 0.1, 0.3):
            c.line([(x + k * r, y - 0.82 * r), (x + 0.7 * k * r, y - 0.45 * r)], 0.06 * r, stripe)
        for side in (-1, 1):
            for k in (0, 0.18, 0.36):
                c.line([(x + side * 0.95 * r, y + (k - 0.1) * r), (x + side * 0.65 * r, y + k * r)],
                    0.05 * r, stripe)
        c.note("tabby")
    pale = light(coat, 0.6)
    for side in (-1, 1):
        c.ellipse(x + side * 0.16 * r, y + 0.4 * r, 0.24 * r, 0.2 * r, grain(pale, light(pale), cells=8))
    iris = c.pick(["#7fae3a", "#d8a82c", "#5a9ac8", "#b8c44a"])
    for side in (-1, 1):
        _gaze(c, x + side * 0.42 * r, y - 0.05 * r, 0.19 * r, iris, slit=True)
        for k in (-0.15, 0.0, 0.15):
            c.line([(x + side * 0.25 * r, y + (0.4 + 0.3 * k) * r),
                (x + side * 1.3 * r, y + (0.35 + k) * r)], 0.006, "#fbf8f4")
        c.arc(x + side * 0.11 * r, y + 0.4 * r, 0.11 * r, 0.09 * r, (10, 170), 0.025 * r, "#2c1c1a")
    c.poly([(x - 0.1 * r, y + 0.22 * r), (x + 0.1 * r, y + 0.22 * r), (x, y + 0.34 * r)], "#d8808a")


def bird(c: Canvas) -> None:
    air = c.pick(["#8ab0c8", "#7a9a5a", "#c8d4c0", "#5a7a4a", "#d8c8b0"])
    c.fill(grain(dark(air, 0.2), air, light(air, 0.3), cells=3))
    c.bokeh(c.n(2, 14), 0, c.h, [light(air, 0.4), dark(air, 0.3)])
    c.defocus(0.04)
    x, y, r = c.w * c.u(0.42, 0.55), c.h * c.u(0.45, 0.52), c.u(0.18, 0.28)
    perch = y + 0.95 * r
    c.line([(-0.1, perch + 0.06), (x, perch + 0.02), (c.w + 0.1, perch - c.u(0, 0.15))], 0.05, "#3a2c22")
    c.line([(-0.1, perch + 0.05), (x, perch + 0.01), (c.w + 0.1, perch - 0.05)], 0.015, "#7a6450")
    for px, py, z in c.spread(c.n(0, 9), 0, perch - 0.1, c.w, perch + 0.15):
        c.ellipse(px, py, 0.07, 0.03, ball(c.vary("#5f8f34", 0.06)), z * 3)
    back = c.pick(["#3f6ab0", "#8a5a34", "#c83a2c", "#4a4a4c", "#e2b22c", "#4a8a5a", "#6a7078"])
    belly = c.pick(["#f2e8d8", "#e8a05a", "#f4e48a", "#d8d4cc", "#d86a3a"])
    c.poly([(x - 0.6 * r, y + 0.3 * r), (x - 1.75 * r, y + 1.25 * r), (x - 1.5 * r, y + 1.45 * r),
        (x - 0.3 * r, y + 0.7 * r)], grain(dark(back, 0.5), back, cells=4))
    for leg in (0.05, 0.3):
        c.line([(x + leg * r, y + 0.6 * r), (x + leg * r, perch)], 0.014, "#6a4a34")
    c.ellipse(x, y, r, 0.72 * r, grain(dark(belly, 0.2), belly, light(belly), cells=7), 0.6)
    c.strokes(200, (x, y + 0.1 * r, 0.75 * r, 0.5 * r), 0.03, 2.4, dark(belly, 0.15), light(belly, 0.3))
    c.shape([(x + 0.55 * r, y - 0.55 * r), (x + 0.1 * r, y - 0.8 * r), (x - 0.7 * r, y - 0.1 * r),
        (x - 1.3 * r, y + 0.85 * r), (x - 0.3 * r, y + 0.45 * r), (x + 0.3 * r, y + 0.1 * r)],
        grain(dark(back, 0.4), back, light(back, 0.25), cells=7))
    for feather in range(5):
        c.line([(x - (0.1 + 0.12 * feather) * r, y + 0.1 * r),
            (x - (0.75 + 0.1 * feather) * r, y + (0.5 + 0.06 * feather) * r)], 0.02, dark(back, 0.5))
    hx, hy = x + 0.55 * r, y - 0.72 * r
    c.disc(hx, hy, 0.5 * r, ball(back, 0.35))
    c.ellipse(hx + 0.1 * r, hy + 0.25 * r, 0.36 * r, 0.28 * r, ball(belly, 0.25))
    c.strokes(110, (hx, hy, 0.45 * r, 0.42 * r), 0.02, 2.4, dark(back, 0.3), light(back, 0.3))
    c.poly([(hx + 0.42 * r, hy - 0.12 * r), (hx + 0.88 * r, hy + 0.08 * r),
        (hx + 0.42 * r, hy + 0.17 * r)], down("#e8a83c", "#5a4a2c"))
    c.disc(hx + 0.18 * r, hy - 0.06 * r, 0.1 * r, "#0c0a0a")
    c.disc(hx + 0.15 * r, hy - 0.1 * r, 0.032 * r, "#ffffff")


def fish(c: Canvas) -> None:
    water = c.pick(["#1a6a9a", "#0f4a7a", "#2a8a9a", "#123a5a"])
    c.fill(down(light(water, 0.4), water, dark(water, 0.5)))
    c.mottle("#bfe8f0", 0.4, 6, 2, (0, 0, c.w, c.h * 0.5), 0.5)
    for x, _, z in c.spread(c.n(6, 14), 0, 0, c.w, 0):
        coral, tall = c.pick(["#d85a6a", "#e8a04a", "#8a4a9a", "#3a7a4a", "#c8c08a"]), 0.08 + 0.3 * z
        for arm in range(5):
            c.line([(x, c.h), (x + 0.05 * (arm - 2), c.h - 0.6 * tall),
                (x + 0.07 * (arm - 2), c.h - tall * c.u(0.8, 1.1))], 0.03, dark(coral, c.u(0.1, 0.5)))
    c.rect(0, c.h * 0.92, c.w, c.h, grain("#a8946a", "#d8c89a", cells=14))
    c.defocus(0.008)
    paint, band = c.pick(["#f07a1c", "#f2d02c", "#3a6ad8", "#d83a4a", "#e8e4dc"]), c.pick(["#fbf8f0",
        "#1c1c24", "#f2d02c"])
    many = c.n(1, 7)
    for x, y, z in c.spread(many, 0.2, 0.2, c.w - 0.2, c.h - 0.25):
        s = (0.1 + 0.06 * z) if many > 2 else 0.24 + 0.06 * z
        way, tone = c.pick([-1, 1, 1]), c.vary(paint, 0.04)
        c.shape([(x - way * 0.85 * s, y), (x - way * 1.5 * s, y - 0.55 * s), (x - way * 1.3 * s, y),
            (x - way * 1.5 * s, y + 0.55 * s)], across(dark(tone), tone))
        c.shape([(x - 0.5 * s, y - 0.3 * s), (x - way * 0.1 * s, y - 0.95 * s),
            (x + 0.5 * s, y - 0.4 * s)], dark(tone, 0.3))
        c.ellipse(x, y, s, 0.58 * s, grain(dark(tone, 0.15), tone, light(tone, 0.35), cells=7))
        c.glow(x, y + 0.5 * s, 0.9 * s, "#081020", 0.5, 0.4)
        for stripe in (-0.45, 0.05, 0.5):
            c.ellipse(x + way * stripe * s, y, 0.09 * s, (0.54 - 0.35 * stripe * stripe) * s, band)
        c.ellipse(x + way * 0.1 * s, y + 0.15 * s, 0.22 * s, 0.12 * s, dark(tone, 0.25), way * 0.5)
        c.disc(x + way * 0.74 * s, y - 0.1 * s, 0.09 * s, "#f8f4e8")
        c.disc(x + way * 0.76 * s, y - 0.1 * s, 0.055 * s, "#0a0a0c")
    for x, y, z in c.spread(c.n(5, 20), 0, 0, c.w, c.h):
        c.disc(x, y, 0.006 + 0.012 * z, ball(light(water, 0.5), 0.5))


def horse(c: Canvas) -> None:
    base = c.h * c.u(0.5, 0.6)
    sky, green = c.pick(["#a8cce4", "#d8dcd8", "#f0d0a8"]), c.pick(["#6a8f3a", "#8a9a4a", "#a8a058",
        "#4f7a34"])
    c.rect(0, 0, c.w, base, down(sky, light(sky, 0.5)))
    c.rect(0, base - 0.14, c.w, base, grain(dark(green, 0.6), dark(green, 0.3), cells=14))
    c.rect(0, base, c.w, c.h, grain(dark(green, 0.3), green, light(green, 0.3), cells=16, stretch=2))
    if c.chance(0.5):
        for rail in (0.02, 0.08):
            c.line([(0, base + rail - 0.06), (c.w, base + rail - 0.06)], 0.015, "#d8d0c4")
        for post in range(8):
            c.line([(0.2 * post, base - 0.09), (0.2 * post, base + 0.08)], 0.02, "#c8c0b4")
    c.defocus(0.008)
    coat = c.vary(c.pick(["#7a4524", "#3a2418", "#d8d0c4", "#a8683a", "#26201e", "#c8a06a"]), 0.03)
    mane = c.pick([dark(coat, 0.6), light(coat, 0.6)])
    s = c.u(0.36, 0.43) * min(c.w, 1.2)
    x, y = c.w * 0.47, base + c.u(0.02, 0.06)
    foot = y + 0.66 * s
    c.shadow(x, foot, 0.85 * s, 0.1 * s, 0.8)
    for leg, shade in ((-0.46, 0.4), (0.3, 0.4), (-0.56, 0), (0.42, 0)):
        step = c.u(-0.08, 0.08)
        c.line([(x + leg * s, y), (x + (leg + step) * s, y + 0.3 * s), (x + (leg + step / 2) * s, foot)],
            0.062 * s, dark(coat, 0.1 + shade))
        c.line([(x + (leg + step / 2) * s, foot - 0.04 * s), (x + (leg + step / 2 + 0.02) * s, foot)],
            0.075 * s, "#1c1816")
    c.shape([(x - 0.62 * s, y - 0.2 * s), (x - 0.72 * s, y + 0.05 * s), (x - 0.82 * s, y + 0.4 * s),
        (x - 0.68 * s, y + 0.3 * s)], mane)
    grazing = c.chance(0.3)
    nose = (x + 1.05 * s, y + 0.42 * s) if grazing else (x + 1.06 * s, y - 0.52 * s)
    poll = (x + 0.85 * s, y - 0.02 * s) if grazing else (x + 0.72 * s, y - 0.82 * s)
    c.shape([(x - 0.6 * s, y - 0.24 * s), (x - 0.1 * s, y - 0.2 * s), (x + 0.32 * s, y - 0.28 * s),
        (x + 0.5 * s, (y - 0.3 * s + poll[1]) / 2), poll, nose, (nose[0] - 0.1 * s, nose[1] + 0.08 * s),
        (poll[0] + 0.04 * s, poll[1] + 0.26 * s), (x + 0.6 * s, y - 0.06 * s),
        (x + 0.35 * s, y + 0.22 * s), (x - 0.1 * s, y + 0.26 * s), (x - 0.58 * s, y + 0.15 * s)],
        ball(coat, 0.45))
    c.strokes(130, (x - 0.1 * s, y, 0.45 * s, 0.18 * s), 0.03, 0.3, dark(coat, 0.2), light(coat, 0.2))
    c.shape([(x + 0.3 * s, y - 0.36 * s), poll, (poll[0] + 0.01 * s, poll[1] + 0.1 * s),
        (x + 0.44 * s, y - 0.26 * s)], mane)
    c.ellipse(poll[0] + 0.05 * s, poll[1] + 0.14 * s, 0.13 * s, 0.15 * s, ball(coat, 0.3))
    c.ellipse(nose[0] - 0.04 * s, nose[1] + 0.03 * s, 0.07 * s, 0.065 * s, ball(dark(coat, 0.25), 0.3))
    for ear in (-0.02, 0.06):
        c.poly([(poll[0] + (ear - 0.03) * s, poll[1] + 0.02 * s),
            (poll[0] + (ear + 0.01) * s, poll[1] - 0.13 * s),
            (poll[0] + (ear + 0.05) * s, poll[1] + 0.02 * s)], dark(coat, 0.2))
    c.disc((2 * poll[0] + nose[0]) / 3 - 0.01 * s, (2 * poll[1] + nose[1]) / 3, 0.022 * s, "#0a0808")
    for gx, gy, z in c.spread(70, 0, foot, c.w, c.h + 0.05):
        c.line([(gx, gy), (gx + 0.03 * (z - 0.5), gy - 0.05)], 0.006, mix(dark(green), light(green), z))


def rabbit(c: Canvas) -> None:
    green = c.pick(["#6a9a3a", "#4f7a34", "#8aa84a"])
    c.fill(down(light(green, 0.4), green, dark(green, 0.2)))
    c.bokeh(c.n(0, 12), 0, 0.6 * c.h, [light(green, 0.6), "#f4e8a0"])
    c.defocus(0.03)
    c.rect(0, c.h * 0.7, c.w, c.h, grain(dark(green, 0.4), green, light(green, 0.2), cells=14))
    x, y, r = c.w * c.u(0.4, 0.5), c.h * 0.72, c.u(0.22, 0.28)
    coat = c.vary(c.pick(["#a88a6a", "#d8d0c4", "#6a5a4a", "#f2ede4", "#c89a6a"]), 0.03)
    c.shadow(x, y + 0.72 * r, 1.6 * r, 0.25 * r, 0.9)
    c.disc(x - 1.0 * r, y + 0.25 * r, 0.24 * r, grain(light(coat, 0.5), "#ffffff", cells=8))
    c.ellipse(x, y, 1.05 * r, 0.78 * r, grain(dark(coat, 0.3), coat, light(coat, 0.2), cells=8), 0, 0.03)
    _fur(c, x, y, r, 0.72 * r, coat, 330, 2.6)
    hx, hy = x + 0.75 * r, y - 0.65 * r
    for ear in (-0.15, 0.18):
        tilt = ear * 0.8 + c.u(-0.15, 0.1)
        ex, ey = hx + (ear + 0.7 * math.sin(tilt)) * r, hy - 0.95 * r
        c.ellipse(ex, ey, 0.16 * r, 0.65 * r, grain(dark(coat, 0.2), coat, cells=6), tilt)
        c.ellipse(ex, ey, 0.08 * r, 0.5 * r, "#e0a8a0", tilt)
    c.ellipse(hx, hy, 0.55 * r, 0.47 * r, grain(dark(coat, 0.15), coat, light(coat, 0.2), cells=8), 0.3)
    _fur(c, hx, hy, 0.5 * r, 0.42 * r, coat, 200, 2.6)
    _gaze(c, hx + 0.15 * r, hy - 0.08 * r, 0.09 * r, "#2a1a12", slit=False)
    c.disc(hx + 0.5 * r, hy + 0.1 * r, 0.05 * r, "#d88a8a")
    for paw in (0.2, 0.75):
        c.ellipse(x + paw * r, y + 0.68 * r, 0.28 * r, 0.13 * r, ball(light(coat, 0.2), 0.3))
    for gx, gy, z in c.spread(150, 0, y + 0.6 * r, c.w, c.h + 0.1):
        c.line([(gx, gy), (gx + 0.05 * (z - 0.5), gy - 0.1)], 0.007, mix(dark(green), light(green), z))


MOTIFS = {
    "animals": (
        (dog, "dog dogsofinstagram puppy doglover doglife goodboy woof retriever"),
        (cat, "cat catsofinstagram kitty catlover meow kitten catlife whiskers"),
        (bird, "bird birdphotography birdwatching birds feathers wings songbird"),
        (fish, "fish underwater aquarium reef coralreef fishtank sealife"),
        (horse, "horse equestrian pony horses horselife farm stallion mare"),
        (rabbit, "rabbit bunny bunnylove bunnies hare fluffy bunnyears"),
    )
}
