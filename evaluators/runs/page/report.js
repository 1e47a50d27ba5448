// Shows one question at a time; all texts go in as text nodes. State: filters, and the question in the address' hash.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const SIGNS = { right: "✓", wrong: "✗", none: "?", hidden: "·" };
const NAMES = { all: "All", right: "Right", wrong: "Wrong", none: "Unparseable", hidden: "Key hidden" };
const state = { verdict: "all", task: "", category: "", tier: "", text: "", shown: [], current: null };

function make(tag, { text, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  element.append(...children.filter((child) => child !== null));
  return element;
}

const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;

function ruler(numbers) {
  const [low, high] = numbers.clustered;
  const band = make("i"), mark = make("b");
  band.style.left = `${100 * low}%`;
  band.style.width = `${100 * (high - low)}%`;
  mark.style.left = `${100 * numbers.accuracy}%`;
  const title = `95 % by video ${percent(low)} to ${percent(high)}`;
  return make("div", { class: "ruler", role: "img", "aria-label": title, title }, band, mark);
}

function head() {
  const { results } = data;
  const options = Object.entries(results.model_args).map(([name, value]) => `${name}=${value}`).join(", ");
  byId("settings").textContent = [options, data.cost].filter(Boolean).join(" · ");
  const score = byId("score");
  if (results.accuracy !== null) {
    const [low, high] = results.clustered;
    score.append(make("strong", { text: percent(results.accuracy) }), ruler(results));
    score.append(make("p", { class: "soft", text: `${results.correct} of ${results.n}; 95 % by video ${percent(low, 0)} to ${percent(high, 0)}` }));
  }
  if (results.status !== "ok") {
    score.append(make("span", { class: "status", text: results.status.replaceAll("_", " ") }));
    document.querySelector(".top").append(make("p", { class: "message", text: results.message }));
  }
}

function numbersTable() {
  const rows = [];
  const add = (name, part, whole) => {
    if (part.accuracy === null) return;
    const interval = `${percent(part.clustered[0])} to ${percent(part.clustered[1])}`;
    const counts = part.n === undefined ? ["", ""] : [`${part.correct} of ${part.n}`, part.unparsed];
    const cells = [...counts, percent(part.accuracy), interval];
    const row = make("tr", whole ? { class: "whole" } : {}, make("td", { text: name }));
    row.append(...cells.map((text) => make("td", { class: "number", text })), make("td", {}, ruler(part)));
    rows.push(row);
  };
  for (const [task, part] of Object.entries(data.results.tasks)) {
    add(task, part, true);
    const mean = (data.results.metrics ?? {})[task] ?? {};
    if (mean.average_low !== undefined) {
      add("mean of categories", { accuracy: mean.average, clustered: [mean.average_low, mean.average_high] }, true);
    }
    for (const [name, one] of [...Object.entries(part.by_category), ...Object.entries(part.by_tier)]) add(name, one, false);
  }
  const titles = ["", "right", "unparseable", "accuracy", "95 % by video", ""];
  byId("numbers").append(make("tr", {}, ...titles.map((text) => make("th", { text }))), ...rows);
  byId("groups").hidden = rows.length === 0;
}

function matches(one, verdict = state.verdict) {
  return (verdict === "all" || one.verdict === verdict)
    && (!state.task || one.task === state.task)
    && (!state.category || one.category === state.category)
    && (!state.tier || one.tier === state.tier)
    && (!state.text || one.haystack.includes(state.text));
}

function choices() {
  const box = byId("verdicts");
  const present = new Set(data.questions.map((one) => one.verdict));
  for (const verdict of ["all", "right", "wrong", "none", "hidden"]) {
    if (verdict === "hidden" && !present.has("hidden")) continue;
    const button = make("button", { type: "button", role: "radio", "data-verdict": verdict, text: NAMES[verdict] }, make("span"));
    button.addEventListener("click", () => choose(verdict));
    box.append(button);
  }
  for (const [name, all] of [["task", "All tasks"], ["category", "All categories"], ["tier", "All details"]]) {
    const values = [...new Set(data.questions.map((one) => one[name]).filter((value) => value !== null))].sort();
    const select = byId(name);
    select.append(make("option", { value: "", text: all }), ...values.map((value) => make("option", { value, text: value })));
    select.hidden = values.length < 2;
    select.addEventListener("change", () => { state[name] = select.value; filter(); });
  }
  byId("search").addEventListener("input", (event) => { state.text = event.target.value.trim().toLowerCase(); filter(); });
  byId("gaze").addEventListener("change", (event) => document.body.classList.toggle("no-gaze", !event.target.checked));
  byId("gaze").parentElement.hidden = !data.questions.some((one) => one.shots.some((shot) => shot.gaze));
}

function choose(verdict) {
  state.verdict = verdict;
  filter();
}

function filter() {
  state.shown = data.questions.filter((one) => matches(one));
  for (const button of byId("verdicts").children) {
    const { verdict } = button.dataset;
    button.setAttribute("aria-checked", String(verdict === state.verdict));
    button.lastElementChild.textContent = data.questions.filter((one) => matches(one, verdict)).length;
  }
  byId("count").textContent = `${state.shown.length} of ${data.questions.length} questions`;
  byId("list").replaceChildren(...state.shown.map(entry));
  const kept = state.shown.find((one) => one === state.current);
  show(kept ?? state.shown[0] ?? null);
}

function entry(one) {
  const facts = [one.id, one.category, one.tier].filter(Boolean).join(" · ");
  const button = make("button", { type: "button", class: one.verdict, title: NAMES[one.verdict] },
    make("span", { class: "sign", text: SIGNS[one.verdict] }), make("span", { class: "stem", text: one.stem }), make("small", { text: facts }));
  button.addEventListener("click", () => show(one));
  one.button = button;
  return make("li", {}, button);
}

function show(one) {
  state.current = one;
  for (const other of state.shown) other.button.setAttribute("aria-current", String(other === one));
  const page = byId("question");
  if (one === null) return page.replaceChildren(make("p", { class: "soft", text: "No question fits these filters." }));
  one.button.scrollIntoView({ block: "nearest" });
  history.replaceState(null, "", `#${encodeURIComponent(one.key)}`);
  page.replaceChildren(...question(one));
}

function question(one) {
  const facts = [`question ${one.id}`, one.video, one.category, one.tier, data.results.tasks && Object.keys(data.results.tasks).length > 1 ? one.task : null];
  const parts = [
    make("p", { class: "facts" }, ...facts.filter(Boolean).map((text) => make("span", { text }))),
    make("h2", {}, make("span", { class: `sign ${one.verdict}`, text: SIGNS[one.verdict], role: "img", "aria-label": NAMES[one.verdict] }), ` ${one.stem}`),
    make("ol", { class: "options" }, ...one.options.map(([letter, text]) => option(one, letter, text))),
  ];
  if (one.note) parts.push(make("p", { class: "note", text: one.note }));
  const read = one.parsed === null ? "no option could be parsed from it" : `read as ${one.parsed}${one.how ? ` (${one.how})` : ""}`;
  parts.push(make("h3", { text: `The model's text, ${read}` }), make("pre", { text: one.raw === null || one.raw === "" ? "(empty)" : one.raw }));
  if (one.shots.length) parts.push(...shots(one));
  if (one.details.length) parts.push(make("details", { class: "raw" }, make("summary", { text: "What it took" }), make("div", { class: "wide" }, table(one.details))));
  return parts;
}

function option(one, letter, text) {
  const key = letter === one.answer, said = letter === one.parsed;
  const told = key && said ? "answered, right" : key ? "right" : said ? "answered" : "";
  return make("li", { class: `${key ? "key" : ""} ${said ? "said" : ""}` }, make("b", { text: letter }), make("span", { text }), told ? make("em", { text: told }) : null);
}

function shots(one) {
  const some = one.frames > one.shots.length ? `${one.shots.length} of the ${one.frames} frames` : `${one.shots.length} frames`;
  const gazed = one.shots.some((shot) => shot.gaze);
  const parts = [
    make("h3", { text: gazed ? `${some}; the clearer, the finer the model looked there` : some }),
    make("div", { class: "shots" }, ...one.shots.map((shot) => make("figure", {}, thumbnail(one, shot), make("figcaption", { text: caption(shot) })))),
  ];
  if (gazed) {
    const names = ["coarsest patches", "coarse", "fine", "finest"];
    const legend = names.map((name, index) => {
      const colour = make("i");
      colour.style.background = data.colours[index];
      return make("span", {}, colour, name);
    });
    parts.push(make("p", { class: "legend" }, ...legend));
  }
  return parts;
}

const caption = (shot) => `frame ${shot.frame}, ${shot.seconds.toFixed(2)} s`;

function layers(shot, lazy) {
  const common = { width: shot.width, height: shot.height, ...(lazy ? { loading: "lazy" } : {}) };
  const frame = make("img", { src: shot.file, alt: caption(shot), ...common });
  return shot.gaze ? [frame, make("img", { class: "layer", src: shot.gaze, alt: "", ...common })] : [frame];
}

function thumbnail(one, shot) {
  const button = make("button", { type: "button", class: "shot", "aria-label": `Enlarge ${caption(shot)}` }, ...layers(shot, true));
  button.addEventListener("click", () => enlarge(one, shot));
  return button;
}

function enlarge(one, shot) {
  const dialog = byId("large");
  dialog.firstElementChild.replaceChildren(...layers(shot, false));
  dialog.lastElementChild.textContent = `${one.video}, ${caption(shot)} (← → other frames, g gaze)`;
  dialog.shown = [one, one.shots.indexOf(shot)];
  if (!dialog.open) dialog.showModal();
}

function table(rows) {
  return make("table", {}, ...rows.map(([name, value]) => make("tr", {}, make("th", { text: name }), make("td", { text: value }))));
}

function step(by) {
  const next = state.shown[state.shown.indexOf(state.current) + by];
  if (next) show(next);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const dialog = byId("large");
  if (dialog.open && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
    const [one, place] = dialog.shown;
    const next = one.shots[place + (event.key === "ArrowRight" ? 1 : -1)];
    if (next) enlarge(one, next);
    return;
  }
  if (event.target.matches("input[type=search], select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const keys = {
    j: () => step(1), k: () => step(-1), a: () => choose("all"), r: () => choose("right"), w: () => choose("wrong"),
    u: () => choose("none"), g: () => byId("gaze").click(), "/": () => byId("search").focus(),
  };
  if (dialog.open && event.key !== "g") return;
  if (keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
}

function theme() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = (dark) => { document.documentElement.dataset.theme = dark ? "dark" : "light"; };
  apply(system.matches);
  system.addEventListener("change", () => apply(system.matches));
  byId("theme").addEventListener("click", () => apply(document.documentElement.dataset.theme !== "dark"));
}

theme();
data.questions.forEach((one) => {
  one.key = `${one.task}/${one.id}`;
  one.haystack = [one.id, one.video, one.stem, one.raw ?? "", ...one.options.map(([, text]) => text)].join("\n").toLowerCase();
});
head();
numbersTable();
choices();
byId("record").append(...table(Object.entries(data.record)).children);
byId("large").addEventListener("click", () => byId("large").close());
document.addEventListener("keydown", onKey);
let wanted = "";
try {
  wanted = decodeURIComponent(location.hash.slice(1));
} catch {
  // a hash that is no address of ours names no question
}
state.current = data.questions.find((one) => one.key === wanted) ?? null;
filter();
