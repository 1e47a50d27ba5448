// Accuracy against cost: points with their intervals, and the front of those that nothing cheaper beats. Seconds of
// different hardware make no front.
globalThis.HlvidFronts = (() => {
  const { element, svg, number, percent } = HlvidDraw;
  const HEIGHT = 320,
    LEFT = 44,
    RIGHT = 18,
    TOP = 14,
    BOTTOM = 46;
  const CROWD = 60; // points, from which on intervals are drawn on the front alone
  const LETTER = 7.2; // px, about, of a name

  /** Entries that no other one beats at lower or equal cost, cheapest first. */
  function front(points) {
    const found = [];
    for (const point of [...points].sort((a, b) => a.cost - b.cost || b.row.accuracy - a.row.accuracy)) {
      if (!found.length || point.row.accuracy > found.at(-1).row.accuracy) found.push(point);
    }
    return found;
  }

  function draw(place, rows, field, words) {
    const points = rows
      .filter((row) => row[field] !== null && row[field] > 0)
      .map((row) => ({ row, cost: row[field] }));
    const free = rows.filter((row) => row[field] === 0);
    if (!points.length) {
      place.replaceChildren(element("p", { class: "gap" }, `No entry here states ${words}.`));
      return;
    }
    const width = Math.max(260, Math.min(640, place.clientWidth || 560)); // drawn at its size, so that text stays legible
    const machines = new Set(field === "seconds" ? points.map((point) => point.row.hardware) : []);
    const best = machines.size > 1 ? [] : front(points);
    place.replaceChildren(picture(points, best, words, width), note(rows, points, free, words, machines));
  }

  function note(rows, points, free, words, machines) {
    const silent = rows.length - points.length - free.length;
    const parts = [
      machines.size > 1
        ? `Taken on ${machines.size} kinds of hardware, unstated ones together, so no front is drawn: search for one to see its own.`
        : "",
      free.length
        ? `${free
            .map((row) => row.model)
            .slice(0, 3)
            .join(", ")}: 0 ${words}, at ${free
            .map((row) => percent(row.accuracy))
            .slice(0, 3)
            .join(", ")} %; off a logarithmic axis.`
        : "",
      silent ? `${silent} of the entries ${silent === 1 ? "states" : "state"} no ${words}.` : "",
    ];
    return element("p", { class: "fine" }, parts.filter(Boolean).join(" "));
  }

  function picture(points, best, words, width) {
    const [x, ticks] = scale(
      points.map((point) => point.cost),
      width,
    );
    const y = (share) => TOP + (1 - share) * (HEIGHT - TOP - BOTTOM);
    const summary = best
      .map((point) => `${point.row.model} ${percent(point.row.accuracy)} % at ${number(point.cost)}`)
      .join("; ");
    const ahead = best.length ? ` On the front: ${summary}` : "";
    return svg(
      "svg",
      {
        viewBox: `0 0 ${width} ${HEIGHT}`,
        role: "img",
        "aria-label": `Accuracy against ${words}.${ahead}`,
      },
      ...grid(x, y, ticks, words, width),
      svg("path", { class: "front", d: steps(best, x, y) }),
      ...points
        .filter((point) => !best.includes(point))
        .map((point) => mark(point, x, y, false, points.length > CROWD)),
      ...best.map((point) => mark(point, x, y, true, false)),
      ...names(best, x, y, width),
    );
  }

  /** A logarithmic axis with round ticks; whole decades, or 1-2-5 steps where there are few. */
  function scale(costs, width) {
    const low = Math.log10(Math.min(...costs)),
      high = Math.log10(Math.max(...costs));
    const room = Math.max(0.15, 0.08 * (high - low));
    const x = (cost) =>
      LEFT + 6 + ((Math.log10(cost) - low + room) / (high - low + 2 * room)) * (width - LEFT - RIGHT - 6);
    const steps = (high - low) / width > 2.2 / 560 ? [1] : [1, 2, 5]; // as many as fit
    const ticks = [];
    for (let decade = Math.floor(low - room); decade <= high + room; decade++) {
      for (const step of steps) ticks.push(step * 10 ** decade);
    }
    return [x, ticks.filter((tick) => Math.log10(tick) >= low - room && Math.log10(tick) <= high + room)];
  }

  function grid(x, y, ticks, words, width) {
    const bottom = HEIGHT - BOTTOM;
    const rows = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
      svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(share), y2: y(share) }),
      svg("text", { class: "tick", x: LEFT - 8, y: y(share) + 4, "text-anchor": "end" }, String(100 * share)),
    ]);
    const columns = ticks.flatMap((tick) => [
      svg("line", { class: "grid", x1: x(tick), x2: x(tick), y1: bottom, y2: bottom + 4 }),
      svg("text", { class: "tick", x: x(tick), y: bottom + 18, "text-anchor": "middle" }, number(tick)),
    ]);
    return [
      ...rows,
      ...columns,
      svg(
        "text",
        { class: "axis", x: (LEFT + width - RIGHT) / 2, y: HEIGHT - 8, "text-anchor": "middle" },
        `${words} (logarithmic)`,
      ),
      svg(
        "text",
        { class: "axis", x: -(TOP + bottom) / 2, y: 11, "text-anchor": "middle", transform: "rotate(-90)" },
        "accuracy (%)",
      ),
    ];
  }

  function steps(best, x, y) {
    return best
      .map((point, index) => {
        const [right, up] = [x(point.cost).toFixed(1), y(point.row.accuracy).toFixed(1)];
        return index ? `H${right}V${up}` : `M${right} ${up}`;
      })
      .join("");
  }

  function mark(point, x, y, ahead, crowded) {
    const { row, cost } = point;
    const words = `${row.model}${row.setting ? ` (${row.setting})` : ""}: ${percent(row.accuracy)} %, ${number(cost)}`;
    const line =
      row.low === null || crowded
        ? null
        : svg("line", { class: "interval", x1: x(cost), x2: x(cost), y1: y(row.low), y2: y(row.high) });
    return svg(
      "a",
      { href: row.page, class: ahead ? "point ahead" : crowded ? "point faint" : "point", "aria-label": words },
      svg("title", {}, words),
      line,
      svg("circle", { cx: x(cost), cy: y(row.accuracy), r: ahead ? 5.5 : crowded ? 3 : 4 }),
    );
  }

  /** Names beside the front's points, best first, on the side that has room; one that would cover another is left out. */
  function names(best, x, y, width) {
    const taken = [];
    return [...best].reverse().flatMap((point) => {
      const right = x(point.cost) > width * 0.5;
      const words = nameOf(point.row);
      const [left, up] = [x(point.cost) + (right ? -10 : 10), y(point.row.accuracy) + (right ? -8 : 16)];
      const from = right ? left - words.length * LETTER : left;
      const covers = (other) =>
        Math.abs(other.up - up) < 15 && from < other.to && other.from < from + words.length * LETTER;
      if (taken.some(covers)) return [];
      taken.push({ from, to: from + words.length * LETTER, up });
      return [svg("text", { class: "name", x: left, y: up, "text-anchor": right ? "end" : "start" }, words)];
    });
  }

  function nameOf(row) {
    const short = row.model.length > 22 ? `${row.model.slice(0, 21)}…` : row.model;
    return row.resolution ? `${short} ${number(row.resolution)} px` : short;
  }

  return { draw, front };
})();
