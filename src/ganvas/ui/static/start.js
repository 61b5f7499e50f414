// Start a training. What the tricks change in the recipe is shown before anything starts.
import { el, post, say, trouble } from "./ui.js";

const form = document.getElementById("start");
const changes = document.getElementById("changes");
const button = form.querySelector("button");

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
    trouble();
    button.disabled = false;
    changes.replaceChildren(el("h3", {}, say("ui.start.changes")), found.length
      ? el("table", { class: "diff" }, el("tbody", {}, ...found.map(([name, before, now]) =>
        el("tr", {}, el("th", { scope: "row" }, el("code", {}, name)), el("td", {}, el("del", {}, before)), el("td", {}, el("ins", {}, now))))))
      : el("p", { class: "note" }, say("ui.start.changes.none")));
  } catch (error) {
    if (mine !== asked) return;
    changes.replaceChildren();
    button.disabled = true;
    trouble(error.message);
  }
};

form.addEventListener("change", () => { if (form.checkValidity()) check(); });
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  try {
    location.assign((await post("/api/start", order())).at);
  } catch (error) {
    button.disabled = false;
    trouble(error.message);
  }
});
check();
