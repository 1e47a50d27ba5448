// The form of `hlvid board serve`: drop files, see every fault or the standing, take the ready folder.
(() => {
  const { element, faultList, dropZone } = HlvidDraw;
  const form = document.getElementById("upload");
  const drop = document.getElementById("drop");
  const chosen = document.getElementById("chosen");
  const place = document.getElementById("verdict");
  const button = form.querySelector("button[type=submit]");
  const MOST_BYTES = 64 * 1024 * 1024;

  const files = () => [...form.elements.files.files];

  function name() {
    chosen.textContent = files()
      .map((file) => `${file.name} (${Math.ceil(file.size / 1024).toLocaleString("en")} kB)`)
      .join(", ");
  }

  function say(kind, ...children) {
    place.replaceChildren(element("div", { class: `verdict-box ${kind}` }, ...children));
    place.focus({ preventScroll: true });
    place.scrollIntoView({ block: "nearest" });
  }

  function faults(answer) {
    const more = answer.more ? [element("p", {}, `and ${answer.more} more`)] : [];
    say("bad", element("h3", {}, answer.message), faultList(answer.faults), ...more);
  }

  function standing(answer) {
    say(
      "good",
      element("h3", {}, answer.headline),
      element("p", {}, answer.place),
      element("ul", {}, ...answer.comparisons.map((words) => element("li", {}, words))),
      ...(answer.warnings.length
        ? [element("p", {}, `${answer.warnings.length} answers disagree with their raw_output; the text counts.`)]
        : []),
      element(
        "p",
        {},
        element("a", { class: "button", href: answer.download, download: answer.file }, `Take ${answer.file}`),
        ` Unpack it into ${answer.target} of the results repository and open a pull request; its text is in the archive.`,
      ),
      ...(answer.branch ? [element("p", {}, `Branch ${answer.branch} is made; push it to open the pull request.`)] : []),
    );
  }

  async function check(event) {
    event.preventDefault();
    if (!files().length) return say("bad", element("h3", {}, "Choose a file first."));
    const size = files().reduce((sum, file) => sum + file.size, 0);
    if (size > MOST_BYTES)
      return say("bad", element("h3", {}, "These files have more than 64 MB; a submission has up to 50."));
    button.disabled = true;
    say("", element("p", {}, "Checking …"));
    try {
      const reply = await fetch("api/check", { method: "POST", body: new FormData(form) });
      const answer = await reply.json();
      if (answer.ok) standing(answer);
      else faults(answer);
    } catch (error) {
      say("bad", element("h3", {}, "The server does not answer; is 'hlvid board serve' still running?"));
    } finally {
      button.disabled = false;
    }
  }

  dropZone(drop, (dropped) => {
    form.elements.files.files = dropped;
    name();
  });
  form.elements.files.addEventListener("change", name);
  form.addEventListener("submit", check);
})();
