// Small charts in SVG. Each comes with a table of the same numbers, for whoever cannot see it or wants to copy them.
import { h, s } from "./dom.js";

const WIDTH = matchMedia("(max-width: 40rem)").matches ? 330 : 540; // near what is shown, so that text keeps its size
const HEIGHT = 160;
const LEFT = 40;
const BOTTOM = 24;
const TOP = 10;
const LABELS = WIDTH / 115;

/** A number at or above `most` that reads well on an axis, as half of it does; of counts, half is whole. */
function ceiling(most, whole) {
  if (!(most > 0)) return whole ? 2 : 1;
  const unit = 10 ** Math.floor(Math.log10(most));
  return (whole ? [2, 4, 6, 10] : [1, 2, 2.5, 5, 10]).map((step) => step * unit).find((step) => step >= most);
}

/** Indexes of the labels that fit below, always with the first and the last. */
function labelled(number) {
  const every = Math.max(1, Math.ceil(number / LABELS));
  return [...Array(number).keys()].filter((index) => index === number - 1 || (index % every === 0 && number - 1 - index >= every * 0.8));
}

function frame(points, { format, floor = 0, title, most: given, whole = false }, inside) {
  const most = given ?? ceiling(Math.max(...points.map((one) => one.value)), whole);
  const x = (index) => LEFT + ((index + 0.5) * (WIDTH - LEFT)) / points.length;
  const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - floor) / (most - floor || 1));
  return h("figure", { class: "chart-figure" },
    s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", role: "img", "aria-label": title },
      [floor, (floor + most) / 2, most].map((value) => [
        s("line", { class: "axis", x1: LEFT, x2: WIDTH, y1: y(value), y2: y(value) }),
        s("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, format(value)),
      ]),
      inside(x, y),
      labelled(points.length).map((index) =>
        s("text", { x: Math.min(x(index), WIDTH - 4), y: HEIGHT - 4, "text-anchor": index === points.length - 1 && points.length > 3 ? "end" : index === 0 && points.length > 3 ? "start" : "middle" }, points[index].label))),
    h("details", {}, h("summary", { class: "small-words" }, "As a table"),
      table(title, [{ title: "" }, { title: "Value", figure: true }], points.map((one) => [one.label, format(one.value)]))));
}

const tip = (point, format) => s("title", {}, `${point.label}: ${format(point.value)}`);

/** A line through points of `{label, value}`. */
export const line = (points, how) =>
  frame(points, how, (x, y) => {
    const path = points.map((one, index) => `${index ? "L" : "M"}${x(index).toFixed(1)} ${y(one.value).toFixed(1)}`).join("");
    const ground = y(how.floor ?? 0).toFixed(1);
    return [
      points.length > 1 ? s("path", { class: "area", d: `${path}L${x(points.length - 1).toFixed(1)} ${ground}L${x(0).toFixed(1)} ${ground}Z` }) : null,
      s("path", { class: "line", d: path }),
      points.map((one, index) => s("circle", { class: "dot", r: points.length > 40 ? 1.5 : 3, cx: x(index), cy: y(one.value) }, tip(one, how.format))),
    ];
  });

/** Columns for points of `{label, value}`. */
export const columns = (points, how) =>
  frame(points, how, (x, y) => {
    const wide = Math.min(46, ((WIDTH - LEFT) / points.length) * 0.72);
    return points.map((one, index) =>
      s("rect", { class: "column", x: x(index) - wide / 2, width: wide, y: y(one.value), height: Math.max(0.5, y(how.floor ?? 0) - y(one.value)), rx: 2 }, tip(one, how.format)));
  });

/** A table; each column is `{title, figure, short}`, each cell text or an element. It scrolls by itself where it is too wide. */
export const table = (title, heads, rows) =>
  h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${title}, a table` },
    h("table", {}, h("caption", { class: "seen-by-ear" }, title),
      h("thead", {}, h("tr", {}, heads.map((one) => (one.title ? h("th", { scope: "col", class: one.figure ? "figure" : null }, one.title) : h("td", {}))))),
      h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell, index) =>
        (index ? h("td", { class: heads[index].figure ? "figure" : heads[index].short ? "short" : null }, cell ?? "–") : h("th", { scope: "row" }, cell ?? "–"))))))));

/** Rows of `{words, value, more}` with bars in proportion. */
export const bars = (rows) => {
  const most = Math.max(...rows.map((one) => one.value), 1e-9);
  return h("ul", { class: "bars" }, rows.map((one) => h("li", { vars: { "--share": one.value / most } }, one.words, h("span", { class: "figure" }, one.more))));
};
