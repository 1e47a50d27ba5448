// The page that compares two entries: choices in the address, verdict, interval, duels won and lost.
(() => {
  const { element, svg, percent, choices, keep } = HlvidDraw;
  const form = document.getElementById("choice");
  const place = document.getElementById("result");
  const SHOWN = 60; // questions listed of each kind

  async function load(wanted) {
    const { section, a, b } = form.elements;
    if (!section.options.length) return say("No entry with predictions yet.");
    if (wanted.get("section")) section.value = wanted.get("section");
    if (section.selectedIndex < 0) section.selectedIndex = 0;
    const answers = await HlvidAnswers.load(section.value);
    for (const select of [a, b]) {
      select.replaceChildren(...answers.entries.map((entry) => element("option", { value: entry.name }, entry.label)));
    }
    choose(a, wanted.get("a"), 0);
    choose(b, wanted.get("b"), a.selectedIndex === 0 ? 1 : 0);
    show(answers);
  }

  function choose(select, wanted, otherwise) {
    select.value = wanted ?? "";
    if (select.selectedIndex < 0) select.selectedIndex = Math.min(otherwise, select.options.length - 1);
  }

  const say = (words) => place.replaceChildren(element("p", { class: "gap" }, words));

  function show(answers) {
    const { section, a, b } = form.elements;
    keep({ section: section.value, a: a.value, b: b.value });
    if (answers.entries.length < 2) return say("It takes two entries with predictions; this benchmark has one.");
    if (a.value === b.value) return say("Choose two different entries.");
    const [one, other] = [a.selectedIndex, b.selectedIndex];
    const result = HlvidStatistics.compare(answers, one, other);
    const labels = result.names; // folders' names: unique, and shorter than the labels to choose from
    place.replaceChildren(
      headline(result),
      element("p", { class: "verdict", id: "verdict" }, result.verdict),
      ...together(result),
      element("div", { class: "pair" }, difference(result, labels), duels(answers, one, other, result, labels)),
      ...groups(answers, one, other),
      ...lists(answers, one, other, labels),
    );
  }

  /** Places look at all pairs at once; where that changes the verdict on this one, both are said. */
  function together({ shown, shownTogether, pairs }) {
    if (!shown || pairs < 2) return [];
    const words = shownTogether
      ? `Also shown with all ${pairs} pairs of this table looked at together (Holm), as places are.`
      : `Looked at together with all ${pairs} pairs of this table (Holm), as places are, it is not shown: choose the pair before you look.`;
    return [element("p", { class: "fine", id: "together" }, words)];
  }

  function headline(result) {
    const words = result.shown ? "A difference is shown" : "No evidence of a difference";
    return element("p", { class: result.shown ? "finding shown" : "finding" }, words);
  }

  /** The difference with its interval on a symmetric axis around 0. */
  function difference(result, labels) {
    const { low, high } = result.interval;
    const widest = Math.max(Math.abs(low), Math.abs(high), 0.1);
    const reach = Math.min(1, Math.ceil(widest * 10) / 10);
    const at = (share) => `${(50 + (48 * share) / reach).toFixed(2)}%`;
    const tick = (share) =>
      svg(
        "text",
        { x: at(share), y: 76, class: "tick", "text-anchor": share === 0 ? "middle" : share < 0 ? "start" : "end" },
        `${share > 0 ? "+" : ""}${Math.round(100 * share)}`,
      );
    const picture = svg(
      "svg",
      {
        class: "difference",
        height: 84,
        role: "img",
        "aria-label": `Difference ${percent(result.difference)} points, interval ${percent(low)} to ${percent(high)}`,
      },
      svg("line", { class: "grid", x1: at(-reach), x2: at(reach), y1: 56, y2: 56 }),
      svg("line", { class: "zero", x1: "50%", x2: "50%", y1: 8, y2: 62 }),
      svg("line", { class: "interval", x1: at(low), x2: at(high), y1: 32, y2: 32 }),
      svg("circle", { class: "value", cx: at(result.difference), cy: 32, r: 6 }),
      tick(-reach),
      tick(0),
      tick(reach),
    );
    return element(
      "figure",
      {},
      element("figcaption", {}, "Difference in points, with 95 % interval"),
      picture,
      element(
        "p",
        { class: "sides" },
        element("span", {}, `← B ahead: ${labels[1]}`),
        element("span", {}, `A ahead: ${labels[0]} →`),
      ),
    );
  }

  function duels(answers, one, other, result, labels) {
    const [a, b] = [one, other].map((index) => answers.entries[index].correct);
    let both = 0,
      neither = 0;
    for (let place = 0; place < a.length; place++) {
      both += a[place] === "1" && b[place] === "1";
      neither += a[place] !== "1" && b[place] !== "1";
    }
    const row = (words, count) =>
      element("tr", {}, element("th", { scope: "row" }, words), element("td", { class: "num" }, String(count)));
    return element(
      "figure",
      {},
      element("figcaption", {}, "Questions won and lost"),
      element(
        "table",
        { class: "plain duels" },
        element(
          "tbody",
          {},
          row("Both right", both),
          row(`Only A right: ${labels[0]}`, result.onlyA),
          row(`Only B right: ${labels[1]}`, result.onlyB),
          row("Both wrong", neither),
        ),
      ),
    );
  }

  function groups(answers, one, other) {
    return [
      ["category", "By category"],
      ["tier", "By smallest detail"],
    ].flatMap(([field, title]) => {
      const counts = new Map();
      answers.questions.forEach((question, place) => {
        if (question[field] === null) return;
        const count = counts.get(question[field]) ?? { n: 0, a: 0, b: 0 };
        count.n += 1;
        count.a += answers.entries[one].correct[place] === "1";
        count.b += answers.entries[other].correct[place] === "1";
        counts.set(question[field], count);
      });
      if (counts.size < 2) return [];
      const head = [
        field === "tier" ? "Tier" : "Category",
        "Questions",
        "A",
        "B",
        "A − B",
      ].map((words, index) => element("th", { scope: "col", class: index ? "num" : null }, words));
      const cells = ({ n, a, b }) =>
        [n, a, b, `${a - b > 0 ? "+" : ""}${a - b}`].map((value) => element("td", { class: "num" }, String(value)));
      const rows = [...counts]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, count]) => element("tr", {}, element("th", { scope: "row" }, name), ...cells(count)));
      return [
        element("h2", {}, title),
        element(
          "div",
          { class: "scroll", tabindex: 0, role: "region", "aria-label": title },
          element(
            "table",
            { class: "plain" },
            element("thead", {}, element("tr", {}, ...head)),
            element("tbody", {}, ...rows),
          ),
        ),
      ];
    });
  }

  function lists(answers, one, other, labels) {
    const [a, b] = [one, other].map((index) => answers.entries[index].correct);
    return [
      [a, b, `Only A right: ${labels[0]}`],
      [b, a, `Only B right: ${labels[1]}`],
    ].flatMap(([won, lost, title]) => {
      const found = answers.questions.filter((_, place) => won[place] === "1" && lost[place] !== "1");
      const items = found
        .slice(0, SHOWN)
        .map((question) =>
          element(
            "li",
            {},
            element("strong", {}, question.id),
            ` ${[question.source, question.tier, question.stem].filter(Boolean).join(" · ")}`,
          ),
        );
      const more = found.length > SHOWN ? [element("p", { class: "fine" }, `and ${found.length - SHOWN} more`)] : [];
      return [
        element(
          "details",
          { class: "questions" },
          element("summary", {}, `${title} (${found.length})`),
          element("ul", {}, ...items),
          ...more,
        ),
      ];
    });
  }

  form.addEventListener("change", (event) => {
    const { section, a, b } = form.elements;
    load(
      new URLSearchParams(
        event.target === section ? { section: section.value } : { section: section.value, a: a.value, b: b.value },
      ),
    );
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("swap").addEventListener("click", () => {
    const { section, a, b } = form.elements;
    load(new URLSearchParams({ section: section.value, a: b.value, b: a.value }));
  });
  addEventListener("hashchange", () => load(choices()));
  load(choices());
})();
