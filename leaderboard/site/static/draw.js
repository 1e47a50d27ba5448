// Small helpers: elements made from text (never from HTML), SVG, numbers, and the bar of an interval.
globalThis.HlvidDraw = (() => {
  const SVG = "http://www.w3.org/2000/svg";

  /** An HTML element; children are nodes or texts. A submitter's text can only become text. */
  function element(name, attributes = {}, ...children) {
    return fill(document.createElement(name), attributes, children);
  }

  function svg(name, attributes = {}, ...children) {
    return fill(document.createElementNS(SVG, name), attributes, children);
  }

  function fill(node, attributes, children) {
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined && value !== false)
        node.setAttribute(key, value === true ? "" : String(value));
    }
    node.append(...children.filter((child) => child !== null));
    return node;
  }

  /** Like the Python pages: thousands with commas, small numbers with three digits. */
  function number(value) {
    if (value === null || value === undefined) return "–";
    const whole = Math.abs(value) >= 1000 || Number.isInteger(value);
    return value.toLocaleString("en", whole ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 });
  }

  const percent = (share) => (100 * share).toFixed(1);

  /** Interval as a thick line (dashed if `loose`), value as a dot, guessing as a thin line; on the axis `from` to `to`. */
  function intervalBar({ value, low, high, chance = null, loose = false, from = 0, to = 1 }) {
    const at = (share) => `${((100 * (share - from)) / (to - from)).toFixed(2)}%`;
    const line = (kind, left, right, top = "50%", bottom = "50%") =>
      svg("line", { class: kind, x1: at(left), x2: at(right), y1: top, y2: bottom });
    return svg(
      "svg",
      { class: loose ? "bar loose" : "bar", "aria-hidden": "true" },
      line("track", from, to),
      chance === null ? null : line("chance", chance, chance, "8%", "92%"),
      low === null ? null : line("interval", low, high),
      svg("circle", { class: "value", cx: at(value), cy: "50%", r: 4 }),
    );
  }

  /** A plain table: of each column title (none at all: no head) and class; each row's first cell is its head. */
  function table(columns, rows) {
    const cell = (content, at) => element(at ? "td" : "th", { class: columns[at][1], scope: at ? null : "row" }, content);
    const head = columns.map(([title, kind]) => element("th", { class: kind, scope: "col" }, title));
    return element(
      "table",
      { class: "plain" },
      columns[0].length ? element("thead", {}, element("tr", {}, ...head)) : null,
      element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map(cell)))),
    );
  }

  /** What is to be mended, a line each: legible on a phone, too. */
  function faultList(faults) {
    const words = ({ file, line, field, problem, remedy }) => {
      const where = [file, line && `line ${line}`, field].filter(Boolean).join(", ");
      return [element("strong", {}, where), `: ${[problem, remedy].filter(Boolean).join("; ")}`];
    };
    return element("ul", { class: "faults" }, ...faults.map((fault) => element("li", {}, ...words(fault))));
  }

  /** Hands over the files that are dropped on an area. */
  function dropZone(area, take) {
    const over = (is) => (event) => {
      event.preventDefault();
      area.classList.toggle("over", is);
    };
    for (const kind of ["dragenter", "dragover"]) area.addEventListener(kind, over(true));
    for (const kind of ["dragleave", "drop"]) area.addEventListener(kind, over(false));
    area.addEventListener("drop", (event) => take(event.dataTransfer.files));
  }

  /** Choices kept in the address after "#", so that a view can be linked. */
  const choices = () => new URLSearchParams(location.hash.slice(1));

  function keep(values) {
    const kept = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
    history.replaceState(null, "", `#${kept}`);
  }

  return { element, svg, table, number, percent, intervalBar, faultList, dropZone, choices, keep };
})();
