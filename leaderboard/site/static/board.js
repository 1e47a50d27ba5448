// The first page: the table (Tabulator) of one section, filters beside it, figures below it, all usable by keyboard.
(() => {
  const { element, svg, number, percent, choices, keep } = HlvidDraw;
  const { sections, entries } = HLVID_BOARD;
  const PAGE = 25; // rows
  const filters = document.getElementById("filters");
  const radios = [...document.querySelectorAll("input[name=section]")];
  let shown = null; // the section in the table
  let waiting = 0; // timer of the figures
  const unstated = new Set(); // columns without a value in this section
  let table = null;

  function makeTable() {
    table = new Tabulator("#table", {
      data: [],
      columns: HlvidColumns.columns,
      layout: "fitColumns",
      responsiveLayout: "collapse",
      responsiveLayoutCollapseStartOpen: false,
      responsiveLayoutCollapseFormatter: HlvidColumns.collapsed,
      columnHeaderSortMulti: false,
      pagination: true,
      paginationSize: PAGE,
      paginationSizeSelector: [25, 50, 100, true],
      paginationCounter: "rows",
      placeholder: "No entry fits these filters.",
      initialSort: [{ column: "accuracy", dir: "desc" }],
    });
    table.on("tableBuilt", () => {
      headersByKeyboard();
      show();
    });
    table.on("dataFiltered", (_, rows) => {
      const left = rows.map((row) => row.getData());
      document.getElementById("table").classList.toggle("one-page", left.length <= PAGE);
      clearTimeout(waiting);
      waiting = setTimeout(() => drawFronts(left), 30); // the table first: 500 entries are 2,000 elements here
    });
  }

  /** Tabulator sorts by mouse alone; here its headers are buttons to the keyboard as well. */
  function headersByKeyboard() {
    for (const header of document.querySelectorAll("#table .tabulator-col.tabulator-sortable")) {
      header.tabIndex = 0;
      header.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        header.querySelector(".tabulator-col-content").click();
      });
    }
  }

  function chosenSection() {
    const value = radios.find((radio) => radio.checked)?.value;
    return sections.find((section) => section.id === value) ?? sections[0];
  }

  /** One axis for all bars of a section, in whole tens around its intervals. */
  function axisOf(rows) {
    const ends = rows.flatMap((row) => [row.accuracy, row.low ?? row.accuracy, row.high ?? row.accuracy]);
    if (shown.chance !== null) ends.push(shown.chance);
    return {
      from: Math.max(0, Math.floor(10 * Math.min(...ends) - 0.2) / 10),
      to: Math.min(1, Math.ceil(10 * Math.max(...ends) + 0.2) / 10),
    };
  }

  function show() {
    const next = chosenSection();
    if (next !== shown) {
      shown = next;
      const rows = entries.filter((entry) => entry.section === shown.id);
      Object.assign(HlvidColumns.scale, axisOf(rows), { chance: shown.chance });
      hideUnstated(rows);
      table.clearData(); // or the filters would run once more over what is leaving
      applyFilters();
      table.setData(rows);
      describe();
    } else {
      applyFilters();
    }
  }

  /** A column of dashes says nothing. Only what was hidden here is shown again: the others may be folded away. */
  function hideUnstated(rows) {
    for (const field of ["rank", "parameters", "frames", "resolution", "tokens", "seconds", "added"]) {
      const stated = rows.some((row) => row[field] !== null);
      if (!stated && !unstated.has(field)) table.hideColumn(field);
      if (stated && unstated.has(field)) table.showColumn(field);
      if (stated) unstated.delete(field);
      else unstated.add(field);
    }
    table.redraw(true);
  }

  function applyFilters() {
    const form = new FormData(filters);
    const value = (name) => String(form.get(name) ?? "").trim();
    const words = value("text").toLowerCase().split(/\s+/).filter(Boolean);
    const text = (row) => [row.model, row.setting, row.hardware, row.name, row.source].join(" ").toLowerCase();
    const bound = (name, fits) =>
      value(name) === "" ? () => true : (row) => row[name] !== null && fits(row[name], Number(value(name)));
    const least = (own, wanted) => own >= wanted;
    const tests = [
      (row) => words.every((word) => text(row).includes(word)),
      (row) => !value("trust") || row.trust === value("trust"),
      (row) => !value("seen") || row.seen_videos === value("seen"),
      (row) => !value("openness") || row.openness === value("openness"),
      bound("parameters", (own, wanted) => own <= wanted),
      bound("frames", least),
      bound("resolution", least),
    ];
    table.setFilter((row) => tests.every((test) => test(row)));
    keep({ section: shown.id, ...Object.fromEntries(form) });
  }

  /** What the table holds and how to read its bars, in words. */
  function describe() {
    document.getElementById("hlvid-pair").hidden = shown.benchmark !== "hlvid" || shown.scored > 0;
    const about = shown.recordings === null ? "" : ` about ${number(shown.recordings)} recordings`;
    const size = shown.questions === null ? "" : `${number(shown.questions)} questions${about}. `;
    const missing = shown.scored
      ? ""
      : " No predictions exist, so there are no places and nothing can be compared question by question.";
    const counts = [
      shown.scored && `${shown.scored} scored from predictions`,
      shown.reported && `${shown.reported} reported in papers`,
    ];
    document.getElementById("summary").textContent =
      `${shown.title}: ${size}${counts.filter(Boolean).join(", ")}.${missing}${tooFew()}`;
    const rows = entries.filter((entry) => entry.section === shown.id);
    const has = (method) => rows.some((row) => row.method === method);
    const sample = (loose) =>
      svg(
        "svg",
        { class: loose ? "bar loose swatch" : "bar swatch", "aria-hidden": "true" },
        svg("line", { class: "interval", x1: "8%", x2: "92%", y1: "50%", y2: "50%" }),
        svg("circle", { class: "value", cx: "50%", cy: "50%", r: 4 }),
      );
    document
      .getElementById("legend")
      .replaceChildren(
        ...(has("clustered") ? [sample(false), " 95 % interval, clustered by recording. "] : []),
        ...(has("wilson")
          ? [
              sample(true),
              " Wilson 95 % interval of a reported number, unclustered: no predictions exist, so it is too narrow. ",
            ]
          : []),
        ...(has(null) ? ["No bar: the number of questions behind it is not on record. "] : []),
        `Bars reach from ${percent(HlvidColumns.scale.from).replace(".0", "")} to ${percent(HlvidColumns.scale.to).replace(".0", "")} %. `,
        ...(shown.chance === null ? [] : [`Thin upright line: guessing (${percent(shown.chance)} %). `]),
        element("a", { href: "method.html" }, "How to read this"),
      );
  }

  /** All pairs are looked at together, so on few recordings not even the first and the last can be told apart. */
  function tooFew() {
    if (shown.scored < 2 || shown.recordings >= shown.recordings_needed) return "";
    return ` On so few recordings no places of ${shown.scored} entries can be told apart (it takes ${shown.recordings_needed}); a pair chosen beforehand may be: compare two.`;
  }

  function drawFronts(rows) {
    document.getElementById("fronts").hidden = !rows.some((row) => row.seconds !== null || row.tokens !== null);
    HlvidFronts.draw(document.getElementById("front-seconds"), rows, "seconds", "seconds a question");
    HlvidFronts.draw(document.getElementById("front-tokens"), rows, "tokens", "visual tokens a question");
  }

  function restore() {
    const wanted = choices();
    for (const radio of radios) radio.checked = radio.value === (wanted.get("section") ?? sections[0]?.id);
    if (!radios.some((radio) => radio.checked) && radios.length) radios[0].checked = true;
    for (const field of filters.elements) if (field.name) field.value = wanted.get(field.name) ?? "";
    const used = [...new FormData(filters)].some(([name, value]) => name !== "text" && value);
    document.getElementById("more").open = used || !matchMedia("(max-width: 40rem)").matches; // the table first on a phone
  }

  if (!sections.length) {
    document.getElementById("summary").textContent = "There is no entry yet.";
    return;
  }
  restore();
  makeTable();
  for (const radio of radios) radio.addEventListener("change", show);
  filters.addEventListener("input", show);
  filters.addEventListener("submit", (event) => event.preventDefault());
  filters.addEventListener("reset", () => setTimeout(show)); // after the browser has emptied the fields
  addEventListener("resize", () => table.initialized && drawFronts(table.getData("active")));
  addEventListener("hashchange", () => {
    restore();
    show();
  });
})();
