// What every page has: its sentences, requests with the header that no other site can send, the theme, one line of
// trouble. Texts reach the page as text, never as HTML.

const sentences = JSON.parse(document.getElementById("words").textContent);

/** A sentence with its blanks filled: say("ui.js.offline"), say("ui.runs.of", { n: 3 }). */
export const say = (key, blanks = {}) =>
  (sentences[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => (name in blanks ? String(blanks[name]) : whole));

/** Show one line of trouble at the top of the page; without a line, hide it. */
export const trouble = (line = "") => {
  const place = document.getElementById("trouble");
  place.textContent = line;
  place.hidden = !line;
};

const asked = async (address, options) => {
  let response;
  try {
    response = await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error(say("ui.js.offline"));
  }
  if (response.ok) return response;
  const text = await response.text();
  let line = text.trim();
  try {
    line = JSON.parse(text).error ?? line;
  } catch {
    // a plain line
  }
  const error = new Error(line || `${response.status}`);
  error.status = response.status;
  throw error;
};

/** The JSON at an address. Throws an Error whose message is one line for the reader; so do the others. */
export const get = async (address, options = {}) => (await asked(address, options)).json();

/** The bytes at an address. */
export const getBlob = async (address, options = {}) => (await asked(address, options)).blob();

/** Send values as JSON, or a Blob as it is; the answer as JSON. */
export const post = async (address, values = {}, options = {}) => (await postFor(address, values, options)).json();

/** As `post`; the answer as a Response, for pictures. */
export const postFor = (address, values = {}, options = {}) => {
  const blob = values instanceof Blob;
  const type = blob ? values.type || "application/octet-stream" : "application/json";
  const headers = { "x-ganvas": "1", "content-type": type };
  return asked(address, { method: "POST", headers, body: blob ? values : JSON.stringify(values), ...options });
};

/** An element: el("a", { href: "/", class: "x", onclick: f }, "text", child). Names beginning with "on" are listeners. */
export const el = (tag, attributes = {}, ...children) => filled(document.createElement(tag), attributes, children);

/** An SVG element, made as `el` makes one. */
export const svg = (tag, attributes = {}, ...children) =>
  filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

const filled = (element, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
};

/** 1250000 -> "1,250,000", in the page's language. */
export const number = (value, digits = 0) =>
  value.toLocaleString(document.documentElement.lang, { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** 1250000 -> "1.25M", as the charts write it. */
export const compact = (n) => (n >= 1e6 ? `${+(n / 1e6).toPrecision(3)}M` : n >= 1e3 ? `${+(n / 1e3).toPrecision(3)}k` : `${n}`);

/** Seconds since the epoch -> "5 minutes ago". */
export const since = (seconds) => {
  const passed = Date.now() / 1000 - seconds;
  const unit = [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60]].find(([, n]) => passed >= n);
  const format = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
  return unit ? format.format(-Math.floor(passed / unit[1]), unit[0]) : format.format(0, "second");
};

// what the server placed by numbers; the policy allows no style attributes
for (const element of document.querySelectorAll("[data-style]")) element.style.cssText = element.dataset.style;

// the token has done its work once the cookie is there
const address = new URL(location.href);
if (address.searchParams.has("token") || address.searchParams.has("lang")) {
  address.searchParams.delete("token");
  address.searchParams.delete("lang");
  history.replaceState(history.state, "", address);
}

// on a narrow screen the rooms scroll sideways
document.querySelector(".rooms [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });

const theme = document.getElementById("theme");
const themes = ["auto", "light", "dark"];
theme.addEventListener("click", () => {
  const chosen = themes[(themes.indexOf(theme.dataset.theme) + 1) % themes.length];
  theme.dataset.theme = chosen;
  if (chosen === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  document.cookie = `ganvas-theme=${chosen}; Path=/; Max-Age=31536000; SameSite=Strict`;
  theme.title = `${theme.dataset.label}: ${theme.dataset[chosen]}`;
  theme.setAttribute("aria-label", theme.title);
  document.dispatchEvent(new CustomEvent("theme", { detail: chosen }));
});
