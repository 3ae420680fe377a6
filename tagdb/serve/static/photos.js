// Photos as they are shown in lists: a thumbnail in a box of fixed shape, or its name where there is none.
import { h, icon } from "./dom.js";
import { nameOf } from "./words.js";

/** What stands for a photo that cannot be shown: HEIC in most browsers, or a photo without a thumbnail. */
export const placeholder = (name) =>
  h("span", { class: "placeholder" }, icon("photo"), h("span", { class: "placeholder-name" }, name));

/** An image that gives way to a placeholder if the browser cannot show it. */
export function picture(src, name, properties = {}) {
  const img = h("img", { src, alt: name, decoding: "async", ...properties });
  img.addEventListener("error", () => img.replaceWith(placeholder(name)), { once: true });
  return img;
}

export const thumbnailOf = (id) => `/v1/images/${id}/thumbnail`;

/** A stored photo as a link to its page. `image` has image_id and name or uri; `below` is put under it. */
export function card(image, { seesPhotos, below = null }) {
  const name = image.name ?? nameOf(image.uri);
  return h("li", { class: "photo" },
    h("a", { href: `/images/${image.image_id}`, title: name },
      h("span", { class: "photo-box" },
        seesPhotos ? picture(thumbnailOf(image.image_id), name, { loading: "lazy" }) : placeholder(name)),
      below ? h("span", { class: "photo-below" }, below) : null));
}

export const cards = (images, how) => h("ul", { class: "photos" }, images.map((image) => card(image, how(image))));
