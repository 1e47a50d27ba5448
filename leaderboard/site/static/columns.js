// Columns of the first page's table: what a cell shows, how it sorts, in which order columns fold away on a phone.
globalThis.HlvidColumns = (() => {
  const { element, number, percent, intervalBar } = HlvidDraw;
  const OPENNESS = { open_source: "open source", open_weights: "open weights", closed: "closed" };
  const scale = { from: 0, to: 1, chance: null }; // of all bars; the page sets it for each section

  const text = (value) => document.createTextNode(value ?? "–");
  const plain = (cell) => text(number(cell.getValue()));

  const badge = (trust, extra = "") =>
    element("span", { class: `badge ${trust}${extra}` }, element("span", { class: "dot", "aria-hidden": "true" }), trust);

  function modelCell(cell) {
    const row = cell.getData();
    return element(
      "div",
      { class: "model" },
      element("a", { href: row.page }, row.model),
      row.setting ? element("span", { class: "setting" }, row.setting) : null,
      badge(row.trust, " folded"),
    );
  }

  function accuracyCell(cell) {
    const row = cell.getData();
    const interval = row.low === null ? "no interval" : `${percent(row.low)} to ${percent(row.high)}`;
    const words = row.method === "wilson" ? `${interval}, Wilson, unclustered` : interval;
    const bar = {
      value: row.accuracy,
      low: row.low,
      high: row.high,
      loose: row.method === "wilson",
      ...scale,
    };
    return element(
      "div",
      { class: "accuracy", title: `95 % interval: ${words}` },
      element("strong", {}, percent(row.accuracy)),
      intervalBar(bar),
      element("span", { class: "ends" }, interval),
    );
  }

  function rankCell(cell) {
    const rank = cell.getValue();
    return rank ? text(rank.text) : element("span", { class: "gap", title: "A reported number has no place" }, "–");
  }

  /** Numbers first in either direction, what is not stated last. */
  function sorter(value) {
    return (a, b, rowA, rowB, column, direction) => {
      const [one, other] = [value(rowA.getData()), value(rowB.getData())];
      const gap = (one === null) - (other === null);
      if (gap || one === null) return direction === "desc" ? -gap : gap; // Tabulator turns the sign for "desc"
      return one < other ? -1 : one > other ? 1 : 0;
    };
  }

  /** `priority` is the order in which columns fold away where there is no room: 0 never, the highest first. */
  function column(title, field, formatter, priority, minWidth, extra = {}) {
    return { title, field, formatter, responsive: priority, minWidth, sorter: sorter((row) => row[field]), ...extra };
  }

  function numeric(title, field, priority, headerTooltip = false, minWidth = 88) {
    return column(title, field, plain, priority, minWidth, { ...down, hozAlign: "right", headerHozAlign: "right", headerTooltip });
  }

  const TRUSTS = ["reported", "rescored", "reproduced"];
  const down = { headerSortStartingDir: "desc" };
  const byPlaces = sorter((row) => row.rank && row.rank.best * 1e6 + row.rank.worst);
  const byName = sorter((row) => `${row.model} ${row.setting}`.toLowerCase());
  const byTrust = sorter((row) => TRUSTS.indexOf(row.trust));
  const columns = [
    column("", "open", "responsiveCollapse", 0, 36, { width: 36, headerSort: false, resizable: false, hozAlign: "center" }),
    column("Places", "rank", rankCell, 1, 70, { sorter: byPlaces, width: 78 }),
    column("Model", "model", modelCell, 0, 150, { sorter: byName, widthGrow: 3 }),
    column("Accuracy (%)", "accuracy", accuracyCell, 0, 130, { ...down, widthGrow: 3 }),
    column("Trust", "trust", (cell) => badge(cell.getValue()), 2, 112, { ...down, sorter: byTrust }),
    column("Openness", "openness", (cell) => text(OPENNESS[cell.getValue()]), 8, 124),
    numeric("Size (B)", "parameters", 7, "Parameters in billions"),
    numeric("Frames", "frames", 5),
    numeric("Pixels", "resolution", 6, "Long side of the frames really seen, in px"),
    numeric("Tokens", "tokens", 3, "Visual tokens that reach the model, mean of a question"),
    numeric("Seconds", "seconds", 4, "Wall-clock seconds, mean of a question, as submitted", 92),
    column("Added", "added", (cell) => text(cell.getValue()?.slice(0, 10)), 9, 116, down),
  ];

  function collapsed(cells) {
    const list = element("dl", { class: "collapsed" });
    for (const cell of cells)
      list.append(element("div", {}, element("dt", {}, cell.title), element("dd", {}, cell.value)));
    return list;
  }

  return { columns, collapsed, scale };
})();
