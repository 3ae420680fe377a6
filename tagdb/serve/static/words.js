// Numbers, times and hashtags in words.

const NUMBER = new Intl.NumberFormat("en");
const SHARE = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const MONTH = new Intl.DateTimeFormat("en-GB", { month: "short", year: "numeric", timeZone: "UTC" });
const MOMENT = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });

export const number = (value) => (value === null || value === undefined ? "–" : NUMBER.format(value));
export const share = (value) => (value === null || value === undefined ? "–" : SHARE.format(value));
export const percent = (value) => share(value === null || value === undefined ? value : Math.round(value * 100) / 100);
export const score = (value) => (value === null || value === undefined ? "–" : value.toFixed(2));
export const count = (value, one, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`;

const when = (format) => (value) => {
  const time = new Date(value);
  return value === null || value === undefined || Number.isNaN(time.getTime()) ? "–" : format.format(time);
};
export const day = when(DAY);
export const month = when(MONTH);
export const moment = when(MOMENT);

export function size(bytes) {
  if (bytes === null || bytes === undefined) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) [bytes, unit] = [bytes / 1000, unit + 1];
  return `${bytes >= 10 || unit === 0 ? Math.round(bytes) : bytes.toFixed(1)} ${units[unit]}`;
}

export function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  if (value < 90) return `${value < 10 ? value.toFixed(1) : Math.round(value)} s`;
  return value < 5400 ? `${Math.round(value / 60)} min` : `${(value / 3600).toFixed(1)} h`;
}

/** Hashtags as they are typed into a field: "#a b, #c" gives a, b and c. The server folds and checks them. */
export const split = (typed) => typed.split(/[\s,;#＃]+/u).filter(Boolean);

/** What two hashtags are compared by: nearly as the server folds them, which has the last word. */
export const folded = (hashtag) => hashtag.normalize("NFKC").toLowerCase();

/** The last part of a URI, as people name photos. */
export function nameOf(uri) {
  const last = uri.split(/[\\/]/).pop() || uri;
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

export const placeOf = (hashtag) => `/hashtags/${encodeURIComponent(hashtag)}`;
