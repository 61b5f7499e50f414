"use strict";

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const images = read("images");
const { about, classes, rates, words, key, file } = read("content");
const [begin, ask, end] = ["begin", "ask", "end"].map((id) => document.getElementById(id));
const picture = ask.querySelector("img");
const buttons = [...ask.querySelectorAll("button[aria-pressed]")];
const back = document.getElementById("back");
const given = images.map(() => ({ fake: null, label: null, named: classes.length === 0 }));
let at = 0;
let done = "";

const filled = (text, blanks) => text.replace(/\{(\w+)\}/g, (_, name) => blanks[name]);

// One image and what has been answered about it so far.
const show = () => {
  const answer = given[at];
  picture.src = images[at];
  picture.alt = filled(words.image, { at: at + 1, n: images.length });
  ask.querySelector("output").value = picture.alt;
  ask.querySelector("progress").value = at;
  back.disabled = at === 0;
  for (const button of buttons) {
    const { fake, class: label } = button.dataset;
    const on = fake === undefined ? answer.named && label === String(answer.label ?? "none") : fake === String(answer.fake);
    button.setAttribute("aria-pressed", String(on));
  }
};

const choose = (button) => {
  const { fake, class: label } = button.dataset;
  const answer = given[at];
  if (fake === undefined) {
    answer.label = label === "none" ? null : Number(label);
    answer.named = true;
  } else {
    answer.fake = fake === "true";
  }
  if (answer.named && answer.fake !== null) at += 1;
  if (at < images.length) show(); else finish();
};

const goBack = () => {
  if (at === 0) return;
  at -= 1;
  Object.assign(given[at], { fake: null, label: null, named: classes.length === 0 });
  show();
};

// What is counted: the same rules as in answers.py.
const hit = (rate, [fake, label], answer) => {
  if (rate === "right") return fake === answer.fake;
  if (fake !== rate.endsWith("fake")) return null;
  if (rate.startsWith("named")) return label !== null && answer.label === label;
  if (rate.startsWith("told")) return answer.label !== null;
  return answer.fake === fake;
};

const truth = () => {
  const [pad, mixed] = key.map((text) => [...atob(text)].map((sign) => sign.charCodeAt(0)));
  return JSON.parse(mixed.map((byte, i) => String.fromCharCode(byte ^ pad[i])).join(""));
};

const element = (tag, text, parent) => {
  const made = document.createElement(tag);
  made.textContent = text;
  parent.append(made);
  return made;
};

const said = (fake, label, kinds) =>
  [kinds[fake ? 1 : 0], ...(classes.length && label !== null ? [classes[label]] : [])].join(" · ");

const finish = () => {
  done = new Date().toISOString();
  ask.hidden = true;
  end.hidden = false;
  const right = truth();
  for (const rate of rates) {
    const marks = right.map((answer, i) => hit(rate.key, answer, given[i])).filter((mark) => mark !== null);
    if (marks.length) element("li", rate.sentences[marks.filter(Boolean).length], document.getElementById("rates"));
  }
  images.forEach((source, i) => {
    const figure = element("figure", "", document.getElementById("all"));
    const image = element("img", "", figure);
    image.src = source;
    const [fake, label] = right[i];
    const caption = element("figcaption", said(fake, label, [words["truth.real"], words["truth.fake"]]), figure);
    image.alt = caption.textContent;
    const wrong = fake !== given[i].fake || (label !== null && classes.length > 0 && label !== given[i].label);
    figure.classList.toggle("wrong", wrong);
    const answer = said(given[i].fake, given[i].label, [words.real, words.fake]);
    const unnamed = classes.length && given[i].label === null ? ` · ${words.none}` : "";
    element("small", filled(words.you, { answer: answer + unnamed }), caption);
  });
  end.focus();
};

begin.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  begin.hidden = true;
  ask.hidden = false;
  show();
});
for (const button of buttons) button.addEventListener("click", () => choose(button));
back.addEventListener("click", goBack);

document.addEventListener("keydown", (event) => {
  if (ask.hidden || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const kinds = { KeyR: '[data-fake="false"]', KeyF: '[data-fake="true"]', KeyX: '[data-class="none"]' };
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code);
  const wanted = digit ? `[data-class="${(Number(digit[1]) + 9) % 10}"]` : kinds[event.code];
  const button = wanted && ask.querySelector(wanted);
  if (button) choose(button);
  else if (event.code === "Backspace") goBack();
  else return;
  event.preventDefault();
});

document.getElementById("save").addEventListener("click", () => {
  const answers = {
    ...about, name: document.getElementById("name").value.trim(), date: done, truth: truth(),
    given: given.map(({ fake, label }) => [fake, label]),
  };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(answers, null, 1)], { type: "application/json" }));
  link.download = file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
});
