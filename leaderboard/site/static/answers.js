// Loads a section's right and wrong answers. As a script, since a page opened from disk may not read JSON files.
globalThis.HlvidAnswers = (() => {
  const known = new Map();

  function load(section) {
    if (!known.has(section)) known.set(section, fetchScript(section));
    return known.get(section);
  }

  function fetchScript(section) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `data/${encodeURIComponent(section)}.js`;
      script.onload = () => resolve(globalThis.HLVID_ANSWERS); // runs right after this script, before any other
      script.onerror = () => reject(new Error(`${script.src} cannot be loaded`));
      document.head.append(script);
    });
  }

  return { load };
})();
