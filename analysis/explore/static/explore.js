// The page of `hlvid explore`: a video, the gaze over it, its numbers along time, the questions about it.
// All data come from data.js (window.EXPLORE); nothing is fetched, so the page works from disk.
"use strict";

const data = window.EXPLORE;
const $ = (id) => document.getElementById(id);
const film = $("film"), overlay = $("overlay"), timeline = $("timeline");
const state = { video: 0, shown: [true, true, true, true], dim: true, evidence: true, question: null };

const LANES = [
  { key: "ratio", name: "gazed share", colour: "#eef0f4" },
  { key: "loss", name: "loss", colour: "#56b4e9", also: { key: "predicted", name: "predicted", colour: "#e69f00" } },
  { key: "flow", name: "flow (px/s)", colour: "#cc79a7" },
];

const video = () => data.videos[state.video];

/** The gazed frame on show at time t: the last one that has begun. */
function frameAt(t) {
  const frames = video().frames;
  let low = 0, high = frames.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (frames[middle].t <= t + 1e-3) low = middle; else high = middle - 1;
  }
  return low;
}

/** Unpacks the bits of one scale once: a list of [row, column]. */
function cellsOf(frame, scale) {
  frame.lists ??= [];
  if (!frame.lists[scale]) {
    const [rows, columns, text] = frame.cells[scale];
    const bytes = atob(text), list = [];
    for (let i = 0; i < rows * columns; i++)
      if (bytes.charCodeAt(i >> 3) & (128 >> (i & 7))) list.push([Math.floor(i / columns), i % columns]);
    frame.lists[scale] = list;
  }
  return frame.lists[scale];
}

/** Where the picture stands inside the video element, which may have bars beside it. */
function pictureBox() {
  const { clientWidth: w, clientHeight: h } = film, v = video();
  const k = Math.min(w / v.width, h / v.height);
  return { x: (w - v.width * k) / 2, y: (h - v.height * k) / 2, k, w: v.width * k, h: v.height * k };
}

function fitted(canvas) {
  const ratio = window.devicePixelRatio || 1, w = canvas.clientWidth, h = canvas.clientHeight;
  if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
    canvas.width = Math.round(w * ratio);
    canvas.height = Math.round(h * ratio);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, w, h);
  return pen;
}

function drawOverlay() {
  const pen = fitted(overlay), v = video(), box = pictureBox();
  const frame = v.frames[frameAt(film.currentTime)];
  if (!frame) return;
  pen.save();
  pen.beginPath();
  pen.rect(box.x, box.y, box.w, box.h);
  pen.clip();
  const rects = [];
  frame.cells.forEach(([rows], scale) => {
    if (!state.shown[scale]) return;
    const side = (Math.ceil(v.height / v.tile) * v.tile / rows) * box.k;
    for (const [r, c] of cellsOf(frame, scale)) rects.push([scale, box.x + c * side, box.y + r * side, side]);
  });
  if (state.dim) {
    pen.fillStyle = "rgba(8, 10, 14, 0.72)";
    pen.fillRect(box.x, box.y, box.w, box.h);
    for (const [scale, x, y, side] of rects) {  // coarse patches show their area dimly, fine ones in full
      pen.globalCompositeOperation = "destination-out";
      pen.globalAlpha = 0.35 + 0.65 * (scale / Math.max(1, frame.cells.length - 1));
      pen.fillRect(x, y, side, side);
    }
    pen.globalCompositeOperation = "source-over";
    pen.globalAlpha = 1;
  }
  for (const [scale, x, y, side] of rects) {
    pen.strokeStyle = data.colours[scale];
    pen.lineWidth = scale < 2 ? 1.6 : 1;
    pen.strokeRect(x + 0.5, y + 0.5, side - 1, side - 1);
  }
  if (state.evidence) drawEvidence(pen, box, frame);
  pen.restore();
}

function drawEvidence(pen, box, frame) {
  video().questions.forEach((q, number) => {
    const here = q.evidence.find((one) => one[0] === frame.index);
    if (!here || (state.question !== null && state.question !== number)) return;
    const [, x0, y0, x1, y1] = here, pad = 3;
    pen.strokeStyle = "#ffffff";
    pen.lineWidth = 2;
    pen.setLineDash([5, 3]);
    pen.strokeRect(box.x + x0 * box.w - pad, box.y + y0 * box.h - pad, (x1 - x0) * box.w + 2 * pad, (y1 - y0) * box.h + 2 * pad);
    pen.setLineDash([]);
    pen.font = "600 12px system-ui";
    pen.fillStyle = "#ffffff";
    pen.fillText(`question ${q.id}`, box.x + x0 * box.w - pad, box.y + y0 * box.h - pad - 4);
  });
}

function drawTimeline() {
  const pen = fitted(timeline), w = timeline.clientWidth, h = timeline.clientHeight, v = video();
  const left = 92, right = w - 10, lane = (h - 14) / LANES.length;
  const x = (t) => left + (right - left) * (t / Math.max(v.duration, 1e-6));
  pen.font = "12px system-ui";
  LANES.forEach((one, n) => {
    const top = 6 + n * lane, bottom = top + lane - 12;
    const rows = [one, one.also].filter((row) => row && v.frames.some((f) => f[row.key] !== null));
    const most = Math.max(1e-9, ...v.frames.flatMap((f) => rows.map((row) => f[row.key] ?? 0)));
    pen.fillStyle = "#9aa1ae";
    pen.fillText(most.toPrecision(2), 8, top + 28);
    pen.strokeStyle = "#323746";
    pen.strokeRect(left, top, right - left, bottom - top);
    rows.forEach((row, k) => {
      pen.fillStyle = row.colour;
      pen.fillText(row.name, 8, top + 12 + k * 32);
      pen.strokeStyle = row.colour;
      pen.lineWidth = 1.5;
      pen.setLineDash(k ? [4, 3] : []);
      pen.beginPath();
      let drawing = false;
      for (const f of v.frames) {
        if (f[row.key] === null) { drawing = false; continue; }
        const y = bottom - (bottom - top - 2) * (f[row.key] / most);
        if (drawing) pen.lineTo(x(f.t), y); else pen.moveTo(x(f.t), y);
        drawing = true;
      }
      pen.stroke();
      pen.setLineDash([]);
    });
  });
  if (state.question !== null) {
    pen.fillStyle = "rgba(255, 255, 255, 0.55)";
    for (const one of v.questions[state.question].evidence) pen.fillRect(x(one[0] / v.fps), h - 6, 2, 5);
  }
  pen.strokeStyle = "#ffffff";
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(x(film.currentTime), 2);
  pen.lineTo(x(film.currentTime), h - 2);
  pen.stroke();
  timeline.seconds = (px) => Math.max(0, Math.min(v.duration, ((px - left) / (right - left)) * v.duration));
}

function tellNow() {
  const frame = video().frames[frameAt(film.currentTime)];
  if (!frame) return;
  const parts = [`${film.currentTime.toFixed(2)} s`, `frame ${frame.index}`, `${(100 * frame.ratio).toFixed(1)} % gazed`];
  parts.push(video().scales.map((scale, k) => `${scale} px: ${frame.tokens[k]}`).join(", "));
  for (const [key, name] of [["loss", "loss"], ["predicted", "predicted"], ["flow", "flow (px/s)"]])
    if (frame[key] !== null) parts.push(`${name} ${frame[key].toFixed(3)}`);
  $("now").textContent = parts.join("  ·  ");
}

let waiting = false;
function draw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    drawOverlay();
    drawTimeline();
    tellNow();
    $("play").textContent = film.paused ? "play" : "pause";
    if (!film.paused && !film.ended) draw();
  });
}

function seek(t) {
  film.currentTime = Math.max(0, Math.min(video().duration - 1e-3, t));
  draw();
}

function step(by) {
  film.pause();
  const frames = video().frames, at = frameAt(film.currentTime);
  seek(frames[Math.max(0, Math.min(frames.length - 1, at + by))].t + 1e-3);
}

function toggle() { if (film.paused) film.play().then(draw); else film.pause(); draw(); }

function showScale(k) {
  if (k >= state.shown.length) return;
  state.shown[k] = !state.shown[k];
  $("scales").children[k]?.setAttribute("aria-pressed", state.shown[k]);
  draw();
}

function flip(name) { state[name] = !state[name]; $(name).checked = state[name]; draw(); }

function element(tag, text, kind = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = kind;
  return made;
}

function listQuestions() {
  const side = $("questions"), questions = video().questions;
  side.replaceChildren(...questions.map((q, number) => {
    const card = element("button", "", `question ${q.correct === null ? "" : q.correct ? "right" : "wrong"}`);
    const verdict = q.correct === null ? "" : q.correct ? " · right" : q.given ? ` · wrong: ${q.given}` : " · no answer";
    card.append(element("small", `question ${q.id}${q.tier ? ` · ${q.tier}` : ""}${verdict}`), element("b", q.stem));
    for (const [letter, text] of Object.entries(q.options))
      card.append(element("span", `${letter}. ${text}${letter === q.answer ? "  ✓" : ""}${letter === q.given && !q.correct ? "  ✗" : ""}`, letter === q.answer ? "key" : ""));
    if (q.raw) card.append(element("small", `model: ${q.raw}`));
    card.addEventListener("click", () => choose(number));
    return card;
  }));
  document.querySelector("main").classList.toggle("alone", !questions.length);
  $("boxes").hidden = !questions.some((q) => q.evidence.length);
}

/** Selects a question (again: deselects) and goes to the gazed frame that shows its evidence best. */
function choose(number) {
  state.question = state.question === number ? null : number;
  [...$("questions").children].forEach((card, k) => card.setAttribute("aria-current", k === state.question));
  if (state.question !== null) {
    const gazed = new Map(video().frames.map((f) => [f.index, f]));
    const seen = video().questions[number].evidence.filter((one) => gazed.has(one[0]));
    const best = seen.reduce((a, b) => ((b[3] - b[1]) * b[5] > (a ? (a[3] - a[1]) * a[5] : 0) ? b : a), null);
    if (best) { film.pause(); seek(gazed.get(best[0]).t + 1e-3); }
  }
  draw();
}

function open(number) {
  state.video = (number + data.videos.length) % data.videos.length;
  state.question = null;
  $("videos").value = state.video;
  film.src = video().src;
  $("scales").replaceChildren(...video().scales.map((scale, k) => {
    const button = element("button", `${scale} px`);
    const chip = document.createElement("i");
    chip.style.background = data.colours[k];
    button.prepend(chip);
    button.title = `show or hide this scale (${k + 1})`;
    button.setAttribute("aria-pressed", state.shown[k]);
    button.addEventListener("click", () => showScale(k));
    return button;
  }));
  listQuestions();
  draw();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
  const keys = {
    " ": toggle, ArrowLeft: () => step(-1), ArrowRight: () => step(1), Home: () => seek(0), End: () => seek(video().duration),
    d: () => flip("dim"), e: () => flip("evidence"), "[": () => open(state.video - 1), "]": () => open(state.video + 1),
    1: () => showScale(0), 2: () => showScale(1), 3: () => showScale(2), 4: () => showScale(3),
  };
  if (!keys[event.key] || (event.key === " " && event.target.classList.contains("question"))) return;
  event.preventDefault();
  keys[event.key]();
});

$("title").textContent = data.title;
$("videos").replaceChildren(...data.videos.map((v, k) => Object.assign(element("option", v.name), { value: k })));
$("videos").addEventListener("change", (event) => { open(Number(event.target.value)); event.target.blur(); });
$("pick").hidden = data.videos.length < 2;
$("back").addEventListener("click", () => step(-1));
$("on").addEventListener("click", () => step(1));
$("play").addEventListener("click", (event) => { toggle(); event.target.blur(); });
for (const name of ["dim", "evidence"]) $(name).addEventListener("change", () => { state[name] = $(name).checked; draw(); });
timeline.addEventListener("pointerdown", (event) => { seek(timeline.seconds(event.offsetX)); });
timeline.addEventListener("pointermove", (event) => { if (event.buttons) seek(timeline.seconds(event.offsetX)); });
for (const name of ["play", "seeked", "pause", "loadeddata", "timeupdate"]) film.addEventListener(name, draw);
window.addEventListener("resize", draw);
open(0);
