"""Food: a laid table from above."""

# Coordinates read better in rows.
# fmt: off

import math

from tagdb.scenes.canvas import Canvas
from tagdb.scenes.figures import bloom
from tagdb.scenes.paints import Colour, across, ball, dark, down, grain, light, mix
from tagdb.scenes.treats import GREENS, burger, pancakes


def _table(c: Canvas) -> None:
    wood = c.pick(["#8a5a34", "#b98a58", "#5a3a26", "#d0ab7c", "#e8e2d8", "#3a3a3d", "#c9cfd2"])
    kind = c.n(0, 2)
    if kind == 0:
        c.fill(grain(dark(wood, 0.3), wood, light(wood, 0.2), cells=3, stretch=c.pick([8, 12])))
        for plank in range(1, 5):
            c.line([(0, c.h * plank / 5), (c.w, c.h * plank / 5)], 0.008, dark(wood, 0.55))
    elif kind == 1:
        c.fill(grain(dark(wood, 0.12), wood, light(wood, 0.12), cells=9))
    else:
        cloth = c.pick(["#c8473c", "#3d6fa8", "#4f8a5a", "#d8c8a8"])
        c.fill("#f2eee6")
        for stripe in range(12):
            place = 0.12 * stripe
            c.rect(place, 0, place + 0.06, c.h, mix(cloth, "#f2eee6", 0.45))
        for stripe in range(12):
            place = 0.12 * stripe
            c.rect(0, place, c.w, place + 0.06, mix(cloth, "#f2eee6", 0.3))
            for other in range(12):
                c.rect(0.12 * other, place, 0.12 * other + 0.06, place + 0.06, cloth)
    x, y = c.u(0, c.w), c.u(0, c.h)
    c.glow(x, y, 1, "#fff6e0", 0.35)


def _plate(c: Canvas, x: float, y: float, r: float) -> None:
    glaze = c.vary(c.pick(["#f4f2ee", "#f4f2ee", "#e6ded0", "#35383c", "#9cb4bc"]), 0.02)
    c.shadow(x + 0.04 * r, y + 0.08 * r, 1.25 * r, 1.25 * r, 0.9)
    c.disc(x, y, r, down(light(glaze, 0.3), dark(glaze, 0.12)))
    c.disc(x, y, 0.74 * r, down(dark(glaze, 0.2), light(glaze, 0.3)))
    c.disc(x, y + 0.01 * r, 0.71 * r, down(glaze, dark(glaze, 0.06)))


def _cutlery(c: Canvas, x: float, r: float) -> None:
    for side, head in ((-1, "fork"), (1, "knife")):
        px, top, low = x + side * (r + 0.07), c.h / 2 - 0.25, c.h / 2 + 0.28
        c.shadow(px + 0.01, c.h / 2, 0.03, 0.32, 0.5)
        c.line([(px, c.h / 2 - 0.08), (px, low)], 0.02, "#aeb1b4")
        c.line([(px - 0.004, c.h / 2), (px - 0.004, low)], 0.005, "#eceef0")
        if head == "fork":
            for tine in (-0.018, 0, 0.018):
                c.line([(px + tine, top), (px + tine, top + 0.12)], 0.007, "#b8bbbe")
            c.ellipse(px, top + 0.14, 0.026, 0.04, ball("#b8bbbe"))
        else:
            c.ellipse(px, top + 0.12, 0.022, 0.14, across("#d8dadc", "#9a9da0"))


def _leaf(c: Canvas, x: float, y: float, size: float, colour: str | Colour) -> None:
    angle = c.u(0, 3.1)
    c.ellipse(x, y, size, size * 0.5, ball(colour, 0.5), angle, 0.15)
    a, b = size * 0.8 * math.cos(angle), size * 0.8 * math.sin(angle)
    c.line([(x - a, y - b), (x + a, y + b)], 0.005, light(colour, 0.4))


def _around(c: Canvas, count: int, x: float, y: float, r: float) -> list[tuple[float, float, float]]:
    spots = []
    for turn, far, z in c.spread(count, 0, 0, 6.2832, 1):
        spots.append((x + r * math.sqrt(far) * math.cos(turn), y + r * math.sqrt(far) * math.sin(turn), z))
    return spots


def pizza(c: Canvas) -> None:
    _table(c)
    x, y, r = c.w / 2 + c.u(-0.15, 0.15), c.h / 2 + c.u(-0.1, 0.1), c.u(0.36, 0.52)
    if c.chance(0.5):
        c.shadow(x, y + 0.03, 1.3 * r, 1.3 * r, 0.9)
        c.disc(x, y, 1.1 * r, grain("#9a6a3c", "#c8975c", cells=4, stretch=8))
    else:
        _plate(c, x, y, 1.2 * r)
    c.ellipse(x, y, r, r, grain("#8f5a26", "#d49a52", "#e8bc78", cells=9), 0, 0.02)
    c.ellipse(x, y, 0.88 * r, 0.88 * r, grain("#a82c14", "#d0482a", cells=9), 0, 0.03)
    c.ellipse(x, y, 0.84 * r, 0.84 * r, grain("#c9481f", "#edb54f", "#f6dc8e", "#fbeebb", cells=7), 0, 0.05)
    toppings = c.n(0, 3)
    for px, py, z in _around(c, c.n(8, 16), x, y, 0.72 * r):
        if toppings < 2:
            c.shadow(px, py + 0.01, 0.17 * r, 0.17 * r, 0.5)
            c.disc(px, py, (0.1 + 0.04 * z) * r, grain("#7f1a12", "#b5342a", "#cf5a44", cells=5))
        elif toppings == 2:
            c.disc(px, py, (0.08 + 0.08 * z) * r, ball("#f8f1de", 0.3))
        else:
            c.ellipse(px, py, 0.12 * r, 0.06 * r, ball("#c9b394"), z * 3)
    for px, py, z in _around(c, c.n(5, 14), x, y, 0.75 * r):
        if z < 0.5:
            _leaf(c, px, py, 0.11 * r, c.pick(GREENS))
        else:
            c.disc(px, py, 0.05 * r, ball("#26221f", 0.6))
            c.disc(px, py, 0.02 * r, "#7a4a30")
    start = c.u(0, 1)
    for cut in range(4):
        a, b = math.cos(start + cut * math.pi / 4), math.sin(start + cut * math.pi / 4)
        c.line([(x - r * a, y - r * b), (x + r * a, y + r * b)], 0.007, "#9a5a28")


def salad(c: Canvas) -> None:
    _table(c)
    x, y, r = c.w / 2 + c.u(-0.1, 0.1), c.h / 2 + c.u(-0.06, 0.06), c.u(0.38, 0.47)
    _plate(c, x, y, 1.1 * r)
    c.disc(x, y, 0.85 * r, grain("#1f3a1a", "#4f7f30", cells=8))
    for px, py, z in _around(c, 46, x, y, 0.72 * r):
        _leaf(c, px, py, (0.14 + 0.1 * z) * r, c.vary(c.pick(GREENS), 0.05))
    pieces = c.rng.permutation(6)[: c.n(2, 4)].tolist()
    for piece in pieces:
        for px, py, _ in _around(c, c.n(4, 8), x, y, 0.66 * r):
            c.shadow(px, py + 0.01, 0.16 * r, 0.14 * r, 0.5)
            if piece == 0:
                c.disc(px, py, 0.12 * r, ball("#d2261c", 0.5))
                c.glow(px - 0.03 * r, py - 0.04 * r, 0.05 * r, "#ffffff", 0.9)
            elif piece == 1:
                c.disc(px, py, 0.13 * r, "#4d8a3a")
                c.disc(px, py, 0.115 * r, ball("#cfe3a8", 0.2))
                c.disc(px, py, 0.05 * r, "#b4cf88")
            elif piece == 2:
                c.ellipse(px, py, 0.14 * r, 0.11 * r, "#fbf8f0", c.u(0, 3))
                c.disc(px, py, 0.065 * r, ball("#f0a81e", 0.3))
            elif piece == 3:
                c.ellipse(px, py, 0.13 * r, 0.08 * r, grain("#d8734f", "#f0a584", "#f7c8ae", cells=3,
                    stretch=5), c.u(0, 3))
            elif piece == 4:
                c.box(px - 0.08 * r, py - 0.07 * r, px + 0.08 * r, py + 0.07 * r, 0.01,
                    ball("#f6f2e6", 0.2))
            else:
                c.arc(px, py, 0.13 * r, 0.1 * r, (c.u(0, 90), 300), 0.025 * r, "#8f3a72")
    if c.chance(0.5):
        _cutlery(c, x, r)


def coffee(c: Canvas) -> None:
    _table(c)
    x, y, r = c.w / 2 + c.u(-0.2, 0.2), c.h / 2 + c.u(-0.1, 0.1), c.u(0.2, 0.3)
    cup = c.pick(["#f5f3ee", "#2f4a5c", "#c97a5a", "#3a3a3c", "#a8bfae"])
    c.shadow(x + 0.03, y + 0.06, 2 * r, 2 * r, 0.9)
    c.disc(x, y, 1.6 * r, down(light(cup, 0.2), dark(cup, 0.15)))
    c.disc(x, y, 1.15 * r, down(dark(cup, 0.2), cup))
    c.line([(x + r, y), (x + 1.4 * r, y + 0.1 * r)], 0.17 * r, dark(cup, 0.1))
    c.shadow(x + 0.02, y + 0.04, 1.3 * r, 1.3 * r, 0.8)
    c.disc(x, y, r, down(light(cup, 0.4), dark(cup, 0.25)))
    c.disc(x, y, 0.88 * r, grain("#4a2512", "#7f4a24", "#a5692f", cells=4))
    milk = c.vary("#f1dcb8", 0.03)
    if c.chance(0.5):
        for layer in range(4):
            s = (0.62 - 0.15 * layer) * r
            c.shape([(x, y + 1.05 * s), (x - s, y - 0.2 * s), (x - 0.5 * s, y - 0.75 * s),
                (x, y - 0.4 * s), (x + 0.5 * s, y - 0.75 * s), (x + s, y - 0.2 * s)],
                milk if layer % 2 == 0 else "#8f5a2c")
    else:
        for layer in range(5):
            s = (0.65 - 0.11 * layer) * r
            c.arc(x, y - 0.45 * r + 0.22 * r * layer, s, 0.3 * r, (15, 165), 0.06 * r, milk)
        c.line([(x, y - 0.6 * r), (x, y + 0.75 * r)], 0.04 * r, milk)
    px, py = (x + 0.52 if x < c.w / 2 else x - 0.52), y + c.u(-0.25, 0.25)
    if c.chance(0.6):
        c.shadow(px, py + 0.03, 0.26, 0.18, 0.8)
        for part in range(-3, 4):
            crust = ball(c.pick(["#b8742c", "#c4843c"]), 0.5)
            c.ellipse(px + 0.055 * part, py + 0.012 * part * part, 0.05, 0.1 - 0.018 * abs(part), crust,
                0.16 * part)
        c.note("croissant")
    else:
        for bean, by, z in c.spread(14, px - 0.2, py - 0.25, px + 0.2, py + 0.25):
            c.ellipse(bean, by, 0.022, 0.015, ball("#3f2212", 0.5), z * 3)


def pasta(c: Canvas) -> None:
    _table(c)
    x, y, r = c.w / 2 + c.u(-0.08, 0.08), c.h / 2 + c.u(-0.06, 0.06), c.u(0.38, 0.46)
    _plate(c, x, y, 1.1 * r)
    dough = c.vary("#ecc96e", 0.04)
    c.ellipse(x, y, 0.68 * r, 0.66 * r, grain(dark(dough, 0.4), dough, cells=7), 0, 0.08)
    for px, py, z in _around(c, 75, x, y, 0.5 * r):
        begin, size = c.u(0, 360), (0.1 + 0.16 * z) * r
        c.arc(px, py, size, size * 0.8, (begin, begin + 170), 0.05 * r, dark(dough, 0.35))
        c.arc(px, py - 0.004, size, size * 0.8, (begin, begin + 170), 0.03 * r, c.vary(dough, 0.03))
    sauce = c.pick(["#b8301a", "#c9481f", "#4a7a2c", "#e9dcc0"])
    c.ellipse(x, y, 0.36 * r, 0.32 * r, grain(dark(sauce, 0.4), sauce, light(sauce, 0.25), cells=8), 0,
        0.25)
    for px, py, z in _around(c, c.n(4, 10), x, y, 0.45 * r):
        c.ellipse(px, py, (0.05 + 0.04 * z) * r, 0.05 * r, ball(c.pick(["#7a3a22", "#c8281c", "#f4eedc"])),
            z)
    for px, py, _ in _around(c, c.n(2, 4), x, y, 0.2 * r):
        _leaf(c, px, py, 0.12 * r, "#3f8a34")
    if c.chance(0.7):
        _cutlery(c, x, 1.12 * r)


def sushi(c: Canvas) -> None:
    board = c.pick(["#26262a", "#8a6a48", "#3c4a50", "#d8c8a8"])
    _table(c)
    c.box(0.08, 0.12, c.w - 0.08, c.h - 0.12, 0.03, grain(dark(board, 0.25), board, cells=8))
    rows, columns = (3, 4) if c.h <= c.w else (4, 3)
    fish = c.rng.permutation(["#f08a5a", "#c8323c", "#f4d8b8", "#e8b23c", "#f2a488"]).tolist()
    for row in range(rows):
        for column in range(columns):
            x = c.w * (column + 1) / (columns + 1) + c.u(-0.01, 0.01)
            y = c.h * (row + 1) / (rows + 1) + c.u(-0.01, 0.01)
            c.shadow(x + 0.01, y + 0.03, 0.13, 0.12, 0.9)
            if row % 2:
                c.disc(x, y, 0.085, ball("#1c2420", 0.4))
                c.disc(x, y - 0.006, 0.072, grain("#d8d4c8", "#fbf9f2", cells=9))
                c.ellipse(x, y - 0.006, 0.035, 0.03, ball(fish[column % 5], 0.3), 0, 0.2)
                c.ellipse(x + 0.02, y + 0.01, 0.015, 0.02, "#7fb04a")
            else:
                c.ellipse(x, y + 0.02, 0.1, 0.06, grain("#d8d4c8", "#fbf9f2", cells=9), 0.2)
                c.ellipse(x, y, 0.105, 0.052, grain(fish[row], light(fish[row], 0.2),
                    light(fish[row], 0.6), cells=3, stretch=0.3), 0.2)
    if c.chance(0.6):
        bloom(c, c.w - 0.16, c.h - 0.18, 0.08, "#f2a8bc", 5, "#f8e08a")
    c.line([(0.02, c.h - 0.06), (c.w - 0.05, c.h - 0.03)], 0.016, "#6a2a1c")
    c.line([(0.02, c.h - 0.02), (c.w - 0.05, c.h - 0.01)], 0.016, "#7a3a24")


MOTIFS = {
    "food": (
        (pizza, "pizza italianfood cheese pizzalover pepperoni pizzatime margherita napoli"),
        (salad, "salad healthyfood vegan healthyeating vegetarian greens eatclean bowl"),
        (coffee, "coffee latte coffeetime cappuccino latteart barista coffeelover cafe"),
        (pancakes, "sweet dessert yummy breakfast brunch baking sweettooth homemade"),
        (burger, "burger fries fastfood cheeseburger streetfood burgerlover junkfood"),
        (pasta, "pasta italianfood spaghetti dinner carbonara homemade pastalover"),
        (sushi, "sushi japanesefood sashimi salmon sushilover seafood nigiri"),
    )
}
