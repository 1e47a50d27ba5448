// The matrix of questions and entries on a canvas (500 x 268 squares are too many for elements), and the questions by
// difficulty as a table. The square under the pointer, or under the arrow keys, is read out as text.
(() => {
  const { element, table, percent, choices, keep } = HlvidDraw;
  const form = document.getElementById("choice");
  const canvas = document.getElementById("matrix");
  const readout = document.getElementById("readout");
  const NAME_WIDTH = 190,
    MOST_TALL = 24,
    LEAST = 5,
    MANY = 60;
  const STATES = { 1: "right", 0: "wrong", "-": "no letter found" };
  let view = null; // {answers, columns, cell, row height}
  let at = { row: 0, column: 0 };

  async function load(wanted) {
    const { section, order } = form.elements;
    if (!section.options.length) {
      readout.textContent = "No entry with predictions yet.";
      canvas.hidden = true;
      return;
    }
    section.value = wanted.get("section") ?? section.options[0].value;
    if (section.selectedIndex < 0) section.selectedIndex = 0;
    order.value = wanted.get("order") === "easy" ? "easy" : "dataset";
    keep({ section: section.value, order: order.value });
    const answers = await HlvidAnswers.load(section.value);
    const right = answers.questions.map(
      (_, question) => answers.entries.filter((entry) => entry.correct[question] === "1").length,
    );
    const columns = answers.questions.map((_, question) => question);
    if (order.value === "easy") columns.sort((one, other) => right[other] - right[one] || one - other);
    view = { answers, right, columns };
    at = { row: 0, column: 0 };
    draw();
    list();
    readout.textContent = `${answers.entries.length} entries, ${answers.questions.length} questions.`;
  }

  function measure() {
    const room = canvas.parentElement.clientWidth - names();
    const cell = Math.max(LEAST, Math.min(MOST_TALL, Math.floor(room / view.columns.length)));
    const tall =
      view.answers.entries.length > MANY
        ? Math.max(LEAST, Math.min(cell, 12))
        : Math.max(16, Math.min(cell, MOST_TALL));
    return { cell, tall };
  }

  /** Room for names, which rows of many entries are too low for. */
  function names() {
    if (view.answers.entries.length > MANY) return 0;
    return canvas.parentElement.clientWidth < 600 ? 96 : NAME_WIDTH;
  }

  function draw() {
    if (!view) return;
    const { cell, tall } = Object.assign(view, measure());
    const { entries } = view.answers;
    const width = names() + cell * view.columns.length,
      height = tall * entries.length,
      ratio = devicePixelRatio || 1;
    Object.assign(canvas, { width: width * ratio, height: height * ratio });
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const colours = {
      right: colour("--blue"),
      wrong: colour("--empty"),
      none: colour("--amber"),
      text: colour("--text"),
    };
    entries.forEach((entry, row) => drawRow(context, entry, row, colours));
  }

  function drawRow(context, entry, row, colours) {
    const { cell, tall, columns } = view,
      gap = cell > 8 ? 1.5 : cell > 5 ? 1 : 0.5,
      left = names();
    if (tall >= 11) {
      context.fillStyle = colours.text;
      context.font = `${Math.min(13, tall - 3)}px system-ui, sans-serif`;
      context.textBaseline = "middle";
      context.fillText(shortened(context, entry.name, left - 10), 0, (row + 0.5) * tall);
    }
    columns.forEach((question, column) => {
      const state = entry.correct[question];
      const [x, y, wide, high] = [left + column * cell, row * tall, cell - gap, tall - gap];
      context.fillStyle = state === "1" ? colours.right : state === "-" ? colours.none : colours.wrong;
      if (state === "-")
        context.fillRect(x, y + high * 0.35, wide, Math.max(2, high * 0.3)); // a bar: told apart by shape, too
      else context.fillRect(x, y, wide, high);
    });
  }

  function shortened(context, text, width) {
    if (context.measureText(text).width <= width) return text;
    let end = text.length;
    while (end > 1 && context.measureText(`${text.slice(0, end)}…`).width > width) end -= 1;
    return `${text.slice(0, end)}…`;
  }

  function tell() {
    const entry = view.answers.entries[at.row],
      number = view.columns[at.column],
      question = view.answers.questions[number];
    const known = [question.source, question.tier, question.stem].filter(Boolean).join(", ");
    readout.textContent =
      `${entry.label}, question ${question.id} (${known}): ${STATES[entry.correct[number]]}. ` +
      `${view.right[number]} of ${view.answers.entries.length} entries are right.`;
  }

  function list() {
    const { answers, right } = view,
      count = answers.entries.length;
    const order = [...right.keys()].sort((one, other) => right[one] - right[other] || one - other);
    const fields = ["tier", "category"].filter((field) => answers.questions.some((question) => question[field] !== null));
    const meter = (number) =>
      element("meter", { min: 0, max: count, value: right[number], "aria-label": `${percent(right[number] / count)} % of entries` });
    const columns = [
      [["Question"], (number, question) => question.id],
      [["Entries right", "num"], (number) => `${right[number]} of ${count}`],
      [[""], meter],
      ...fields.map((field) => [[field[0].toUpperCase() + field.slice(1)], (_, question) => question[field] ?? "–"]),
      [["Recording"], (_, question) => question.source],
      ...(answers.questions[0].stem ? [[["Asks", "asks"], (_, question) => question.stem]] : []),
      ...(answers.suspects.length
        ? [[["Look again"], (_, { id }) => (answers.suspects.includes(id) ? "all agree on one wrong letter" : "")]]
        : []),
    ];
    const rows = order.map((number) => columns.map(([, cell]) => cell(number, answers.questions[number])));
    document.getElementById("difficulty").replaceChildren(table(columns.map(([title]) => title), rows));
  }

  canvas.addEventListener("pointermove", (event) => {
    if (!view) return;
    const row = Math.floor(event.offsetY / view.tall),
      column = Math.floor((event.offsetX - names()) / view.cell);
    if (row < 0 || column < 0 || row >= view.answers.entries.length || column >= view.columns.length) return;
    if (row === at.row && column === at.column) return;
    at = { row, column };
    tell();
  });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step || !view) return;
    event.preventDefault();
    const within = (value, count) => Math.max(0, Math.min(count - 1, value));
    at = {
      row: within(at.row + step[0], view.answers.entries.length),
      column: within(at.column + step[1], view.columns.length),
    };
    tell();
  });
  form.addEventListener("change", () => load(new URLSearchParams(new FormData(form))));
  addEventListener("hlvid-theme", draw);
  addEventListener("resize", draw);
  addEventListener("hashchange", () => load(choices()));
  load(choices());
})();
