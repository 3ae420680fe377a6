// Why a hashtag was recommended: the neighbours, and what each adds to the score.
import { h } from "./dom.js";
import { picture, placeholder, thumbnailOf } from "./photos.js";
import { nameOf, percent, score } from "./words.js";

const MOST = 12;

/** The panel for an answer of explain. `shown` is the score of the chip: known hashtags and sliders may have changed it. */
export function why({ hashtag, score: total, contributions }, shown, { seesPhotos }) {
  if (!contributions.length) return h("p", {}, `No stored photo speaks for #${hashtag}: the factors do not know it.`);
  const best = [...contributions].sort((a, b) => b.contribution - a.contribution);
  const most = Math.max(...best.map((one) => Math.abs(one.contribution)), 1e-9);
  const carrying = contributions.filter((one) => one.carries).length;
  return h("div", { class: "why" },
    h("p", {}, `The ${contributions.length} most similar photos add up to ${score(total)}. `,
      carrying ? `${carrying} of them ${carrying === 1 ? "carries" : "carry"} #${hashtag}` : `None of them carries #${hashtag}: what they carry goes with it`,
      best.length > MOST ? `; these ${MOST} add most.` : ".",
      score(shown) === score(total) ? null : ` The hashtags that are known, and the sliders, make it ${score(shown)}.`),
    h("ul", { class: "neighbours" }, best.slice(0, MOST).map((one) => neighbour(one, most, seesPhotos))));
}

function neighbour(one, most, seesPhotos) {
  const name = nameOf(one.uri);
  const added = `${one.contribution < 0 ? "−" : "+"}${Math.abs(one.contribution).toFixed(3)}`;
  return h("li", { class: "neighbour" },
    h("a", { href: `/images/${one.image_id}`, title: name },
      h("span", { class: "photo-box" }, seesPhotos ? picture(thumbnailOf(one.image_id), name, { loading: "lazy" }) : placeholder(name))),
    h("span", { class: `meter ${one.contribution < 0 ? "negative" : ""}`, "aria-hidden": "true",
      vars: { "--share": Math.min(1, Math.abs(one.contribution) / most) } }),
    h("span", { class: "neighbour-words" }, h("strong", {}, added), " ",
      h("span", { class: "soft" }, `${percent(one.similarity)} similar${one.carries ? "" : ", without it"}`)));
}
