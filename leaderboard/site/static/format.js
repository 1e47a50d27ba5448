// Is a dropped file of predictions well-formed? Without a key and without a server: columns, ids, letters, numbers.
//
//   HlvidFormat.check("mine.csv", text)          // {rows: 268, letters: 260, faults: [{line, field, problem}]}
//
// A smaller sister of leaderboard/format: what this page accepts may still not fit a benchmark's questions, which
// `hlvid submit` knows. The schema's fields come with the site (data/format.js).
globalThis.HlvidFormat = (() => {
  const MOST_FAULTS = 100;

  function check(name, text, format = globalThis.HLVID_FORMAT) {
    const found = { rows: 0, letters: 0, faults: [] };
    const fault = (line, field, problem) => found.faults.push({ line, field, problem });
    const seen = new Map();
    const records = name.toLowerCase().endsWith(".jsonl") ? jsonLines(text, fault) : tableRows(text, format, fault);
    for (const [line, record] of records) {
      if (found.faults.length >= MOST_FAULTS) break;
      found.rows += 1;
      checkRecord(line, record, format, fault);
      const id = String(record.question_id ?? "");
      if (id && seen.has(id)) fault(line, "question_id", `${id} is answered again (first on line ${seen.get(id)})`);
      else seen.set(id, line);
      if (record.raw_output !== undefined || (record.answer ?? "").toString().trim()) found.letters += 1;
    }
    if (!found.rows && !found.faults.length) fault(1, "(file)", "holds no answer");
    return found;
  }

  function checkRecord(line, record, format, fault) {
    for (const field of Object.keys(record))
      if (!format.fields.includes(field)) fault(line, field, "is not a field of the schema");
    const id = record.question_id;
    if (!(typeof id === "string" ? id.length : Number.isInteger(id))) fault(line, "question_id", "is missing");
    const { answer } = record;
    if (answer !== undefined && answer !== null && !/^\s*[A-Za-z]?\s*$/.test(String(answer)))
      fault(line, "answer", `${JSON.stringify(answer).slice(0, 40)} is no letter`);
    for (const field of format.numbers) {
      const value = record[field];
      if (value === undefined || value === null) continue;
      const whole = format.whole.includes(field);
      if (typeof value !== "number" || value < 0 || (whole && !Number.isInteger(value)))
        fault(line, field, `is no ${whole ? "whole " : ""}number from 0`);
    }
  }

  function* jsonLines(text, fault) {
    const lines = text.replace(/^\ufeff/, "").split("\n");
    for (const [index, line] of lines.entries()) {
      if (!line.trim()) continue;
      let record = null;
      try {
        record = JSON.parse(line);
      } catch {
        fault(index + 1, "(line)", "is not JSON");
        continue;
      }
      if (record === null || typeof record !== "object" || Array.isArray(record))
        fault(index + 1, "(line)", "is not a JSON object");
      else yield [index + 1, record];
    }
  }

  function* tableRows(text, format, fault) {
    const header = text.split("\n", 1)[0];
    const separator = [",", ";", "\t"].reduce((a, b) => (header.split(b).length > header.split(a).length ? b : a));
    const rows = cells(text.replace(/^\ufeff/, ""), separator);
    const columns = (rows.shift()?.[1] ?? []).map((name) => name.trim().toLowerCase());
    const wrong = [
      ...(columns.includes("question_id") ? [] : [["question_id", "is no column of this table"]]),
      ...(columns.includes("answer") || columns.includes("raw_output") ? [] : [["answer", "is no column of this table"]]),
      ...columns.filter((name) => !format.fields.includes(name)).map((name) => [name, "is not a column of the schema"]),
      ...(new Set(columns).size < columns.length ? [["(line)", "names a column twice"]] : []),
    ];
    for (const [field, problem] of wrong) fault(1, field, problem);
    if (wrong.length) return;
    for (const [line, row] of rows) {
      if (row.length !== columns.length) {
        fault(line, "(line)", `has ${row.length} fields, the header ${columns.length}`);
        continue;
      }
      const known = columns.map((name, at) => [name, value(name, row[at], format)]);
      yield [line, Object.fromEntries(known.filter(([, one]) => one !== null))];
    }
  }

  function value(name, text, format) {
    if (name === "raw_output") return text;
    if (!text.trim()) return null;
    return format.numbers.includes(name) && !Number.isNaN(Number(text)) ? Number(text) : text.trim();
  }

  /** Rows that are not blank with the line each begins on; quoted cells may hold separators and line breaks. */
  function cells(text, separator) {
    const rows = [];
    let row = [],
      cell = "",
      quoted = false,
      line = 1,
      begin = 1;
    const end = () => {
      row.push(cell);
      if (row.some((one) => one.trim())) rows.push([begin, row]);
      [row, cell, begin] = [[], "", line];
    };
    for (let at = 0; at < text.length; at++) {
      const one = text[at];
      if (one === "\n") line += 1;
      if (quoted && one === '"' && text[at + 1] === '"') cell += text[at++];
      else if (one === '"' && (quoted || cell === "")) quoted = !quoted;
      else if (!quoted && one === separator) [row, cell] = [[...row, cell], ""];
      else if (!quoted && one === "\n") end();
      else if (quoted || one !== "\r") cell += one;
    }
    if (cell || row.length) end();
    return rows;
  }

  function show(files) {
    const { element, faultList } = HlvidDraw;
    const place = document.getElementById("format-verdict");
    return Promise.all(
      [...files].map(async (file) => {
        const { rows, letters, faults } = check(file.name, await file.text());
        const words = faults.length
          ? `${file.name}: ${faults.length} ${faults.length === 1 ? "thing" : "things"} to mend`
          : `${file.name}: well-formed, ${rows} answers, ${rows - letters} of them empty. Whether they fit the questions, hlvid submit tells.`;
        const kind = faults.length ? "bad" : "good";
        return element("div", { class: `verdict-box ${kind}` }, element("h3", {}, words), faultList(faults));
      }),
    ).then((boxes) => place.replaceChildren(...boxes));
  }

  globalThis.document?.addEventListener("DOMContentLoaded", () => {
    const input = document.getElementById("format-file");
    input?.addEventListener("click", () => (input.value = "")); // so that a mended file can be chosen again
    input?.addEventListener("change", () => show(input.files));
    if (input) HlvidDraw.dropZone(input.closest(".drop"), show);
  });

  return { check };
})();
