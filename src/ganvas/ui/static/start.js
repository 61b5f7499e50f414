// Start a training. What the tricks change in the recipe is shown before anything starts.
import { el, post, say } from "./ui.js";

const form = document.getElementById("start");
const changes = document.getElementById("changes");
const button = form.querySelector("button");
const refused = document.getElementById("refused");

/** Why this cannot be started, beside the button: the tricks are a long list. */
const refuse = (line = "") => {
  refused.textContent = line;
  refused.hidden = !line;
};

const order = () => {
  const { recipe, data, minutes, seed } = form.elements;
  const tricks = [...form.querySelectorAll("[name=trick]:checked")].map((box) => box.value);
  return { recipe: recipe.value, data: data.value, minutes: Number(minutes.value), seed: Number(seed.value), tricks };
};

let asked = 0;
const check = async () => {
  const mine = (asked += 1);
  try {
    const found = (await post("/api/start/check", order())).changes;
    if (mine !== asked) return;
    refuse();
    button.disabled = false;
    changes.replaceChildren(el("h3", {}, say("ui.start.changes")), found.length
      ? el("table", { class: "diff" }, el("tbody", {}, ...found.map(([name, before, now]) =>
        el("tr", {}, el("th", { scope: "row" }, el("code", {}, name)), el("td", {}, el("del", {}, before)), el("td", {}, el("ins", {}, now))))))
      : el("p", { class: "note" }, say("ui.start.changes.none")));
  } catch (error) {
    if (mine !== asked) return;
    changes.replaceChildren();
    button.disabled = true;
    refuse(error.message);
  }
};

const titled = () => {
  document.getElementById("recipe-title").textContent = form.elements.recipe.selectedOptions[0].dataset.title;
};
form.addEventListener("change", (event) => {
  titled();
  if (event.target !== find && form.checkValidity()) check();
});

const find = document.getElementById("find");
find.addEventListener("input", () => {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const trick of form.querySelectorAll(".trick")) {
    const text = trick.textContent.toLowerCase();
    trick.hidden = !trick.querySelector("input").checked && !words.every((word) => text.includes(word));
  }
});
find.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  try {
    location.assign((await post("/api/start", order())).at);
  } catch (error) {
    button.disabled = false;
    refuse(error.message);
  }
});
titled();
check();
