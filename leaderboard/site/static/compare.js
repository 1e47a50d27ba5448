// The page that compares two entries: choices in the address, verdict, interval, duels won and lost.
(() => {
  const { element, svg, table, percent, choices, keep } = HlvidDraw;
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
    const both = [...a].filter((mark, place) => mark === "1" && b[place] === "1").length;
    const rows = [
      ["Both right", both],
      [`Only A right: ${labels[0]}`, result.onlyA],
      [`Only B right: ${labels[1]}`, result.onlyB],
      ["Both wrong", a.length - both - result.onlyA - result.onlyB],
    ];
    return element("figure", {}, element("figcaption", {}, "Questions won and lost"), table([[], [null, "num"]], rows));
  }

  function groups(answers, one, other) {
    return [
      ["category", "Category", "By category"],
      ["tier", "Tier", "By smallest detail"],
    ].flatMap(([field, head, title]) => {
      const places = new Map();
      answers.questions.forEach((question, place) => {
        if (question[field] !== null) places.set(question[field], [...(places.get(question[field]) ?? []), place]);
      });
      if (places.size < 2) return [];
      const right = (index, those) => those.filter((place) => answers.entries[index].correct[place] === "1").length;
      const rows = [...places].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, those]) => {
        const [a, b] = [right(one, those), right(other, those)];
        return [name, those.length, a, b, `${a > b ? "+" : ""}${a - b}`];
      });
      const columns = [[head], ...["Questions", "A", "B", "A − B"].map((words) => [words, "num"])];
      const box = { class: "scroll", tabindex: 0, role: "region", "aria-label": title };
      return [element("h2", {}, title), element("div", box, table(columns, rows))];
    });
  }

  function lists(answers, one, other, labels) {
    const [a, b] = [one, other].map((index) => answers.entries[index].correct);
    return [
      [a, b, `Only A right: ${labels[0]}`],
      [b, a, `Only B right: ${labels[1]}`],
    ].map(([won, lost, title]) => {
      const found = answers.questions.filter((_, place) => won[place] === "1" && lost[place] !== "1");
      const items = found.slice(0, SHOWN).map((question) => {
        const known = [question.source, question.tier, question.stem].filter(Boolean).join(" · ");
        return element("li", {}, element("strong", {}, question.id), ` ${known}`);
      });
      return element(
        "details",
        { class: "questions" },
        element("summary", {}, `${title} (${found.length})`),
        element("ul", {}, ...items),
        found.length > SHOWN ? element("p", { class: "fine" }, `and ${found.length - SHOWN} more`) : null,
      );
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
