// Columns of the first page's table: what a cell shows, how it sorts, in which order columns fold away on a phone.
globalThis.HlvidColumns = (() => {
  const { element, number, percent, intervalBar } = HlvidDraw;
  const OPENNESS = { open_source: "open source", open_weights: "open weights", closed: "closed" };
  const scale = { from: 0, to: 1, chance: null }; // of all bars; the page sets it for each section

  const text = (value) => document.createTextNode(value ?? "–");
  const plain = (cell) => text(number(cell.getValue()));

  function modelCell(cell) {
    const row = cell.getData();
    return element(
      "div",
      { class: "model" },
      element("a", { href: row.page }, row.model),
      row.setting ? element("span", { class: "setting" }, row.setting) : null,
      element("span", { class: `badge folded ${row.trust}` }, element("span", { class: "dot", "aria-hidden": "true" }), row.trust),
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

  function trustCell(cell) {
    const trust = cell.getValue();
    return element(
      "span",
      { class: `badge ${trust}` },
      element("span", { class: "dot", "aria-hidden": "true" }),
      trust,
    );
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

  function numeric(title, field, priority, extra = {}) {
    return {
      title,
      field,
      formatter: plain,
      sorter: sorter((row) => row[field]),
      hozAlign: "right",
      headerHozAlign: "right",
      headerSortStartingDir: "desc",
      responsive: priority,
      minWidth: 88,
      ...extra,
    };
  }

  const TRUSTS = ["reported", "rescored", "reproduced"];
  const columns = [
    {
      title: "",
      field: "open",
      formatter: "responsiveCollapse",
      width: 36,
      minWidth: 36,
      headerSort: false,
      resizable: false,
      responsive: 0,
      hozAlign: "center",
    },
    {
      title: "Places",
      field: "rank",
      formatter: rankCell,
      sorter: sorter((row) => row.rank && row.rank.best * 1e6 + row.rank.worst),
      width: 78,
      minWidth: 70,
      responsive: 1,
    },
    {
      title: "Model",
      field: "model",
      formatter: modelCell,
      sorter: sorter((row) => `${row.model} ${row.setting}`.toLowerCase()),
      minWidth: 150,
      widthGrow: 3,
      responsive: 0,
    },
    {
      title: "Accuracy (%)",
      field: "accuracy",
      formatter: accuracyCell,
      sorter: sorter((row) => row.accuracy),
      headerSortStartingDir: "desc",
      minWidth: 130,
      widthGrow: 3,
      responsive: 0,
    },
    {
      title: "Trust",
      field: "trust",
      formatter: trustCell,
      sorter: sorter((row) => TRUSTS.indexOf(row.trust)),
      headerSortStartingDir: "desc",
      minWidth: 112,
      responsive: 2,
    },
    {
      title: "Openness",
      field: "openness",
      formatter: (cell) => text(OPENNESS[cell.getValue()]),
      sorter: sorter((row) => row.openness),
      minWidth: 124,
      responsive: 8,
    },
    numeric("Size (B)", "parameters", 7, { headerTooltip: "Parameters in billions" }),
    numeric("Frames", "frames", 5),
    numeric("Pixels", "resolution", 6, { headerTooltip: "Long side of the frames really seen, in px" }),
    numeric("Tokens", "tokens", 3, { headerTooltip: "Visual tokens that reach the model, mean of a question" }),
    numeric("Seconds", "seconds", 4, {
      minWidth: 92,
      headerTooltip: "Wall-clock seconds, mean of a question, as submitted",
    }),
    {
      title: "Added",
      field: "added",
      formatter: (cell) => text(cell.getValue()?.slice(0, 10)),
      sorter: sorter((row) => row.added),
      headerSortStartingDir: "desc",
      minWidth: 116,
      responsive: 9,
    },
  ];

  function collapsed(cells) {
    const list = element("dl", { class: "collapsed" });
    for (const cell of cells)
      list.append(element("div", {}, element("dt", {}, cell.title), element("dd", {}, cell.value)));
    return list;
  }

  return { columns, collapsed, scale };
})();
