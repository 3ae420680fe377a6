"""Food: what piles up on the table, from the side."""

# Coordinates read better in rows.
# fmt: off

import math

from tagdb.scenes.canvas import Canvas
from tagdb.scenes.paints import across, ball, dark, down, grain, light

GREENS = ("#3f7f2f", "#6aa83a", "#8fbf4a", "#2e5f2a", "#a8cc62")


def pancakes(c: Canvas) -> None:
    table, wall = c.pick(["#a87448", "#e9e4da", "#4a3a34", "#cfa878"]), c.pick(["#d8cfc0", "#3a3d42",
        "#8fa8a0", "#e8b8a8"])
    c.fill(down(light(wall, 0.2), dark(wall, 0.2)))
    c.bokeh(c.n(0, 8), 0, 0.5 * c.h, ["#fff0d0", "#ffd8a0"])
    c.defocus(0.02)
    line = c.h * 0.7
    c.rect(0, line, c.w, c.h, grain(dark(table, 0.2), table, light(table, 0.2), cells=3, stretch=8))
    x, y, r = c.w / 2, c.h * 0.84, c.u(0.28, 0.34)
    c.shadow(x, y + 0.05, 1.7 * r, 0.3 * r, 0.9)
    c.ellipse(x, y, 1.45 * r, 0.3 * r, down("#ffffff", "#c8c4bc"))
    c.ellipse(x, y - 0.01, 1.2 * r, 0.22 * r, "#efece6")
    cake, levels = c.chance(0.4), c.n(3, 6)
    sponge, cream = c.pick([("#5a2e1c", "#f3e2cc"), ("#c88a44", "#f8efdf"), ("#a8323a", "#faf0ec"),
        ("#e2b45c", "#f4a8b4")])
    for _ in range(levels):
        y -= 0.075
        wide = r * (1 if cake else c.u(0.95, 1.06))
        if cake:
            c.box(x - wide, y - 0.03, x + wide, y + 0.07, 0.04,
                grain(dark(sponge, 0.2), sponge, light(sponge, 0.2), cells=14))
            c.box(x - wide, y - 0.02, x + wide, y + 0.015, 0.02, down(cream, dark(cream, 0.15)))
        else:
            shift = c.u(-0.02, 0.02)
            c.ellipse(x + shift, y + 0.03, wide, 0.08, down("#f2d290", "#e0b265", "#8a4c1c"))
            c.ellipse(x + shift, y, wide, 0.07, grain("#93501f", "#c98a44", "#dca45a", cells=5))
    top = y
    if cake:
        c.ellipse(x, top - 0.02, r, 0.08, down(light(cream, 0.3), cream))
        c.note("cake", "dessert")
    else:
        syrup = c.pick(["#8a3f10", "#5a2410", "#9c1f2c"])
        c.ellipse(x, top - 0.005, 0.8 * r, 0.05, ball(syrup, 0.3))
        for drip, _, z in c.spread(5, x - 0.7 * r, 0, x + 0.7 * r, 0):
            c.line([(drip, top + 0.02), (drip, top + 0.1 + 0.2 * z)], 0.03, syrup)
        c.box(x - 0.06, top - 0.06, x + 0.06, top - 0.005, 0.015, ball("#f6e08a", 0.3))
        c.note("pancakes", "breakfast")
    fruit = c.pick(["#c8202c", "#2f3468", "#c8202c", "#d2304a"])
    for px, py, z in c.spread(c.n(4, 9), x - 0.7 * r, top - 0.08, x + 0.7 * r, top - 0.02):
        c.ellipse(px, py, 0.035 + 0.02 * z, 0.045, ball(fruit, 0.5))
        c.ellipse(px, py - 0.035, 0.02, 0.008, "#4f8a3a", 0.4)
    c.line([(x + 1.5 * r, c.h * 0.95), (x + 1.7 * r, c.h * 0.8)], 0.02, "#b0b2b4")


def burger(c: Canvas) -> None:
    wall, wood = c.pick(["#2a2522", "#6a4a34", "#3c4a44", "#b8a488", "#9c3a2c"]), c.pick(["#7a4a28",
        "#a8743e", "#39302b"])
    c.fill(down(wall, dark(wall, 0.3)))
    c.bokeh(c.n(3, 14), 0, 0.5 * c.h, ["#ffd890", "#ff9a50", "#fff0c8", "#a8d0e0"])
    c.defocus(0.012)
    c.rect(0, c.h * 0.72, c.w, c.h, grain(dark(wood), wood, light(wood, 0.2), cells=3, stretch=9))
    x, y, r = c.w * c.u(0.36, 0.5), c.h * 0.84, c.u(0.29, 0.35)
    for fry, tall, z in c.spread(16, x + r + 0.02, 0.15, x + r + 0.26, 0.32):
        paint = c.vary("#eebc50", 0.05)
        c.line([(fry, y), (fry + 0.08 * (z - 0.5), y - tall)], 0.03, dark(paint, 0.2))
        c.line([(fry, y), (fry + 0.08 * (z - 0.5), y - tall)], 0.018, paint)
    c.poly([(x + r, y - 0.17), (x + r + 0.28, y - 0.17), (x + r + 0.24, y + 0.03),
        (x + r + 0.04, y + 0.03)], across("#c43a2c", "#e0604a", "#8a2018"))
    c.shadow(x, y + 0.03, 1.3 * r, 0.1, 0.9)
    bun = c.vary("#cf8a3c", 0.04)
    c.box(x - r, y - 0.09, x + r, y + 0.02, 0.06, down(light(bun, 0.3), bun, dark(bun, 0.35)))
    level = y - 0.1
    for _ in range(c.n(1, 2)):
        c.box(x - 1.05 * r, level - 0.07, x + 1.05 * r, level + 0.03, 0.05,
            grain("#2c160c", "#54301c", "#7a4a2c", cells=12))
        cheese = c.vary("#f2b632", 0.03)
        c.poly([(x - 1.05 * r, level - 0.08), (x + 1.05 * r, level - 0.08), (x + 0.7 * r, level + 0.01),
            (x + 0.3 * r, level - 0.05), (x - 0.1 * r, level + 0.03), (x - 0.5 * r, level - 0.05)],
            down(light(cheese, 0.3), cheese))
        level -= 0.1
    for side in range(-1, 2):
        c.box(x + side * 0.6 * r - 0.14, level - 0.025, x + side * 0.6 * r + 0.14, level + 0.02, 0.02,
            down("#e2483a", "#a8221a"))
    for px, py, z in c.spread(14, x - 1.02 * r, level - 0.04, x + 1.02 * r, level - 0.02):
        c.ellipse(px, py, 0.055, 0.02 + 0.015 * z, ball(c.pick(GREENS), 0.4), z - 0.5, 0.2)
    top = level - 0.04
    outline = [(x - r * math.cos(t), top - 0.62 * r * math.sin(t) ** 0.8)
        for t in (math.pi * k / 20 for k in range(21))]
    c.poly([*outline, (x + 0.95 * r, top + 0.02), (x - 0.95 * r, top + 0.02)], ball(bun, 0.4))
    for px, py, z in c.spread(26, x - 0.65 * r, top - 0.52 * r, x + 0.65 * r, top - 0.15 * r):
        if ((px - x) / (0.9 * r)) ** 2 + ((py - top) / (0.58 * r)) ** 2 < 1:
            c.ellipse(px, py, 0.014, 0.008, "#f8ecc8", z * 3)
